"""The row of a person who is erased: locked out at the beginning, a pseudonym at the end."""

import hashlib
import hmac
from collections import Counter
from datetime import UTC

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.erasing.kinds import Counts
from accounts.erasing.subject import Subject
from accounts.errors import LastAdmin
from accounts.models import Erasure, User


def account_hash(person: User) -> str:
    """The same after a restore, and no other account's: ids repeat, moments of this precision do not."""
    made_at = person.date_joined.astimezone(UTC).isoformat()
    return hashlib.sha256(f"agnes account {person.pk} {made_at}".encode()).hexdigest()


def email_hash(email: str) -> str:
    """Whoever lacks the server's secret finds nobody by it."""
    text = f"agnes erasure {email.strip().lower()}"
    return hmac.new(settings.TOKEN_PEPPER.encode(), text.encode(), hashlib.sha256).hexdigest()


def require_other_admin(person: User) -> None:
    """Raises LastAdmin."""
    admins = User.objects.filter(is_superuser=True, is_active=True)
    if admins.filter(pk=person.pk).exists() and admins.count() == 1:
        raise LastAdmin


def begin(person: User) -> Erasure:
    """From its commit on the person cannot sign in, and nothing is taken from them."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=person.pk)
        now = timezone.now()
        erasure, _ = Erasure.objects.get_or_create(
            account_hash=account_hash(person),
            defaults={"person": person.pk, "email_hash": email_hash(person.email), "begun_at": now},
        )
        if erasure.finished_at:
            # A restore brought the person back.
            Erasure.objects.filter(pk=erasure.pk).update(finished_at=None, removed={})
            erasure.refresh_from_db()
        User.objects.filter(pk=person.pk).update(
            erased_at=person.erased_at or now,
            is_active=False,
            is_staff=False,
            is_superuser=False,
            password=make_password(None),
        )
    return erasure


def become_pseudonym(subject: Subject) -> Counts:
    """In the caller's transaction. Groups and permissions go, too."""
    person = User.objects.get(pk=subject.pk)
    rights = person.groups.count() + person.user_permissions.count()
    person.groups.clear()
    person.user_permissions.clear()
    User.objects.filter(pk=person.pk).update(
        email=subject.pseudonymous_email, name="", time_zone="UTC", last_login=None
    )
    return +Counter({"groups and permissions": rights})


def is_pseudonym(person: User) -> bool:
    return person.email == Subject(person.pk, "", "", frozenset()).pseudonymous_email
