from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin_base import NextStep, chip, moment
from accounts.errors import AgnesError
from accounts.models import User
from marketplace.admin.forms import MarketplaceForm, NewMarketplaceForm
from marketplace.catalogue.registering import add_marketplace, change_location
from marketplace.catalogue.removing import remove_marketplace
from marketplace.models import Marketplace, MarketplaceState
from marketplace.tasks import request_sync
from telemetry.admin.formats import cut

MANAGE = "marketplace.manage_marketplaces"
STATE_CHIPS = {
    MarketplaceState.NEW: "",
    MarketplaceState.SYNCED: "good",
    MarketplaceState.FAILED: "bad",
    MarketplaceState.REMOVED: "look",
}
SHOWN_FINDINGS = 200
REMOVE_TEMPLATE = "admin/marketplace/marketplace/remove.html"


@admin.register(Marketplace)
class MarketplaceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Added, changed, synced and removed here; never deleted, because events belong to its plugins."""

    next_step = NextStep(
        "Add a git repository with a marketplace.json, here or by command.",
        command="manage.py marketplace_add URL",
    )
    form = MarketplaceForm
    list_display = ["slug", "name", "state_chip", "plugin_count", "short_commit", "synced", "why"]
    list_filter = ["state"]
    search_fields = ["slug", "name", "url"]
    readonly_fields = [
        "slug", "name", "description", "state_chip", "error", "plugin_count", "commit", "attempted",
        "synced", "added", "finding_list",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": ["slug", "url", "ref", "token_env"]}),
        ("Last sync", {"fields": ["state_chip", "error", "attempted", "synced", "commit"]}),
        ("What was found", {"fields": ["name", "description", "plugin_count", "finding_list"]}),
        ("Dates", {"fields": ["added"]}),
    ]
    add_fieldsets = [(None, {"fields": ["url", "slug", "ref", "token_env"]})]
    actions = ["sync_now", "remove"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        current = Count("plugins", filter=Q(plugins__valid_to=None))
        marketplaces: QuerySet[Any] = super().get_queryset(request).annotate(current_plugins=current)
        return marketplaces

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(
            request, obj, change, **(kwargs if change else {**kwargs, "form": NewMarketplaceForm})
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else []

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) or request.user.has_perm(MANAGE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        removed = isinstance(obj, Marketplace) and obj.state == MarketplaceState.REMOVED
        return request.user.has_perm(MANAGE) and not removed

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        if change:
            change_location(obj, form.location, by=request.user)
        else:
            added = add_marketplace(form.location, slug=form.cleaned_data["slug"], by=request.user)
            obj.pk = added.pk
            obj.refresh_from_db()
        request_sync(obj, by=request.user)
        self.message_user(request, "The task worker syncs it now: reload this page in a moment.")

    @admin.action(description="Sync now", permissions=["sync"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Marketplace]) -> None:
        assert isinstance(request.user, User)
        chosen = list(queryset)
        with transaction.atomic():
            for marketplace in chosen:
                request_sync(marketplace, by=request.user)
        names = ", ".join(marketplace.slug for marketplace in chosen)
        self.message_user(
            request, f"The task worker syncs {names}: reload this page in a moment.", messages.SUCCESS
        )

    @admin.action(description="Remove from the catalogue", permissions=["sync"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Marketplace]) -> TemplateResponse | None:
        """Asks first: the same action again, with `confirmed`."""
        assert isinstance(request.user, User)
        if "confirmed" not in request.POST:
            context = {**self.admin_site.each_context(request), "title": "Remove from the catalogue?"}
            return TemplateResponse(request, REMOVE_TEMPLATE, {**context, "marketplaces": queryset})
        for marketplace in queryset:
            try:
                plugins = remove_marketplace(marketplace, by=request.user)
            except AgnesError as error:
                self.message_user(request, error.text, messages.ERROR)
            else:
                said = f"Removed {marketplace.slug}: {plugins} plugins left the catalogue."
                self.message_user(request, said, messages.SUCCESS)
        return None

    @admin.display(description="state", ordering="state")
    def state_chip(self, marketplace: Marketplace) -> SafeString:
        return chip(marketplace.get_state_display(), STATE_CHIPS[MarketplaceState(marketplace.state)])

    @admin.display(description="plugins")
    def plugin_count(self, marketplace: Any) -> int:
        return int(marketplace.current_plugins)

    @admin.display(description="commit")
    def short_commit(self, marketplace: Marketplace) -> SafeString:
        return format_html('<code title="{}">{}</code>', marketplace.commit, marketplace.commit[:12])

    @admin.display(description="synced", ordering="synced_at", empty_value="never")
    def synced(self, marketplace: Marketplace) -> SafeString | str | None:
        return moment(marketplace.synced_at) or None

    @admin.display(description="last attempt", empty_value="none")
    def attempted(self, marketplace: Marketplace) -> SafeString | str | None:
        return moment(marketplace.attempted_at) or None

    @admin.display(description="added")
    def added(self, marketplace: Marketplace) -> SafeString | str:
        return moment(marketplace.created_at)

    @admin.display(description="why it failed")
    def why(self, marketplace: Marketplace) -> SafeString | str:
        return cut(marketplace.error)

    @admin.display(description="findings", empty_value="none")
    def finding_list(self, marketplace: Marketplace) -> SafeString | None:
        """The first ones; where there are more it says so."""
        found = list(islice(_findings(marketplace), SHOWN_FINDINGS + 1))
        if not found:
            return None
        items = format_html_join("", "<li>{}: {}{}</li>", found[:SHOWN_FINDINGS])
        more = f"Only the first {SHOWN_FINDINGS} are shown." if len(found) > SHOWN_FINDINGS else ""
        return format_html("<ul>{}</ul>{}", items, more)


def _findings(marketplace: Marketplace) -> Iterator[tuple[str, str, str]]:
    """What the parser found about the marketplace as a whole, and about each plugin."""
    for finding in marketplace.findings:
        yield finding["level"], "", finding["message"]
    current = marketplace.plugins.filter(valid_to=None).values_list("name", "notes")
    for name, notes in current.iterator(chunk_size=SHOWN_FINDINGS):
        for note in notes:
            yield note["level"], f"{name}: ", note["message"]
