"""The admin pages of people, groups, access tokens and the audit log."""

from accounts.admin import audit_log, groups, people, tokens  # noqa: F401
