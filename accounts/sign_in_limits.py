"""Guessing passwords is limited, per account and per client address.

The counts stand in the database, where all web processes share them, under a hash: an e-mail typed here may
be nobody's, or a password in the wrong field. An account counts whether it exists or not.

An attempt counts as failed from its beginning, so that many at once do not get past the limit.
"""

import ipaddress
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import FailedSignIns

PERIOD = timedelta(minutes=5)
ACCOUNT_LIMIT = 10
# A whole office may have one address.
ADDRESS_LIMIT = 30
AUDIT_PERIOD = timedelta(minutes=1)
REMOVED_AT_ONCE = 100


def begin(email: str, address: str) -> bool:
    """Whether a sign-in may be tried now. One that succeeds must be reported to `succeeded`."""
    return _count(_address_key(address), ADDRESS_LIMIT) and _count(_account_key(email), ACCOUNT_LIMIT)


def succeeded(email: str, address: str) -> None:
    """Forgets the account's failures; of the address' only this attempt, so that an account of one's own
    does not help in guessing another's."""
    FailedSignIns.objects.filter(key=_account_key(email)).delete()
    of_address = FailedSignIns.objects.filter(key=_address_key(address), failures__gt=0)
    of_address.update(failures=models.F("failures") - 1)


def client_address(request: HttpRequest) -> str:
    """The address that the outermost of our own proxies saw; what stands before it, anybody may write."""
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    hops: list[str] = [hop.strip() for hop in forwarded if hop.strip()] + [
        request.META.get("REMOTE_ADDR", "")
    ]
    return hops[-1 - min(settings.PROXIES, len(hops) - 1)]


def count_for_audit(target: str) -> int:
    """Counts a failure. Once a minute returns how many there were since the last time, else 0."""
    now = timezone.now()
    with transaction.atomic():
        tally, _ = _locked(_audit_key(target), until=now)
        tally.failures += 1
        due = tally.failures if tally.until <= now else 0
        if due:
            tally.failures, tally.until = 0, now + AUDIT_PERIOD
        tally.save()
    return due


def take_due_for_audit() -> Iterator[tuple[str, int]]:
    """What the bursts that ended since then have left uncounted: targets, and how many failures each.

    To be used in a transaction with the audit rows.
    """
    now = timezone.now()
    due = FailedSignIns.objects.filter(key__startswith=_audit_key(""), failures__gt=0, until__lte=now)
    for tally in due.select_for_update().order_by("pk"):
        failures, tally.failures = tally.failures, 0
        tally.until = now + AUDIT_PERIOD
        tally.save()
        yield tally.key.removeprefix(_audit_key("")), failures


def take_uncounted(target: str) -> int:
    """How many failures no audit row has counted yet: the caller's row does."""
    tallies = FailedSignIns.objects.filter(key=_audit_key(target), failures__gt=0)
    with transaction.atomic():
        tally = tallies.select_for_update().first()
        tallies.update(failures=0)
    return tally.failures if tally else 0


def _count(key: str, limit: int) -> bool:
    """Counts up to the limit, and is False beyond it until the period is over."""
    now = timezone.now()
    with transaction.atomic():
        tally, made = _locked(key, until=now + PERIOD)
        if tally.until <= now:
            tally.failures, tally.until = 0, now + PERIOD
        if tally.failures >= limit:
            return False
        tally.failures += 1
        if tally.failures == limit:
            tally.until = now + PERIOD
        tally.save()
    if made:
        _remove_old()
    return True


def _locked(key: str, **new: object) -> tuple[FailedSignIns, bool]:
    return FailedSignIns.objects.select_for_update().get_or_create(key=key, defaults=new)


def _remove_old() -> None:
    """Audit counts stay: there are no more of them than people."""
    over = FailedSignIns.objects.filter(until__lte=timezone.now()).exclude(key__startswith=_audit_key(""))
    with transaction.atomic():
        unlocked = over.select_for_update(skip_locked=True).values_list("pk", flat=True)
        FailedSignIns.objects.filter(pk__in=list(unlocked[:REMOVED_AT_ONCE])).delete()


def keys_of(user_id: int, email: str) -> list[str]:
    """The keys under which a person is counted."""
    return [_account_key(email), _audit_key(f"user:{user_id}")]


def _account_key(email: str) -> str:
    return f"account:{_hash(email.strip().lower())}"


def _address_key(address: str) -> str:
    return f"address:{_hash(_network(address))}"


def _audit_key(target: str) -> str:
    return f"audit:{target}"


def _network(address: str) -> str:
    """One client has a whole /64 of IPv6 to choose from."""
    try:
        bits = 64 if ipaddress.ip_address(address).version == 6 else 32
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def _hash(value: str) -> str:
    return salted_hmac("accounts.sign_in_limits", value, algorithm="sha256").hexdigest()
