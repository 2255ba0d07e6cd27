"""What this app, and those of Django and allauth, keep of a person."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from accounts import sign_in_limits
from accounts.erasing.kinds import Kind, chosen, rows
from accounts.erasing.subject import Subject
from accounts.models import AccessToken, FailedSignIns, LoginCode, User


def _failed_sign_ins(subject: Subject) -> QuerySet[FailedSignIns]:
    return FailedSignIns.objects.filter(key__in=sign_in_limits.keys_of(subject.pk, subject.email))


def _is_session_of(session: Any, subject: Subject) -> bool:
    content = session.get_decoded()
    return content.get(SESSION_KEY) == str(subject.pk) or subject.mentioned_in(content)


def _is_entry_about(entry: Any, subject: Subject) -> bool:
    """By the person, or about them."""
    people = ContentType.objects.get_for_model(User).pk
    return (
        entry.user_id == subject.pk
        or (entry.content_type_id == people and entry.object_id == str(subject.pk))
        or subject.mentioned_in(entry.object_repr, entry.change_message)
    )


KINDS: tuple[Kind, ...] = (
    rows("access tokens", lambda subject: AccessToken.objects.filter(user=subject.pk)),
    rows("connect codes", lambda subject: LoginCode.objects.filter(user=subject.pk)),
    rows("provider's tokens", lambda subject: SocialToken.objects.filter(account__user=subject.pk)),
    rows("provider's links", lambda subject: SocialAccount.objects.filter(user=subject.pk)),
    rows("provider's addresses", lambda subject: EmailAddress.objects.filter(user=subject.pk)),
    rows("counts of failed sign-ins", _failed_sign_ins),
    chosen("browser sessions", Session.objects.all, _is_session_of),
    chosen("admin log entries", lambda: LogEntry.objects.order_by("pk"), _is_entry_about),
)
