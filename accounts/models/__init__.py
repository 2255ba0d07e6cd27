"""People, their access tokens, and the audit log."""

from accounts.models.audit_log import AuditLog, ClientKind
from accounts.models.token import AccessToken, Scope
from accounts.models.user import User

__all__ = ["AccessToken", "AuditLog", "ClientKind", "Scope", "User"]
