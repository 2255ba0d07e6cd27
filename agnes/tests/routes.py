"""Who gets what: one table of every route of the server and the status it answers to each role.

The first row that fits a route and method holds. `*` in a pattern stands for anything; a row fits every
route its pattern matches, and every one of them is requested. What stands for `<…>` in a route is in
`args`, where `{bob}` is bob's id and so on: `world` says which names there are.

The roles: nobody signed in; bob, whose things these are; charlie, another person; dana, staff without
permissions; alice, the admin; and a program with bob's token of scope `upload`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from accounts import audit, tokens
from accounts.models import Scope, User
from marketplace.models import Marketplace
from marketplace.tests.planting import plant_plugin
from telemetry.models import (
    AgentAttribution,
    Attribution,
    CommandAttribution,
    McpServerAttribution,
    SkillAttribution,
    VerificationFinding,
)
from telemetry.tests import planting


@dataclass(frozen=True)
class Route:
    pattern: str
    anonymous: int
    user: int
    other: int
    staff: int
    admin: int
    upload_token: int
    method: str = "GET"
    args: Mapping[str, str] = field(default_factory=dict)
    url: str = ""  # instead of filling in the pattern, e.g. where that is a regular expression
    body: bytes = b""
    content_type: str = "application/octet-stream"


def open_to_all(pattern: str, status: int = 200, **more: Any) -> Route:
    return Route(pattern, status, status, status, status, status, status, **more)


def admin_page(pattern: str, *, admin: int = 200, staff: int = 403, **args: str) -> Route:
    """A page of the admin site: who is not staff is sent to sign in, a token opens nothing."""
    return Route(
        pattern, anonymous=302, user=302, other=302, staff=staff, admin=admin, upload_token=302, args=args
    )


def read_only_pages(prefix: str, object_id: str) -> list[Route]:
    """The pages of a ReadOnlyAdmin; `object_id` names a row of it that `world` has planted."""
    return [
        admin_page(f"{prefix}/add/", admin=403),
        admin_page(f"{prefix}/<path:object_id>/delete/", admin=403, object_id=object_id),
        admin_page(f"{prefix}/*", object_id=object_id),
    ]


def world(bob: User) -> dict[str, object]:
    """What there is to look at, by the name that `args` may use; the cast is there too."""
    return {
        "token": tokens.issue(bob, name="laptop", scopes=[Scope.READ])[0].pk,
        "audit_row": audit.record("test.row").pk,
        "schedule": Schedule.objects.create(func="math.sqrt").pk,
        "success": _task(success=True),
        "failure": _task(success=False),
        "queued": OrmQ.objects.create(
            key="agnes", payload=SignedPackage.dumps({"id": "1", "func": "math.sqrt"})
        ).pk,
        **_marketplace(),
        "group": Group.objects.create(name="team").pk,
        **_telemetry(bob),
    }


def _marketplace() -> dict[str, object]:
    marketplace = Marketplace.objects.create(slug="kits", url="file:///nowhere/kits")
    plugin = plant_plugin(marketplace, "tidy", skill=["sweep"])
    return {"marketplace": marketplace.pk, "item": plugin.ref_id}


def _telemetry(bob: User) -> dict[str, object]:
    transcript = planting.plant_transcript(bob, "looked-at")
    finding = VerificationFinding.objects.create(
        session_file=transcript.session_file, kind="unknown_key", detail="newKey", count=3
    )
    return {
        "transcript": transcript.pk,
        "processor_state": planting.plant_state(transcript).pk,
        "event": planting.plant_event(transcript).pk,
        "message": planting.plant_message(transcript).pk,
        "summary": planting.plant_summary(transcript).pk,
        "finding": finding.pk,
        **{model.__name__.lower(): _attribution(model) for model in ATTRIBUTIONS},
        **{type(row).__name__.lower(): row.pk for row in planting.plant_rollups(bob)},
    }


ATTRIBUTIONS = (SkillAttribution, AgentAttribution, CommandAttribution, McpServerAttribution)


def _attribution(model: Callable[..., Attribution]) -> object:
    row = model(identifier="a:b", source="curated", ref_id="market/a", component_kind="skill")
    row.save()
    return row.pk


TRANSCRIPT = json.dumps(
    {
        "type": "user",
        "sessionId": "6f1c2a8e-0000-4000-8000-000000000001",
        "uuid": "6f1c2a8e-0000-4000-8000-000000000002",
        "parentUuid": None,
        "timestamp": "2026-01-05T10:00:00.000Z",
        "message": {"role": "user", "content": "Hello"},
    }
).encode()


def _task(*, success: bool) -> str:
    now = timezone.now()
    row = Task(id=f"task-{success}", name="task", func="math.sqrt", started=now, stopped=now, success=success)
    row.save()
    return str(row.pk)


ROUTES = [
    open_to_all("", 302),
    open_to_all("favicon.ico", 302),
    # Pages for everybody who can sign in; signing out works by POST only.
    Route("marketplace/", 302, 200, 200, 200, 200, 302),
    Route(
        "marketplace/<slug:source>/<path:ref_id>/",
        *(302, 200, 200, 200, 200, 302),
        args={"source": "curated", "ref_id": "{item}"},
    ),
    Route(
        "marketplace/<slug:source>/<path:ref_id>/",
        *(405, 405, 405, 405, 405, 405),
        method="POST",
        args={"source": "curated", "ref_id": "{item}"},
    ),
    open_to_all("sign-out/", 405),
    open_to_all("sign-out/", 302, method="POST"),
    # The API
    open_to_all("api/docs"),
    open_to_all("api/openapi.json"),
    open_to_all("api/", 404),
    Route("api/upload/sessions", 401, 201, 201, 201, 201, 201, method="POST", body=TRANSCRIPT),
    Route("api/admin/run-session-processor", 401, 403, 403, 403, 200, 403, method="POST"),
    Route("api/admin/usage/export", 401, 403, 403, 403, 200, 403),
    Route("api/marketplace/items", 401, 200, 200, 200, 200, 403),
    Route(
        "api/marketplace/items/<source>/<path:ref_id>",
        *(401, 200, 200, 200, 200, 403),
        args={"source": "curated", "ref_id": "{item}"},
    ),
    Route(
        "api/marketplaces",
        *(401, 403, 403, 403, 201, 403),
        method="POST",
        body=b'{"url": "file:///nowhere/more-kits"}',
        content_type="application/json",
    ),
    # There is no such repository.
    Route(
        "api/marketplaces/<slug>/sync",
        *(401, 403, 403, 403, 502, 403),
        method="POST",
        args={"slug": "kits"},
    ),
    open_to_all("^api(?:/|$)", 404, url="/api/nothing/here"),
    # The admin site as a whole
    open_to_all("admin/activity/", 302),
    open_to_all("admin/users/<int:object_id>/", 302, args={"object_id": "{bob}"}),
    admin_page("admin/r/<path:content_type_id>/<path:object_id>/", staff=404, admin=404),
    open_to_all("admin/*/<path:object_id>/", 302),
    Route("admin/login/", anonymous=200, user=200, other=200, staff=302, admin=302, upload_token=200),
    # Signing out works by POST only.
    admin_page("admin/logout/", staff=405, admin=405),
    admin_page("admin/", staff=200),
    admin_page("admin/password_change/", staff=200),
    admin_page("admin/password_change/done/", staff=200),
    admin_page("admin/jsi18n/", staff=200),
    admin_page("admin/autocomplete/", admin=403),
    Route("admin/^(?P<app_label>*", 302, 302, 302, 404, 200, 302, url="/admin/accounts/"),
    Route("admin/(?P<url>*", 302, 302, 302, 404, 404, 302, url="/admin/nothing"),
    # People are never deleted, tokens never changed, the audit log only ever read.
    admin_page("admin/accounts/user/<path:object_id>/delete/", admin=403, object_id="{bob}"),
    admin_page("admin/accounts/user/<id>/password/", id="{bob}"),
    admin_page("admin/accounts/user/*", object_id="{bob}"),
    admin_page("admin/accounts/accesstoken/<path:object_id>/delete/", admin=403, object_id="{token}"),
    # The secret of a token is shown to who has just made it; a token is revoked by POST only.
    admin_page("admin/accounts/accesstoken/<path:object_id>/issued/", admin=302, object_id="{token}"),
    Route(
        "admin/accounts/accesstoken/<path:object_id>/revoke/",
        *(302, 302, 302, 403, 302, 302),
        method="POST",
        args={"object_id": "{token}"},
    ),
    admin_page(
        "admin/accounts/accesstoken/<path:object_id>/revoke/", staff=405, admin=405, object_id="{token}"
    ),
    admin_page("admin/accounts/accesstoken/*", object_id="{token}"),
    *read_only_pages("admin/accounts/auditlog", "{audit_row}"),
    admin_page("admin/auth/group/*", object_id="{group}"),
    # Transcripts and what was extracted are only ever read; a transcript can be processed again.
    Route(
        "admin/telemetry/sessiontranscript/<path:object_id>/process-again/",
        *(302, 302, 302, 403, 302, 302),
        method="POST",
        args={"object_id": "{transcript}"},
    ),
    admin_page(
        "admin/telemetry/sessiontranscript/<path:object_id>/process-again/",
        staff=405,
        admin=405,
        object_id="{transcript}",
    ),
    *read_only_pages("admin/telemetry/sessiontranscript", "{transcript}"),
    *read_only_pages("admin/telemetry/sessionprocessorstate", "{processor_state}"),
    admin_page("admin/telemetry/usageevent/export/"),
    *read_only_pages("admin/telemetry/usageevent", "{event}"),
    *read_only_pages("admin/telemetry/usagemessage", "{message}"),
    *read_only_pages("admin/telemetry/usagesessionsummary", "{summary}"),
    *read_only_pages("admin/telemetry/usagetooldaily", "{usagetooldaily}"),
    *read_only_pages("admin/telemetry/usageplugindaily", "{usageplugindaily}"),
    *read_only_pages("admin/telemetry/usagecomponentdaily", "{usagecomponentdaily}"),
    *read_only_pages("admin/telemetry/usagedaily", "{usagedaily}"),
    *read_only_pages("admin/telemetry/usageuserdaily", "{usageuserdaily}"),
    *read_only_pages("admin/telemetry/usagepluginwindow", "{usagepluginwindow}"),
    *read_only_pages("admin/telemetry/verificationfinding", "{finding}"),
    *read_only_pages("admin/telemetry/skillattribution", "{skillattribution}"),
    *read_only_pages("admin/telemetry/agentattribution", "{agentattribution}"),
    *read_only_pages("admin/telemetry/commandattribution", "{commandattribution}"),
    *read_only_pages("admin/telemetry/mcpserverattribution", "{mcpserverattribution}"),
    # Marketplaces are added, changed and synced, never deleted.
    admin_page(
        "admin/marketplace/marketplace/<path:object_id>/delete/", admin=403, object_id="{marketplace}"
    ),
    admin_page("admin/marketplace/marketplace/*", object_id="{marketplace}"),
    *read_only_pages("admin/django_q/schedule", "{schedule}"),
    *read_only_pages("admin/django_q/success", "{success}"),
    *read_only_pages("admin/django_q/failure", "{failure}"),
    *read_only_pages("admin/django_q/ormq", "{queued}"),
]
