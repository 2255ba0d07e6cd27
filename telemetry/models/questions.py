"""Questions that were asked in plain language, and what became of them. May be deleted, unlike audit rows."""

from django.conf import settings
from django.db import models


class AskQuestion(models.Model):
    """`sent` is what the provider got, word for word; result rows are never kept.

    Only what reached a provider is kept; the audit log has the rest.
    """

    class Verdict(models.TextChoices):
        ANSWERED = "answered", "answered"
        REJECTED = "rejected", "rejected"
        FAILED = "failed", "failed"

    # NULL: asked at the server, by a command.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    question = models.TextField()
    verdict = models.CharField(max_length=16, choices=Verdict)
    # Which rule refused the statement, or the code of the error.
    reason = models.CharField(max_length=64, blank=True, default="")
    sql = models.TextField(blank=True, default="")
    # The statement that the engine refused before.
    first_sql = models.TextField(blank=True, default="")
    rationale = models.TextField(blank=True, default="")
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=255)
    sent = models.TextField(blank=True, default="")
    row_count = models.IntegerField(null=True)
    duration_ms = models.IntegerField(null=True)

    class Meta:
        db_table = "ask_history"
        verbose_name = "question"
        default_permissions = ("view", "delete")
        indexes = [models.Index(fields=["user", "-asked_at"], name="ask_history_user")]

    def __str__(self) -> str:
        return self.question[:80]
