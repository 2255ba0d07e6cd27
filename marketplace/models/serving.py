"""What plugins are called where Agnes serves them."""

from django.db import models

from marketplace.models.lengths import NAME_LENGTH
from marketplace.models.plugins import Plugin


class ServedName(models.Model):
    """A plugin's name in the marketplace that Agnes serves: unique on the server, and its own for good, so
    that nobody's installed plugin ever becomes another one."""

    plugin = models.OneToOneField(Plugin, models.CASCADE, related_name="served_name")
    name = models.CharField(max_length=NAME_LENGTH, unique=True)

    class Meta:
        db_table = "marketplace_served_names"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
