"""A person's page, with what they did: beside their account, for those who may read transcripts."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse

from accounts.admin.people import PersonAdmin
from accounts.models import User
from accounts.numbers import whole_number
from telemetry.admin.sessions import CSS, SessionList
from telemetry.charts import DayChart, Series
from telemetry.permissions import READ_TRANSCRIPTS
from telemetry.sessions.activity import Activity, activity_of
from telemetry.sessions.answering import download_all_url

FILTERS = ("since", "until", "errors")

admin.site.unregister(User)


@admin.register(User)
class PersonWithSessionsAdmin(PersonAdmin):
    change_form_template = "admin/telemetry/person/change_form.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        about = {}
        if request.method == "GET" and request.user.has_perm(READ_TRANSCRIPTS):
            about = _about(request, unquote(object_id))
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **about})


def _about(request: HttpRequest, object_id: str) -> dict[str, Any]:
    """What the page shows beside the account; nothing for what is no person's id."""
    user_id = whole_number(object_id)
    if user_id is None:
        return {}
    activity = activity_of(user_id)
    return {
        "list": SessionList(request.GET.dict(), user_id=user_id, fields=FILTERS),
        "chart": _chart(activity),
        "most_used": [
            ("Tools", activity.tools),
            ("Skills", activity.skills),
            ("Plugins", activity.plugins),
        ],
        "as_of": activity.as_of,
        "download_all": download_all_url(user_id),
        "css": CSS,
    }


def _chart(activity: Activity) -> DayChart:
    invocations = Series([it.invocations for it in activity.days], "invocation")
    errors = Series([it.errors for it in activity.days], "error")
    return DayChart([it.day for it in activity.days], [invocations], more=[errors])
