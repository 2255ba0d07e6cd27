from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from telemetry.admin.base import MARKETPLACE
from telemetry.models import AgentAttribution, CommandAttribution, McpServerAttribution, SkillAttribution


@admin.register(SkillAttribution, AgentAttribution, CommandAttribution, McpServerAttribution)
class AttributionAdmin(ReadOnlyAdmin):
    list_display = ["identifier", "source", "ref_id", "component_kind", "canonical_name", "valid_to"]
    list_filter = ["source"]
    search_fields = ["identifier", "ref_id"]
    search_help_text = "Part of an identifier or an item."
    ordering = ["identifier"]
    next_step = MARKETPLACE
