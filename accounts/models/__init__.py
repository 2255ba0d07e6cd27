"""People, their access tokens, failed sign-ins, the audit log, and who was erased."""

from accounts.models.audit_log import AuditLog, ClientKind
from accounts.models.erasure import Erasure
from accounts.models.failed_sign_ins import FailedSignIns
from accounts.models.login_code import LoginCode
from accounts.models.token import AccessToken, Scope
from accounts.models.user import User

__all__ = ["AccessToken", "AuditLog", "ClientKind", "Erasure", "FailedSignIns", "LoginCode", "Scope", "User"]
