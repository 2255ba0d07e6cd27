"""Signing in and out leaves audit rows."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction

from accounts import audit, sign_in_limits


def connect() -> None:
    user_logged_in.connect(record_login, dispatch_uid="audit")
    user_logged_out.connect(record_logout, dispatch_uid="audit")
    user_login_failed.connect(record_failed_login, dispatch_uid="audit")


def record_login(user: Any, **signal: Any) -> None:
    target = f"user:{user.pk}"
    with transaction.atomic():
        failures = sign_in_limits.take_uncounted(target)
        audit.record(
            "auth.login", target=target, actor=user, params={"failures": failures} if failures else {}
        )


def record_logout(user: Any, **signal: Any) -> None:
    if user is not None:
        audit.record("auth.logout", target=f"user:{user.pk}", actor=user)


def record_failed_login(credentials: dict[str, Any], **signal: Any) -> None:
    """What was typed may be an e-mail, or a password in the wrong field: only a known person is named.

    Anybody can fail, and rows stay for good: one a minute for a person, and one for all who are unknown.
    """
    users = get_user_model().objects
    known = users.filter(email=str(credentials.get("username", ""))).only("pk").first()
    record_refusal(f"user:{known.pk}" if known else "")


def record_refusal(target: str) -> None:
    with transaction.atomic():
        if failures := sign_in_limits.count_for_audit(target):
            _record_failures(target, failures)


def record_failures_of_bursts() -> int:
    """Those that no later attempt has brought into the audit log. Returns how many rows that made."""
    rows = 0
    with transaction.atomic():
        for target, failures in sign_in_limits.take_due_for_audit():
            _record_failures(target, failures)
            rows += 1
    return rows


def _record_failures(target: str, failures: int) -> None:
    audit.record("auth.login", target=target, params={"failures": failures}, result="refused")
