"""How much a person may upload: attempts in a day, and bytes that are kept."""

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.models import AuditLog, User
from marketplace.errors import SpaceExhausted, UploadsExhausted
from marketplace.models import StoreVersion

DAY = timedelta(days=1)
# Every attempt leaves this row, also one of which nothing else is kept.
UPLOAD = "store.upload"


def check_rate(person: User) -> None:
    """Raises UploadsExhausted."""
    limit, now = settings.STORE_UPLOADS_PER_DAY, timezone.now()
    uploads = AuditLog.objects.filter(actor=person.pk, at__gt=now - DAY, action=UPLOAD).order_by("-at")
    counted = list(uploads.values_list("at", flat=True)[:limit])
    if len(counted) >= limit:
        free_at = (counted[-1] if counted else now) + DAY
        raise UploadsExhausted(limit, int((free_at - now).total_seconds()) + 1)


def check_space(owner: User, more: int) -> None:
    """Whether `more` bytes go beside the versions of all items of a person. Raises SpaceExhausted."""
    kept = kept_bytes(StoreVersion.objects.filter(entity__owner=owner))
    if kept + more > settings.STORE_MAX_BYTES_PER_PERSON:
        raise SpaceExhausted(settings.STORE_MAX_BYTES_PER_PERSON)


def kept_bytes(versions: QuerySet[StoreVersion]) -> int:
    return versions.order_by().aggregate(bytes=Sum("size"))["bytes"] or 0
