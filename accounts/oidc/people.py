"""Who comes in: decided by what the provider has signed, and by the settings."""

from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.errors import SignInRefused
from accounts.models import User

Claims = Mapping[str, Any]
GOOGLE = "https://accounts.google.com"
ANY_DOMAIN = "*"
# In a link: the provider's groups gave this person an admin's rights, and may take them again.
IS_ADMIN = "is_admin"


def person_of(account: SocialAccount, claims: Claims) -> User:
    """The person, made at their first visit, with the rights that their groups give. Raises SignInRefused.

    A provider's id of a person stays, an e-mail address may change hands: so the id counts, and the address
    only while no id is known.
    """
    email = _allowed_email(claims)
    with transaction.atomic():
        link = _link(account) or _new_link(account, email, str(claims.get("name") or ""))
        person: User = link.user
        if not person.is_active:
            raise SignInRefused(
                "Your account on this server is inactive.", "Ask an admin.", target=f"user:{person.pk}"
            )
        _map_rights(link, groups_of(claims))
    return person


def groups_of(claims: Claims) -> set[str]:
    told = claims.get(settings.OIDC_GROUPS_CLAIM, [])
    return {told} if isinstance(told, str) else {each for each in told or [] if isinstance(each, str)}


def _allowed_email(claims: Claims) -> str:
    email = str(claims.get("email") or "").strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise SignInRefused(
            f"{settings.OIDC_NAME} did not tell your e-mail address.",
            "Ask an admin: OIDC_SCOPES must have `email`.",
        ) from None
    # Some say it as a text.
    verified = str(claims.get("email_verified", "missing")).lower()
    if verified != "true" and (settings.OIDC_REQUIRE_VERIFIED_EMAIL or verified == "false"):
        raise SignInRefused(
            f"{settings.OIDC_NAME} has not verified your e-mail address.",
            "Verify it there, then sign in again.",
        )
    _require_allowed_domain(email, claims)
    return email


def _require_allowed_domain(email: str, claims: Claims) -> None:
    allowed = settings.OIDC_ALLOWED_DOMAINS
    if ANY_DOMAIN in allowed:
        return
    domains = {email.rpartition("@")[2]}
    if settings.OIDC_ISSUER == GOOGLE:
        # A private account there may have an address of the organisation, and keep it when its owner left.
        domains.add(str(claims.get("hd", "")).lower())
    if not domains <= set(allowed):
        raise SignInRefused(
            "People with your e-mail address may not sign in here.",
            f"Use an account of {' or '.join(allowed)}, or ask an admin.",
        )


def _link(account: SocialAccount) -> SocialAccount | None:
    links = SocialAccount.objects.filter(provider=account.provider, uid=account.uid)
    found: SocialAccount | None = links.select_related("user").first()
    return found


def _new_link(account: SocialAccount, email: str, name: str) -> SocialAccount:
    person = User.objects.filter(email=email).first()
    if person is None:
        person = _new_person(email, name)
    elif SocialAccount.objects.filter(provider=account.provider, user=person).exists():
        raise SignInRefused(
            f"Your e-mail address belongs to somebody whom {settings.OIDC_NAME} knows by another id.",
            "If it was given to you anew, ask an admin for an account of your own; if it is still you, for "
            "`manage.py oidc_unlink`.",
            target=f"user:{person.pk}",
        )
    link: SocialAccount = SocialAccount.objects.create(
        user=person, provider=account.provider, uid=account.uid, extra_data={}
    )
    audit.record("user.link", target=f"user:{person.pk}", actor=person)
    return link


def _new_person(email: str, name: str) -> User:
    try:
        with transaction.atomic():
            person: User = User.objects.create_user(email, name=name[: _name_length()])
            audit.record("user.create", target=f"user:{person.pk}", actor=person)
            return person
    except IntegrityError:  # Their other tab was quicker.
        person = User.objects.get(email=email)
        return person


def _name_length() -> int:
    return int(User._meta.get_field("name").max_length or 0)


def _map_rights(link: SocialAccount, groups: set[str]) -> None:
    """Takes only what it gave: admins who were made here stay so."""
    person = link.user
    given = bool(link.extra_data.get(IS_ADMIN))
    wanted = not groups.isdisjoint(settings.OIDC_ADMIN_GROUPS)
    if wanted == given or (wanted and person.is_superuser):
        return
    person.is_staff = person.is_superuser = wanted
    person.save(update_fields=["is_staff", "is_superuser"])
    link.extra_data = {IS_ADMIN: wanted}
    link.save(update_fields=["extra_data"])
    params = {"fields": ["is_staff", "is_superuser"], "is_staff": wanted, "is_superuser": wanted}
    audit.record("user.change", target=f"user:{person.pk}", actor=person, params=params)
