"""Which identifier in a transcript belongs to which item of a marketplace. Written by the marketplaces."""

from django.db import models

from telemetry.models.lengths import NAME_LENGTH
from telemetry.models.usage import Source


class Attribution(models.Model):
    """`identifier` (canonical or alias) belongs to the component `canonical_name` of item (source, ref_id).

    `valid_to` is set when the component vanished; late events still find it.
    """

    identifier = models.CharField(max_length=NAME_LENGTH)
    source = models.CharField(max_length=8, choices=Source)
    ref_id = models.CharField(max_length=NAME_LENGTH)
    component_kind = models.CharField(max_length=32)
    canonical_name = models.CharField(max_length=NAME_LENGTH)
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["source", "ref_id", "identifier"], name="%(class)s_key")
        ]
        indexes = [models.Index(fields=["identifier"], name="%(class)s_ident")]

    def __str__(self) -> str:
        return f"{self.identifier} -> {self.ref_id}"


class SkillAttribution(Attribution):
    class Meta(Attribution.Meta):
        db_table = "usage_attribution_skills"


class AgentAttribution(Attribution):
    class Meta(Attribution.Meta):
        db_table = "usage_attribution_agents"


class CommandAttribution(Attribution):
    class Meta(Attribution.Meta):
        db_table = "usage_attribution_commands"


class McpServerAttribution(Attribution):
    """`identifier` is the prefix of the server's tool names: `mcp__plugin_<namespace>_<server>__`."""

    class Meta(Attribution.Meta):
        db_table = "usage_attribution_mcp_servers"
        verbose_name = "MCP server attribution"
