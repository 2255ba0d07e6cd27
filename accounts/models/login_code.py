from django.conf import settings
from django.db import models


class LoginCode(models.Model):
    """What a browser hands to the client `agnes`, which gives it back for a token (accounts/connecting.py).

    Only a hash of the code is kept. `challenge` is what the client that asked can answer, and no other.
    """

    code_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    challenge = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_login_code"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"
