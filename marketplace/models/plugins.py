"""The catalogue: plugins, what they bring, and which versions were seen."""

from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import User
from marketplace.models.lengths import HASH_LENGTH, NAME_LENGTH, REF_ID_LENGTH, URL_LENGTH
from marketplace.models.marketplaces import Marketplace
from telemetry.models import Source


class PluginQuerySet(models.QuerySet["Plugin"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The only door to plugins for pages and the API: everybody who can sign in sees all.

        Except what was withdrawn from the flea market or taken down: that is its owner's alone.
        """
        if not user.is_active:
            return self.none()
        return self.filter(Q(source=Source.CURATED) | Q(valid_to=None) | Q(entity__owner=user))

    def current(self) -> Self:
        return self.filter(valid_to=None)


class Plugin(models.Model):
    """One entry of a curated marketplace, or one item of the flea market, which has no marketplace.

    `valid_to` is NULL while it stands in the catalogue. What has left it stays: late events still belong to
    it, or to `renamed_to`. `components_known` is False where the plugin is hosted elsewhere. `digest` changes
    with everything that was read of it and with its files; `updated_at` is when it last did.
    `former_namespaces` maps each namespace that it had to when it lost it (ISO 8601).
    """

    source = models.CharField(
        max_length=8,
        choices=[(it.value, it.label) for it in (Source.CURATED, Source.FLEA)],
        default=Source.CURATED,
    )
    marketplace = models.ForeignKey(
        Marketplace, models.CASCADE, null=True, blank=True, related_name="plugins"
    )
    name = models.CharField(max_length=NAME_LENGTH)
    ref_id = models.CharField(max_length=REF_ID_LENGTH, unique=True)
    namespace = models.CharField(max_length=NAME_LENGTH)
    namespace_assumed = models.BooleanField(default=False)
    former_namespaces = models.JSONField(default=dict, blank=True)
    display_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    description = models.TextField(blank=True, default="")
    version = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    author = models.JSONField(default=dict, blank=True)
    homepage = models.CharField(max_length=URL_LENGTH, blank=True, default="")
    repository = models.CharField(max_length=URL_LENGTH, blank=True, default="")
    license = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    category = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    keywords = models.JSONField(default=list, blank=True)
    source_kind = models.CharField(max_length=16)
    source_url = models.CharField(max_length=URL_LENGTH, blank=True, default="")
    source_ref = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    source_sha = models.CharField(max_length=HASH_LENGTH, blank=True, default="")
    source_path = models.CharField(max_length=URL_LENGTH, blank=True, default="")
    source_command = models.TextField(blank=True, default="")
    entry = models.JSONField(default=dict, blank=True)
    readme = models.TextField(blank=True, default="")
    readme_is_cut = models.BooleanField(default=False)
    components_known = models.BooleanField(default=True)
    executables = models.JSONField(default=list, blank=True)
    does_not_load = models.TextField(null=True, blank=True)
    notes = models.JSONField(default=list, blank=True)
    digest = models.CharField(max_length=HASH_LENGTH)
    first_seen_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    renamed_to = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="renamed_from"
    )

    objects = PluginQuerySet.as_manager()

    class Meta:
        db_table = "marketplace_plugins"
        ordering = ["ref_id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["marketplace", "name"], name="marketplace_plugins_key"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(source=Source.FLEA), name="marketplace_plugins_flea_key"
            ),
            models.CheckConstraint(
                name="marketplace_plugins_source",
                condition=Q(source=Source.CURATED, marketplace__isnull=False)
                | Q(source=Source.FLEA, marketplace__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.ref_id

    @property
    def label(self) -> str:
        """What tells it from all others, for people: a name of the flea market is unique on the server."""
        return self.name if self.source == Source.FLEA else self.ref_id


class Component(models.Model):
    """One thing that a plugin brings: a skill, a hook, an MCP server, …

    `canonical_id` is how transcripts of today name it, NULL for what they do not name. `identifiers` is a
    list of [table, form, identifier] (marketplace/catalogue/exploding.py). `details` is JSON: for a hook or
    a server also the command that runs on one's machine.
    """

    plugin = models.ForeignKey(Plugin, models.CASCADE, related_name="components")
    kind = models.CharField(max_length=32)
    name = models.CharField(max_length=NAME_LENGTH)
    canonical_id = models.CharField(max_length=NAME_LENGTH, null=True, blank=True)
    identifiers = models.JSONField(default=list, blank=True)
    path = models.CharField(max_length=1024, blank=True, default="")
    description = models.TextField(blank=True, default="")
    details = models.JSONField(default=dict, blank=True)
    position = models.PositiveIntegerField(default=0)
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "marketplace_components"
        ordering = ["plugin", "kind", "position", "id"]
        default_permissions = ("view",)
        constraints = [
            # Those without an id are told apart by their position only: no constraint holds them.
            models.UniqueConstraint(
                fields=["plugin", "kind", "canonical_id"], name="marketplace_components_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.canonical_id or self.name}"


class PluginVersion(models.Model):
    """A version of a plugin, and the commit in which it was first seen."""

    plugin = models.ForeignKey(Plugin, models.CASCADE, related_name="versions")
    version = models.CharField(max_length=NAME_LENGTH)
    commit = models.CharField(max_length=HASH_LENGTH)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "marketplace_plugin_versions"
        ordering = ["plugin", "-seen_at", "-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["plugin", "version"], name="marketplace_plugin_versions_key")
        ]

    def __str__(self) -> str:
        return self.version
