"""The flea market: the queue of what waits for a decision, and the items."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin_base import NextStep, ReadOnlyAdmin, chip, moment
from accounts.errors import AgnesError
from accounts.models import User
from marketplace.models import EntityState, StoreEntity, StoreVersion, VersionState
from marketplace.store import deciding
from marketplace.store.differences import differences
from marketplace.store.seeing import files_of, moderates
from telemetry.admin.formats import words

VERSION_CHIPS = {VersionState.HELD: "look", VersionState.PUBLISHED: "good", VersionState.REFUSED: "bad"}
ENTITY_CHIPS = {EntityState.HELD: "look", EntityState.PUBLISHED: "good", EntityState.PENDING: ""}
SEVERITY_CHIPS = {"reject": "bad", "hold": "look", "show": ""}
STYLES = {"all": ["agnes/telemetry_admin.css", "agnes/store_admin.css"]}


class StoreAdmin(ReadOnlyAdmin):
    """Looked at and decided about by who moderates; changed by nobody."""

    # What the forms of the page do, by the last part of its address.
    decisions: dict[str, Callable[[Any, str, User], str]]

    class Media:
        css = STYLES

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        assert isinstance(request.user, User)
        return super().has_view_permission(request, obj) or moderates(request.user)

    def get_urls(self) -> list[URLPattern]:
        return [*map(self._url, self.decisions), *super().get_urls()]

    def _url(self, name: str) -> URLPattern:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return self._decide(request, unquote(object_id), name)

        label = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        return path(f"<path:object_id>/{name}/", self.admin_site.admin_view(require_POST(view)), name=label)

    def _decide(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        assert isinstance(request.user, User)
        if not moderates(request.user):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404("There is no such row.")
        try:
            done = self.decisions[name](row, request.POST.get("reason", ""), request.user)
        except AgnesError as error:
            self.message_user(request, error.text, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", row.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        assert isinstance(request.user, User)
        row = self.get_object(request, unquote(object_id))
        about = self.about(row) if row else {}
        may = {"may_decide": moderates(request.user)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **about, **may})

    def about(self, row: Any) -> dict[str, Any]:
        """What the page shows beside the fields."""
        raise NotImplementedError


class QueueFilter(admin.SimpleListFilter):
    """Without a choice what waits; the others are history."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        others = [(it.value, str(it.label)) for it in VersionState if it != VersionState.HELD]
        return [*others, ("all", "all")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "waits for a decision"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or VersionState.HELD
        return queryset if chosen == "all" else queryset.filter(state=chosen)


def _release(version: StoreVersion, reason: str, by: User) -> str:
    deciding.release(version, by=by)
    return f"{version} is published."


def _refuse(version: StoreVersion, reason: str, by: User) -> str:
    deciding.refuse(version, reason, by=by)
    return f"{version} is refused; its owner reads why."


def _take_down(entity: StoreEntity, reason: str, by: User) -> str:
    deciding.take_down(entity, reason, by=by)
    return f"{entity} is taken down."


def _chip_of(version: StoreVersion) -> SafeString:
    state = VersionState(version.state)
    return chip(state.label, VERSION_CHIPS.get(state, ""))


@admin.register(StoreVersion)
class StoreVersionAdmin(StoreAdmin):
    change_form_template = "admin/marketplace/storeversion/change_form.html"
    decisions = {"release": _release, "refuse": _refuse}
    next_step = NextStep("Nothing waits for you: uploads that the guardrails hold are listed here.")
    list_display = ["item", "kind", "label", "state_chip", "to_look_at", "owner", "uploaded"]
    list_filter = [QueueFilter]
    list_select_related = ["entity__owner"]
    search_fields = ["entity__slug", "entity__owner__email"]
    ordering = ["uploaded_at"]
    fields = ["item", "kind", "label", "state_chip", "owner", "uploaded", "published", "digest", "size"]

    def about(self, row: StoreVersion) -> dict[str, Any]:
        served = row.entity.served
        return {
            "findings": [
                {**it, "chip": chip(it["severity"], SEVERITY_CHIPS.get(it["severity"], ""))}
                for it in row.findings
            ],
            **self._content(served, row),
            "served": served,
            "verdicts": row.verdicts.select_related("by"),
            "is_held": row.state == VersionState.HELD,
        }

    def _content(self, served: StoreVersion | None, row: StoreVersion) -> dict[str, Any]:
        """A version whose files are lost can be refused all the same."""
        try:
            changes = differences(served, row) if row.state == VersionState.HELD else None
            return {"differences": changes, "files": files_of(row)}
        except AgnesError as error:
            return {"lost": error.text}

    @admin.display(description="item", ordering="entity__slug")
    def item(self, version: StoreVersion) -> str:
        return version.entity.slug

    @admin.display(description="kind")
    def kind(self, version: StoreVersion) -> str:
        return version.entity.get_kind_display()

    @admin.display(description="version")
    def label(self, version: StoreVersion) -> str:
        return version.label

    @admin.display(description="state", ordering="state")
    def state_chip(self, version: StoreVersion) -> SafeString:
        return _chip_of(version)

    @admin.display(description="to look at")
    def to_look_at(self, version: StoreVersion) -> str:
        """Why it is held."""
        codes = sorted({it["code"] for it in version.findings if it["severity"] == "hold"})
        taken_down = ["taken down before"] if version.entity.taken_down_at else []
        return ", ".join([*map(words, codes), *taken_down])

    @admin.display(description="owner", ordering="entity__owner__email")
    def owner(self, version: StoreVersion) -> str:
        return version.entity.owner.email

    @admin.display(description="uploaded", ordering="uploaded_at")
    def uploaded(self, version: StoreVersion) -> SafeString | str:
        return moment(version.uploaded_at)

    @admin.display(description="published")
    def published(self, version: StoreVersion) -> SafeString | str:
        return moment(version.published_at) or "not yet"


@admin.register(StoreEntity)
class StoreEntityAdmin(StoreAdmin):
    change_form_template = "admin/marketplace/storeentity/change_form.html"
    decisions = {"takedown": _take_down}
    next_step = NextStep("Nobody has uploaded anything yet.")
    list_display = ["slug", "kind", "state_chip", "owner_email", "installs", "created"]
    list_filter = ["state", "kind"]
    list_select_related = ["owner"]
    search_fields = ["slug", "owner__email"]
    fields = [
        "slug", "kind", "state_chip", "owner_email", "page", "description", "installs", "created",
        "taken_down",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        installs = Count("plugin__in_stacks", distinct=True)
        entities: QuerySet[Any] = super().get_queryset(request).annotate(in_stacks=installs)
        return entities

    def about(self, row: StoreEntity) -> dict[str, Any]:
        versions = [(version, _chip_of(version)) for version in row.versions.all()]
        return {"versions": versions, "is_published": row.state == EntityState.PUBLISHED}

    @admin.display(description="state", ordering="state")
    def state_chip(self, entity: StoreEntity) -> SafeString:
        state = EntityState(entity.state)
        return chip(state.label, ENTITY_CHIPS.get(state, "bad" if entity.taken_down_at else ""))

    @admin.display(description="owner", ordering="owner__email")
    def owner_email(self, entity: StoreEntity) -> str:
        return entity.owner.email

    @admin.display(description="in stacks", ordering="in_stacks")
    def installs(self, entity: Any) -> int:
        return int(entity.in_stacks)

    @admin.display(description="created", ordering="created_at")
    def created(self, entity: StoreEntity) -> SafeString | str:
        return moment(entity.created_at)

    @admin.display(description="taken down")
    def taken_down(self, entity: StoreEntity) -> SafeString | str:
        return moment(entity.taken_down_at) or "no"

    @admin.display(description="page")
    def page(self, entity: StoreEntity) -> SafeString | str:
        address = reverse("marketplace:flea_item", args=(entity.pk,))
        return format_html('<a href="{}">{}</a>', address, address)
