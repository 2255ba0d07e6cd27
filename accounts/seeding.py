"""The first admin of a new server."""

import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.errors import WeakPassword, told
from accounts.models import User

DEFAULT_EMAIL = "admin@example.com"


def ensure_first_admin() -> tuple[User, str | None]:
    """The oldest active superuser, made from SEED_ADMIN_EMAIL and SEED_ADMIN_PASSWORD if there is none.

    The password is returned only when it was generated here: show it once. A person who already has that
    e-mail address becomes superuser and keeps their password, unless one is configured. Raises WeakPassword.
    """
    with transaction.atomic():
        admin = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        return (admin, None) if admin else _make_admin()


def _make_admin() -> tuple[User, str | None]:
    email = settings.SEED_ADMIN_EMAIL or DEFAULT_EMAIL
    person = User.objects.filter(email=email).first() or User.objects.create_user(email, name="Admin")
    generated = None
    if settings.SEED_ADMIN_PASSWORD:
        _require_strong(settings.SEED_ADMIN_PASSWORD, person)
        person.set_password(settings.SEED_ADMIN_PASSWORD)
    elif not person.has_usable_password():
        generated = secrets.token_urlsafe(12)
        person.set_password(generated)
    person.is_active = person.is_staff = person.is_superuser = True
    person.save()
    audit.record("user.seed_admin", target=f"user:{person.pk}")
    return person, generated


def _require_strong(password: str, person: User) -> None:
    """The one guessed first is an admin's."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise WeakPassword(told(error)) from None
