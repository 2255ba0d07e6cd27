"""What was published, and who publishes."""

import uuid

from django.db import models

# The primary key of the one row that some tables have.
ROW = 1


class PublishingState(models.Model):
    """One row. What was committed before `as_of` is published; the windows end with `windows_day`.

    `error` says why the last attempt to publish failed, '' if it did not.
    """

    as_of = models.DateTimeField(null=True, blank=True)
    windows_day = models.DateField(null=True, blank=True)
    error = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "publishing_state"
        default_permissions = ()

    def __str__(self) -> str:
        return f"as of {self.as_of}"


class LakeSnapshot(models.Model):
    """One row. `versions` (table name -> version) belong together: readers of the lake open these.

    `is_complete` is False while a new lake is being filled; `schema` as in telemetry/lake/tables.py, 0 while
    there is no lake. The tables name `lake_id`, so that the lake of another database is recognised.
    `rebuilding_since` is set while the days that `lake_rebuild` has marked are published. `purged_at`: what
    was deleted for privacy is in no file of the lake since then, and no older copy of one may be kept.
    """

    lake_id = models.UUIDField(default=uuid.uuid4)

    versions = models.JSONField(default=dict)
    schema = models.PositiveIntegerField()
    is_complete = models.BooleanField(default=False)
    vacuumed_at = models.DateTimeField(null=True, blank=True)
    rebuilding_since = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "lake_snapshot"
        default_permissions = ()

    def __str__(self) -> str:
        return f"schema {self.schema}"


class PublishingLease(models.Model):
    """A row for each thing that one worker at a time may do, such as publishing: until it expires."""

    what = models.CharField(max_length=16, unique=True)
    holder = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "publishing_lease"
        default_permissions = ()

    def __str__(self) -> str:
        return self.holder
