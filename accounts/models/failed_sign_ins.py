from django.db import models


class FailedSignIns(models.Model):
    """How often signing in failed of late; see accounts.sign_in_limits.

    The key is an account's or a client address' hash, or the target of an audit row.
    """

    key = models.CharField(max_length=100, unique=True)
    failures = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()

    class Meta:
        db_table = "accounts_failed_sign_ins"
        default_permissions = ()
        # What is over is looked for, and removed.
        indexes = [models.Index(fields=["until"], name="accounts_failed_sign_ins_until")]

    def __str__(self) -> str:
        return self.key
