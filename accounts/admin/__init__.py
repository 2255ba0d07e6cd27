"""The admin pages of people, groups, access tokens and the audit log, and how one signs in to them."""

from accounts.admin import audit_log, groups, links, people, sign_in, tokens  # noqa: F401
