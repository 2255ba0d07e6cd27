from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone


class Scope(models.TextChoices):
    """What a token may be used for. Scopes are exact: none of them contains another."""

    UPLOAD = "upload", "Upload transcripts, and to the flea market"
    READ = "read", "Read one's own data"
    MARKETPLACE = "marketplace", "Use the marketplace"
    ADMIN = "admin", "Administer, as far as the person's permissions reach"


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def usable(self) -> Self:
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(unexpired, revoked_at=None, user__is_active=True)


class AccessToken(models.Model):
    """A bearer token of a person; the secret itself is never stored (see accounts.tokens)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="tokens", verbose_name="person"
    )
    name = models.CharField(max_length=100, help_text="Where the token is used, e.g. “laptop”.")
    key_id = models.CharField(max_length=16, unique=True, editable=False)
    secret_hmac = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField("created", auto_now_add=True)
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField("last used", null=True, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)

    objects: ClassVar[models.Manager["AccessToken"]] = AccessTokenQuerySet.as_manager()

    class Meta:
        db_table = "accounts_access_token"
        verbose_name = "access token"
        ordering = ["-created_at"]
        default_permissions = ("add", "change", "view")

    def __str__(self) -> str:
        return f"agnes_{self.key_id}_…"

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= timezone.now():
            return "expired"
        return "usable"
