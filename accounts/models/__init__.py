"""People, their access tokens, failed sign-ins, and the audit log."""

from accounts.models.audit_log import AuditLog, ClientKind
from accounts.models.failed_sign_ins import FailedSignIns
from accounts.models.login_code import LoginCode
from accounts.models.token import AccessToken, Scope
from accounts.models.user import User

__all__ = ["AccessToken", "AuditLog", "ClientKind", "FailedSignIns", "LoginCode", "Scope", "User"]
