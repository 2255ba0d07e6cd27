"""A registered git repository with a marketplace.json, and how its last sync went."""

from typing import Self

from django.db import models

from marketplace.models.lengths import HASH_LENGTH, NAME_LENGTH, SLUG_LENGTH, URL_LENGTH


class MarketplaceState(models.TextChoices):
    NEW = "new", "not synced yet"
    SYNCED = "synced", "synced"
    FAILED = "failed", "last sync failed"
    REMOVED = "removed", "removed"


class MarketplaceQuerySet(models.QuerySet["Marketplace"]):
    def registered(self) -> Self:
        """Without those that were removed: they stay for what was used of them, and hold their short name."""
        return self.exclude(state=MarketplaceState.REMOVED)


class Marketplace(models.Model):
    """What stands here beside url, ref and token_env was read from `commit`, the last one that could be."""

    slug = models.SlugField(
        "short name",
        max_length=SLUG_LENGTH,
        unique=True,
        help_text="Begins the address of each of its plugins and never changes.",
    )
    url = models.CharField(
        "URL", max_length=URL_LENGTH, help_text="A git repository: https, ssh or file, without credentials."
    )
    ref = models.CharField(
        max_length=NAME_LENGTH,
        blank=True,
        default="",
        help_text="Branch, tag or commit. Empty: the default branch.",
    )
    token_env = models.CharField(
        "token's variable",
        max_length=NAME_LENGTH,
        blank=True,
        default="",
        help_text="For a private repository: the name of the environment variable that holds a token, "
        "AGNES_GIT_TOKEN_… (never the token itself).",
    )
    state = models.CharField(max_length=8, choices=MarketplaceState, default=MarketplaceState.NEW)
    error = models.TextField(blank=True, default="")
    attempted_at = models.DateTimeField("last attempt", null=True, blank=True)
    synced_at = models.DateTimeField("last synced", null=True, blank=True)
    commit = models.CharField(max_length=HASH_LENGTH, blank=True, default="")
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    former_names = models.JSONField(default=list, blank=True)
    description = models.TextField(blank=True, default="")
    owner = models.JSONField(default=dict, blank=True)
    findings = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField("added", auto_now_add=True)

    objects = MarketplaceQuerySet.as_manager()

    class Meta:
        db_table = "marketplaces"
        ordering = ["slug"]
        default_permissions = ("view",)
        permissions = [("manage_marketplaces", "Can add, change and sync marketplaces")]

    def __str__(self) -> str:
        return self.slug


class MarketplaceSyncLease(models.Model):
    """The one worker that may sync a marketplace, until it expires (telemetry.leases)."""

    marketplace = models.OneToOneField(Marketplace, models.CASCADE, related_name="+")
    holder = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "marketplace_sync_leases"
        default_permissions = ()

    def __str__(self) -> str:
        return self.holder
