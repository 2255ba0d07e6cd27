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
from marketplace.tests.planting import plant_entity, plant_plugin
from telemetry.models import (
    AgentAttribution,
    AskQuestion,
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


def decision(prefix: str, name: str, object_id: str) -> list[Route]:
    """A button of a page of the admin, which leads back to the page."""
    pattern = f"{prefix}/<path:object_id>/{name}/"
    args = {"object_id": object_id}
    return [
        Route(pattern, *(302, 302, 302, 403, 302, 302), method="POST", args=args),
        admin_page(pattern, staff=405, admin=405, **args),
    ]


STORE_ARGS = {"entity_id": "{entity}", "number": "1", "path": ".claude-plugin/plugin.json"}


def store(path: str, owner: int, others: int | None = None, **more: Any) -> Route:
    """An operation of the flea market on bob's item; an admin may do what its owner may.

    The scope `upload` is for what changes something.
    """
    other = owner if others is None else others
    token = 403 if more.get("method", "GET") == "GET" else owner
    statuses = (401, owner, other, other, owner, token)
    return Route(f"api/store/{path}", *statuses, args=STORE_ARGS, content_type="application/json", **more)


def page(
    path: str, user: int, others: int | None = None, *, admin: int = 0, anonymous: int = 302, **more: Any
) -> Route:
    """A page of the marketplace, over bob's item: who is not signed in is sent to sign in."""
    other = user if others is None else others
    statuses = (anonymous, user, other, other, admin or user, anonymous)
    return Route(f"marketplace/{path}", *statuses, args=STORE_ARGS, **more)


def own_token(path: str, owner: int, others: int = 404, **more: Any) -> Route:
    statuses = (302, owner, others, others, others, 302)
    return Route(f"tokens/{path}", *statuses, args={"token_id": "{token}"}, **more)


CONNECTION = f"/connect/?port=50000&state={'s' * 16}&challenge={'c' * 43}&name=laptop&scope=upload"

OWN_ACTIONS = {
    "describe": 302, "withdraw": 302, "transfer": 302, "delete": 302,
    "release": 403, "refuse": 403, "take-down": 403,
}  # fmt: skip


def moderation(action: str, **more: Any) -> Route:
    path = f"api/store/entities/<int:entity_id>/{action}"
    statuses = (401, 403, 403, 403, 200, 403)
    return Route(path, *statuses, args=STORE_ARGS, content_type="application/json", **more)


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
        **_store(bob),
        "group": Group.objects.create(name="team").pk,
        **_telemetry(bob),
    }


def _marketplace() -> dict[str, object]:
    marketplace = Marketplace.objects.create(slug="kits", url="file:///nowhere/kits")
    plugin = plant_plugin(marketplace, "tidy", skill=["sweep"])
    return {"marketplace": marketplace.pk, "item": plugin.ref_id}


def _store(bob: User) -> dict[str, object]:
    entity = plant_entity(bob, "broom")
    return {"entity": entity.pk, "held": entity.versions.held().get().pk}


def _telemetry(bob: User) -> dict[str, object]:
    transcript = planting.plant_transcript(bob, "looked-at")
    finding = VerificationFinding.objects.create(
        session_file=transcript.session_file, kind="unknown_key", detail="newKey", count=3
    )
    return {
        "transcript": transcript.pk,
        "session_file": transcript.session_file,
        "processor_state": planting.plant_state(transcript).pk,
        "event": planting.plant_event(transcript).pk,
        "message": planting.plant_message(transcript).pk,
        "summary": planting.plant_summary(transcript).pk,
        "finding": finding.pk,
        "question": AskQuestion.objects.create(user=bob, question="How many?", provider="x", model="x").pk,
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
    # No task worker has run.
    open_to_all("livez"),
    open_to_all("readyz", 503),
    # Off unless it is configured.
    open_to_all("metrics", 404),
    # Pages for everybody who can sign in; signing out works by POST only.
    Route("marketplace/", 302, 200, 200, 200, 200, 302),
    page("upload/", 200),
    page("upload/", 422, method="POST"),
    page("uploads/", 200),
    page("stack/", 200),
    page("stack/add/", 302, method="POST"),
    page("stack/add/", 405, anonymous=405),
    page("stack/remove/", 302, method="POST"),
    page("stack/remove/", 405, anonymous=405),
    page("flea/<int:entity_id>/", 200),
    page("flea/<int:entity_id>/versions/<int:number>/", 200),
    page("flea/<int:entity_id>/upload/", 200, others=403),
    page("flea/<int:entity_id>/upload/", 422, others=403, method="POST"),
    # What is released, refused and taken down is for admins, also where the item is one's own.
    *(
        page(f"flea/<int:entity_id>/{name}/", owner, others=403, admin=302, method="POST")
        for name, owner in OWN_ACTIONS.items()
    ),
    page("flea/<int:entity_id>/*/", 405, anonymous=405),
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
    # One's own access tokens; that of bob is for nobody else. Its secret is shown to who has just made it.
    own_token("", 200, others=200),
    own_token("", 422, others=422, method="POST"),
    own_token("<int:token_id>/", 302),
    own_token("<int:token_id>/revoke/", 302, method="POST"),
    Route("tokens/<int:token_id>/revoke/", 405, 405, 405, 405, 405, 405, args={"token_id": "{token}"}),
    # No provider is configured.
    open_to_all("sign-in/", 404),
    open_to_all("sign-in/callback/", 404),
    # The client asks for a token: the page allows it by POST, and leads back to the client with a code.
    Route("connect/", 302, 200, 200, 200, 200, 302, url=CONNECTION),
    Route("connect/", 302, 200, 200, 200, 200, 302, url=CONNECTION, method="POST"),
    open_to_all("sign-out/", 405),
    open_to_all("sign-out/", 302, method="POST"),
    # Git: it is for tokens of scope marketplace only, and read-only.
    open_to_all("^m/*info/refs$", 401, url="/m/{bob}.git/info/refs?service=git-upload-pack"),
    open_to_all("^m/*git-upload-pack$", 404, url="/m/{bob}.git/git-upload-pack"),
    open_to_all("^m/*git-upload-pack$", 401, url="/m/{bob}.git/git-upload-pack", method="POST"),
    open_to_all("^m/*git-receive-pack$", 403, url="/m/{bob}.git/git-receive-pack"),
    open_to_all("^m(?:/|$)", 404, url="/m/nothing/here"),
    # The API
    open_to_all("api/docs"),
    open_to_all("api/openapi.json"),
    open_to_all("api/", 404),
    Route("api/me", 401, 200, 200, 200, 200, 200),
    Route("api/me/token", 401, 404, 404, 404, 404, 204, method="DELETE"),
    open_to_all(
        "api/connect/token",
        422,
        method="POST",
        body=b'{"code": "x", "verifier": "y"}',
        content_type="application/json",
    ),
    Route("api/upload/sessions", 401, 201, 201, 201, 201, 201, method="POST", body=TRANSCRIPT),
    Route("api/sessions", 401, 200, 200, 200, 200, 403),
    Route("api/datasets", 401, 200, 200, 200, 200, 403),
    # Whose rows they get is in telemetry/tests/export/test_datasets.py.
    Route("api/datasets/<name>", 401, 404, 404, 404, 404, 403, args={"name": "nothing"}),
    # Everybody marks a session of their own that may come later; whose they remove is in test_private.py.
    Route(
        "api/sessions/<path:session_id>",
        *(401, 200, 200, 200, 200, 200),
        method="DELETE",
        args={"session_id": "not-yet-here"},
    ),
    Route(
        "api/sessions/<path:session_id>/readmit",
        *(401, 404, 404, 404, 404, 404),
        method="POST",
        args={"session_id": "nothing"},
    ),
    Route("api/admin/run-session-processor", 401, 403, 403, 403, 200, 403, method="POST"),
    Route("api/admin/activity", 401, 403, 403, 403, 200, 403),
    Route("api/admin/usage/export", 401, 403, 403, 403, 200, 403),
    Route("api/admin/usage/reprocess", 401, 403, 403, 403, 200, 403, method="POST"),
    Route("api/admin/usage/prune", 401, 403, 403, 403, 200, 403, method="POST"),
    # Nothing is set up.
    Route(
        "api/admin/usage/ask",
        *(401, 403, 403, 403, 503, 403),
        method="POST",
        body=json.dumps({"question": "How many?"}).encode(),
        content_type="application/json",
    ),
    Route("api/admin/users", 401, 403, 403, 403, 200, 403),
    Route(
        "api/admin/users/<user_id>/sessions/<session_file>",
        *(401, 403, 403, 403, 200, 403),
        args={"user_id": "{bob}", "session_file": "{session_file}"},
    ),
    Route("api/admin/users/<user_id>/sessions", 401, 403, 403, 403, 200, 403, args={"user_id": "{bob}"}),
    # The file of the planted transcript is missing.
    Route(
        "api/admin/users/<user_id>/sessions/<session_file>/download",
        *(401, 403, 403, 403, 409, 403),
        args={"user_id": "{bob}", "session_file": "{session_file}"},
    ),
    Route(
        "api/admin/users/<user_id>/sessions/download-all",
        *(401, 403, 403, 403, 200, 403),
        args={"user_id": "{bob}"},
    ),
    Route("api/marketplace/items", 401, 200, 200, 200, 200, 403),
    Route(
        "api/marketplace/items/<source>/<path:ref_id>",
        *(401, 200, 200, 200, 200, 403),
        args={"source": "curated", "ref_id": "{item}"},
    ),
    Route("api/marketplace/stack", 401, 200, 200, 200, 200, 403),
    Route(
        "api/marketplace/stack/<source>/<path:ref_id>",
        *(401, 201, 201, 201, 201, 403),
        method="PUT",
        args={"source": "curated", "ref_id": "{item}"},
    ),
    Route(
        "api/marketplace/stack/<source>/<path:ref_id>",
        *(401, 204, 204, 204, 204, 403),
        method="DELETE",
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
    # The flea market: bob has published something, and uploaded a version that is held.
    store("entities", 200),
    store("entities", 422, method="POST"),
    store("entities/<int:entity_id>", 200),
    store("entities/<int:entity_id>", 200, others=403, method="PATCH", body=b'{"description": "New."}'),
    store("entities/<int:entity_id>", 200, others=403, method="DELETE"),
    store("entities/<int:entity_id>/versions", 422, others=403, method="POST"),
    store("entities/<int:entity_id>/withdraw", 200, others=403, method="POST"),
    store(
        "entities/<int:entity_id>/transfer",
        *(200, 403),
        method="POST",
        body=b'{"email": "charlie@example.com"}',
    ),
    moderation("release", method="POST"),
    moderation("refuse", method="POST", body=b'{"reason": "No."}'),
    moderation("takedown", method="POST", body=b'{"reason": "No."}'),
    moderation("diff"),
    store("entities/<int:entity_id>/versions/<int:number>/files", 200),
    store("entities/<int:entity_id>/versions/<int:number>/files/<path:path>", 200),
    open_to_all("^api(?:/|$)", 404, url="/api/nothing/here"),
    # The admin site as a whole
    admin_page("admin/activity/"),
    admin_page("admin/retry-failed/", staff=405, admin=405),
    Route("admin/retry-failed/", 302, 302, 302, 403, 302, 302, method="POST"),
    admin_page("admin/activity/activity.csv"),
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
    admin_page(
        "admin/telemetry/sessiontranscript/<str:session_file>/read/",
        staff=404,
        session_file="{session_file}",
    ),
    # The file of this transcript is lost.
    admin_page(
        "admin/telemetry/sessiontranscript/<str:session_file>/read/line/<str:line>/",
        staff=404,
        admin=404,
        session_file="{session_file}",
        line="1",
    ),
    *read_only_pages("admin/telemetry/sessiontranscript", "{transcript}"),
    # There is one page for a transcript, to which this leads.
    admin_page("admin/telemetry/session/<path:object_id>/change/", admin=302, object_id="{transcript}"),
    *read_only_pages("admin/telemetry/session", "{transcript}"),
    *read_only_pages("admin/telemetry/sessionprocessorstate", "{processor_state}"),
    admin_page("admin/telemetry/usageevent/ask/"),
    # Nothing is set up.
    Route(
        "admin/telemetry/usageevent/ask/",
        *(302, 302, 302, 403, 503, 302),
        method="POST",
        body=b"question=How+many",
        content_type="application/x-www-form-urlencoded",
    ),
    Route("admin/telemetry/usageevent/ask/forget/", 302, 302, 302, 403, 302, 302, method="POST"),
    admin_page("admin/telemetry/usageevent/ask/forget/", staff=405, admin=405),
    # A person sees no question but their own.
    *(
        route
        for what in ("forget", "csv")
        for route in (
            Route(
                f"admin/telemetry/usageevent/ask/<int:pk>/{what}/",
                *(302, 302, 302, 403, 404, 302),
                method="POST",
                args={"pk": "{question}"},
            ),
            admin_page(
                f"admin/telemetry/usageevent/ask/<int:pk>/{what}/", staff=405, admin=405, pk="{question}"
            ),
        )
    ),
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
    # Versions on the flea market are released and refused, items taken down, all by POST only.
    *decision("admin/marketplace/storeversion", "release", "{held}"),
    *decision("admin/marketplace/storeversion", "refuse", "{held}"),
    *read_only_pages("admin/marketplace/storeversion", "{held}"),
    *decision("admin/marketplace/storeentity", "takedown", "{entity}"),
    *read_only_pages("admin/marketplace/storeentity", "{entity}"),
    *read_only_pages("admin/django_q/schedule", "{schedule}"),
    *read_only_pages("admin/django_q/success", "{success}"),
    *read_only_pages("admin/django_q/failure", "{failure}"),
    *read_only_pages("admin/django_q/ormq", "{queued}"),
]
