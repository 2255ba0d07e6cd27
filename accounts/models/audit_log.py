from typing import Any, ClassVar, NoReturn

from django.db import models

from accounts.errors import AppendOnly


class ClientKind(models.TextChoices):
    WEB = "web", "browser"
    API = "api", "API"
    CLI = "cli", "client"
    COMMAND = "command", "command"
    TASK = "task", "task"


class AuditLogQuerySet(models.QuerySet["AuditLog"]):
    """Refuses here, with a sentence, what the triggers of accounts.audit_triggers refuse in SQL."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class AuditLog(models.Model):
    """Who did what to whom. Written by accounts.audit.record only; holds ids, never e-mails or content."""

    TARGET_LENGTH: ClassVar[int] = 255
    RESULT_LENGTH: ClassVar[int] = 64

    at = models.DateTimeField(auto_now_add=True)
    # No foreign key: the row outlives whatever happens to the person.
    actor = models.BigIntegerField(null=True)
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=TARGET_LENGTH, blank=True)
    params = models.JSONField(default=dict, blank=True)
    result = models.CharField(max_length=RESULT_LENGTH, default="ok")
    client_kind = models.CharField(max_length=16, choices=ClientKind.choices)
    request_id = models.CharField(max_length=64, blank=True)

    objects: ClassVar[models.Manager["AuditLog"]] = AuditLogQuerySet.as_manager()

    class Meta:
        db_table = "audit_log"
        verbose_name = "audit row"
        verbose_name_plural = "audit log"
        default_permissions = ("view",)
        indexes = [
            # The list is read newest first: all of it, one person's, or one action's.
            models.Index(fields=["at"], name="audit_log_at"),
            models.Index(fields=["actor", "at"], name="audit_log_actor_at"),
            models.Index(fields=["action", "at"], name="audit_log_action_at"),
            # What was done to one thing, and through one door: filters of the activity page.
            models.Index(fields=["target", "at"], name="audit_log_target_at"),
            models.Index(fields=["client_kind", "at"], name="audit_log_client_at"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".rstrip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly
