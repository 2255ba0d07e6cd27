"""Add a marketplace, or change where it is fetched from. What is refused is refused here, for every door."""

import re
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import audit
from accounts.models import User
from marketplace.errors import MarketplaceUnknown, SlugRefused
from marketplace.git.addresses import read_address, read_ref
from marketplace.git.tokens import check_name
from marketplace.models import Marketplace
from marketplace.models.lengths import SLUG_LENGTH

_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Location:
    """Where a marketplace is fetched from; checked by `read_location`."""

    url: str
    ref: str
    token_env: str


def read_location(url: str, ref: str = "", token_env: str = "") -> Location:
    """Raises AddressRefused, RefRefused, TokenRefused."""
    address = read_address(url)
    return Location(address.text, read_ref(ref), check_name(token_env, address))


def add_marketplace(location: Location, *, slug: str = "", by: User | None = None) -> Marketplace:
    """Register it; the first sync is the caller's. Raises SlugRefused."""
    slug = check_slug(slug or slug_of(location.url))
    try:
        with transaction.atomic():
            marketplace = Marketplace.objects.create(slug=slug, **asdict(location))
            _record("marketplace.add", marketplace, by)
    except IntegrityError:
        raise _refused(f"There is a marketplace {slug} already.", "Give another short name.") from None
    return marketplace


@transaction.atomic
def change_location(marketplace: Marketplace, location: Location, *, by: User | None = None) -> None:
    """The catalogue stays as it is until the next sync."""
    Marketplace.objects.filter(pk=marketplace.pk).update(**asdict(location))
    marketplace.refresh_from_db()
    _record("marketplace.change", marketplace, by)


def find_marketplace(slug: str) -> Marketplace:
    """Raises MarketplaceUnknown."""
    marketplace = Marketplace.objects.filter(slug=slug).first()
    if marketplace is None:
        raise MarketplaceUnknown(slug)
    return marketplace


def check_slug(slug: str) -> str:
    if len(slug) > SLUG_LENGTH or not _SLUG.fullmatch(slug):
        raise _refused(
            f"{slug!r:.100} cannot be a short name.",
            "Use small letters, digits and single hyphens, such as team-plugins.",
        )
    return slug


def slug_of(url: str) -> str:
    """What the repository is called: `plugins` for https://git.example.com/team/plugins.git."""
    last = urlsplit(url).path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return re.sub(r"[-_]{2,}", "-", slugify(last)).strip("-_")[:SLUG_LENGTH].strip("-_")


def _refused(message: str, hint: str) -> SlugRefused:
    return SlugRefused(message, hint, {"slug": message})


def _record(action: str, marketplace: Marketplace, by: User | None) -> None:
    params = {"url": marketplace.url, "ref": marketplace.ref, "token_env": marketplace.token_env}
    audit.record(action, target=f"marketplace:{marketplace.slug}", actor=by, params=params)
