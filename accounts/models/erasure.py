from django.db import models


class Erasure(models.Model):
    """A person who was erased, or is being erased. Holds nothing of them: ids, hashes, counts.

    `account_hash` tells the account from every other one, of other installations too, so that a restore of
    an older backup erases it again; `email_hash` is keyed, and finds an erasure that was interrupted.
    `finished_at` is NULL while something is still to be removed; `removed` counts what is gone, by name.
    """

    # No foreign key, as in the audit log.
    person = models.BigIntegerField()
    account_hash = models.CharField(max_length=64, unique=True)
    email_hash = models.CharField(max_length=64)
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    removed = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "erasures"
        default_permissions = ()

    def __str__(self) -> str:
        return f"person {self.person}"
