"""What the admin pages of extracted rows share."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import NextStep, ReadOnlyAdmin
from telemetry.admin import searching

STYLES = {"all": ["agnes/telemetry_admin.css"]}
IMPORT_COMMAND = "manage.py sessions_import ~/.claude/projects --user you@example.com"
UPLOAD = {"url_name": "api:openapi-view", "link": "Or upload by the API."}
IMPORT = NextStep("Import a folder:", IMPORT_COMMAND, **UPLOAD)
EXTRACT = NextStep("They are taken from transcripts. Import a folder:", IMPORT_COMMAND, **UPLOAD)
MARKETPLACE = NextStep("They come with the items of a marketplace that people use.")


class ExtractedAdmin(ReadOnlyAdmin):
    """Rows that name their transcript by `session_file`, and perhaps a person by `user_id`."""

    person_field: str | None = "user_id"
    search_fields = ["session_file"]
    search_help_text = searching.HELP
    next_step: NextStep | None = EXTRACT

    class Media:
        css = STYLES

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = searching.find(term)
        if found.user_id and self.person_field:
            return queryset.filter(**{self.person_field: found.user_id}), False
        return queryset.filter(session_file__in=list(found.transcripts.values())), False
