"""Identifiers that came to mean something else, until all transcripts that name them are pending again."""

from django.db import models

from marketplace.models.lengths import NAME_LENGTH


class Reattribution(models.Model):
    """One change of attribution. Transcripts with ids up to `done_to` were looked at."""

    created_at = models.DateTimeField(auto_now_add=True)
    done_to = models.BigIntegerField(default=0)

    class Meta:
        db_table = "marketplace_reattributions"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


class ReattributionIdentifier(models.Model):
    reattribution = models.ForeignKey(Reattribution, models.CASCADE, related_name="identifiers")
    identifier = models.CharField(max_length=NAME_LENGTH)

    class Meta:
        db_table = "marketplace_reattribution_identifiers"
        default_permissions = ()

    def __str__(self) -> str:
        return self.identifier
