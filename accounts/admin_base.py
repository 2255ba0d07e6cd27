"""What the admin pages of every app share."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Min, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

from accounts import audit
from accounts.admin_details import readable
from accounts.audited_changes import changes_of


def chip(text: object, kind: str = "") -> SafeString:
    """A word in a small box; kinds: `good`, `look` (needs a look), `bad`, or none."""
    return format_html('<span class="chip {}">{}</span>', f"chip-{kind}" if kind else "", text)


def moment(at: datetime | None) -> SafeString | str:
    """`3 hours ago`, with the exact time in the person's zone as title."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    exact = f"{local:%Y-%m-%d %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, _from_now(at))


def _from_now(at: datetime) -> str:
    # One clock for both questions: a second one would call the 61st second “0 minutes”.
    now = timezone.now()
    if abs(now - at) < timedelta(minutes=1):
        return "just now"
    return f"in {timeuntil(at, now, depth=1)}" if at > now else f"{timesince(at, now, depth=1)} ago"


class NextStep(NamedTuple):
    """What the reader of an empty list can do: a sentence, perhaps a command to copy and a link."""

    text: str
    command: str = ""
    url_name: str = ""
    link: str = ""


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most `LIMIT` rows, so a page costs the same for a thousand rows and for a million.

    Older pages than that are reached by a filter.
    """

    LIMIT = 5_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: self.LIMIT].count())

    @property
    def is_cut(self) -> bool:
        return self.count >= self.LIMIT


class UncountedChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Where the full count is not known, Django offers “Show all”: here only where rows are hidden."""
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class UncountedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list that never counts its table."""

    paginator = UncountedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    list_max_show_all = 0
    next_step: NextStep | None = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UncountedChangeList


class ReadOnlyAdmin(UncountedAdmin):
    """Rows that only the server writes: to be looked at by who has the view permission."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            (title, {**options, "fields": [readable(self.model, name, moment) for name in options["fields"]]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What is done on these pages also stands in the audit log, as `<audit_family>.<verb>`."""

    audit_family: str

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self._audit("change" if change else "create", form.instance, changes_of(form, is_new=not change))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            self._audit("delete", obj, {})
        return super().log_deletions(request, queryset)

    def _audit(self, verb: str, obj: Model, changes: dict[str, Any]) -> None:
        audit.record(f"{self.audit_family}.{verb}", target=f"{self.audit_family}:{obj.pk}", params=changes)


class IndexedValuesFilter(admin.AllValuesFieldListFilter):
    """Offers the values that occur in a field that an index begins with.

    Hops from value to value along the index: one quick query per value, where SELECT DISTINCT reads all.
    """

    LIMIT = 200

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: Any,
        model: type[Model],
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.lookup_choices: Any = values_along_the_index(model, field_path, self.LIMIT)


def values_along_the_index(model: type[Model], field: str, limit: int = 200) -> list[Any]:
    """The different values of a field that an index begins with: one quick query for each."""
    return list(_hop(model._default_manager.all(), field, limit))


def _hop(rows: QuerySet[Any], field: str, limit: int) -> Iterator[Any]:
    value = rows.aggregate(next=Min(field))["next"]
    while value is not None and limit:
        yield value
        limit -= 1
        value = rows.filter(**{f"{field}__gt": value}).aggregate(next=Min(field))["next"]
