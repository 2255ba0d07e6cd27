"""The flea market: what people uploaded, its versions, who decided what, and who has it in their stack."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Max, Q

from accounts.models import User
from marketplace.models.lengths import HASH_LENGTH, NAME_LENGTH, SLUG_LENGTH
from marketplace.models.plugins import Plugin


class EntityKind(models.TextChoices):
    """What was uploaded; each is served as one plugin."""

    SKILL = "skill", "skill"
    AGENT = "agent", "agent"
    COMMAND = "command", "command"
    PLUGIN = "plugin", "plugin"


class EntityState(models.TextChoices):
    PENDING = "pending", "waits for its owner"  # its first version was refused: a better one may come
    PUBLISHED = "published", "published"
    HELD = "held", "held"  # its first version waits for an admin
    ARCHIVED = "archived", "archived"  # withdrawn, deleted while others used it, or taken down


class VersionState(models.TextChoices):
    HELD = "held", "held"
    PUBLISHED = "published", "published"
    REFUSED = "refused", "refused"
    SUPERSEDED = "superseded", "superseded"
    WITHDRAWN = "withdrawn", "withdrawn"  # was published before its item was archived


class Verdict(models.TextChoices):
    ACCEPTED = "accepted", "accepted"
    HELD = "held", "held"
    RELEASED = "released", "released"
    REFUSED = "refused", "refused"
    TAKEN_DOWN = "taken_down", "taken down"


class StoreEntityQuerySet(models.QuerySet["StoreEntity"]):
    def visible_to(self, user: User, *, moderating: bool) -> Self:
        """The only door to the flea market for the API, pages and files.

        Everybody who can sign in sees what is published; owners see all of theirs, and who moderates
        everything.
        """
        if not user.is_active:
            return self.none()
        return self.all() if moderating else self.filter(Q(state=EntityState.PUBLISHED) | Q(owner=user))

    def detailed(self) -> Self:
        """With `installs`, and `held_number`: which version waits for an admin, NULL for none."""
        return self.select_related("owner", "served__uploaded_by", "plugin").annotate(
            installs=Count("plugin__in_stacks", distinct=True),
            held_number=Max("versions__number", filter=Q(versions__state=VersionState.HELD)),
        )


class StoreEntity(models.Model):
    """One item of the flea market. `slug` is its name in Claude Code, its namespace and its entry's name.

    `plugin` is its row of the catalogue, from its first publication on: with `valid_to` while it is not
    published. `served` is the version that is published. `description` overrides that of its files.
    Once `taken_down_at` is set, only an admin can publish it again.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="store_entities")
    slug = models.SlugField("name", max_length=SLUG_LENGTH, unique=True)
    kind = models.CharField(max_length=8, choices=EntityKind)
    state = models.CharField(max_length=9, choices=EntityState)
    description = models.TextField(blank=True, default="")
    served = models.OneToOneField(
        "StoreVersion",
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="served version",
    )
    plugin = models.OneToOneField(
        Plugin, models.SET_NULL, null=True, blank=True, related_name="entity", editable=False
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    taken_down_at = models.DateTimeField("taken down", null=True, blank=True)

    objects = StoreEntityQuerySet.as_manager()

    class Meta:
        db_table = "store_entities"
        verbose_name = "item of the flea market"
        verbose_name_plural = "flea market"
        ordering = ["slug"]
        default_permissions = ("view",)
        permissions = [("moderate_store", "Can release, refuse and take down items of the flea market")]
        constraints = [
            models.CheckConstraint(
                name="store_entities_served",
                condition=Q(state=EntityState.PUBLISHED, served__isnull=False, plugin__isnull=False)
                | (~Q(state=EntityState.PUBLISHED) & Q(served__isnull=True)),
            )
        ]

    def __str__(self) -> str:
        return self.slug


class StoreVersionQuerySet(models.QuerySet["StoreVersion"]):
    def visible_to(self, user: User, *, moderating: bool) -> Self:
        """Of the items that this person sees what was published; owners and moderators see all.

        What was published before its item was withdrawn or taken down is not, whatever follows it.
        """
        entities = StoreEntity.objects.visible_to(user, moderating=moderating)
        versions = self.filter(entity__in=entities)
        if moderating:
            return versions
        hidden = (VersionState.REFUSED, VersionState.WITHDRAWN)
        shown = Q(published_at__isnull=False) & ~Q(state__in=hidden)
        return versions.filter(shown | Q(entity__owner=user))

    def held(self) -> Self:
        return self.filter(state=VersionState.HELD)


class StoreVersion(models.Model):
    """One upload that was kept.

    `pack` is the key of its normalised tree in the default storage, a zip of `size` bytes; `digest` that of
    the tree. `findings` is a list of {code, severity, path, line, text, cure}. `version` is what its
    plugin.json says, '' for none; `number` counts from 1.
    """

    entity = models.ForeignKey(StoreEntity, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    version = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    digest = models.CharField(max_length=HASH_LENGTH)
    pack = models.CharField(max_length=NAME_LENGTH)
    size = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=VersionState)
    findings = models.JSONField(default=list, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField("uploaded")
    published_at = models.DateTimeField("published", null=True, blank=True)

    objects = StoreVersionQuerySet.as_manager()

    class Meta:
        db_table = "store_versions"
        verbose_name = "version on the flea market"
        verbose_name_plural = "versions on the flea market"
        ordering = ["entity", "-number"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["entity", "number"], name="store_versions_key"),
            models.UniqueConstraint(
                fields=["entity", "state"],
                condition=Q(state__in=(VersionState.HELD, VersionState.PUBLISHED)),
                name="store_versions_one_held_one_published",
            ),
        ]
        indexes = [
            # The admin's queue, oldest first.
            models.Index(
                fields=["uploaded_at"], name="store_versions_queue", condition=Q(state=VersionState.HELD)
            ),
            # How much somebody uploaded.
            models.Index(fields=["uploaded_by", "uploaded_at"], name="store_versions_uploader"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.label}"

    @property
    def label(self) -> str:
        """What people call it."""
        return self.version or str(self.number)


class StoreVerdict(models.Model):
    """What was decided about a version. `by` is NULL where the guardrails decided."""

    store_version = models.ForeignKey(StoreVersion, models.CASCADE, related_name="verdicts")
    verdict = models.CharField(max_length=10, choices=Verdict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "store_verdicts"
        ordering = ["at", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.get_verdict_display()


class StackItem(models.Model):
    """An item, of whatever source, that a person has in their stack. Their number is an item's installs."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="stack")
    plugin = models.ForeignKey(Plugin, models.CASCADE, related_name="in_stacks")
    added_at = models.DateTimeField("added", auto_now_add=True)

    class Meta:
        db_table = "store_stack_items"
        ordering = ["user", "-added_at", "-id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "plugin"], name="store_stack_items_key")]

    def __str__(self) -> str:
        return f"{self.plugin}"
