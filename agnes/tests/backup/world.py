"""An installation with something in every corner, and what can be asked of it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from django.contrib.auth.models import Group, Permission
from django.core.files.storage import default_storage
from django.test import Client

from accounts import audit
from accounts.models import Scope, User
from accounts.tokens import issue
from agnes.backup.archive import ArchiveReader
from agnes.backup.files import named_files
from agnes.backup.format import TABLES
from agnes.backup.loading import Chunk
from marketplace.models import Marketplace, Plugin, StackItem
from marketplace.tests.planting import plant_entity, plant_plugin
from telemetry.models import AskQuestion, SessionProcessorClaim, VerificationFinding
from telemetry.processors.processing import process
from telemetry.tests.figures import upload
from telemetry.tests.planting import plant_state, plant_transcript
from telemetry.tests.processing.test_runner import session

TEN = Path(__file__).resolve().parents[3] / "telemetry" / "tests" / "ten"
# What a restore or a publish writes anew.
OF_THE_WAY = {"audit_log", "django_q_schedule", "publishing_state", "usage_dirty_days"}
Rows = dict[str, list[Any]]


def populate(alice: User, bob: User, charlie: User) -> str:
    """The text of bob's access token."""
    group = Group.objects.create(name="Readers")
    group.permissions.set(Permission.objects.filter(codename__in=("read_transcripts", "export_usage")))
    bob.groups.add(group)
    charlie.user_permissions.add(Permission.objects.get(codename="moderate_store"))
    market = Marketplace.objects.create(
        slug="kits", url="https://git.example/kits.git", findings=[{"a": None}]
    )
    plugin = plant_plugin(market, "tools", skill=["sweep"], entry={"name": "tools", "deep": [1, {"x": "ü"}]})
    plant_plugin(market, "older", renamed_to=plugin)
    plant_entity(bob, "broom")
    StackItem.objects.create(user=charlie, plugin=plugin)
    for path in sorted(path for path in TEN.glob("*/*.jsonl") if path.stat().st_size):
        upload(bob, path.read_bytes())
    upload(charlie, session("grows", calls=2))
    upload(charlie, session("grows", calls=4))
    upload(charlie, session("grows", calls=3).replace(b'"hi"', b'"ho"'))
    process("usage")
    process("verification")
    VerificationFinding.objects.create(
        session_file="u1_x.jsonl", kind="unknown_key", detail="é\n\"'", count=3
    )
    upload(charlie, session("pending"))
    plant_state(plant_transcript(charlie, "lost", first_at=datetime(1999, 12, 31, 23, 59, 59, 1, UTC)))
    AskQuestion.objects.create(user=alice, question="Who?", verdict="answered", provider="p", model="m")
    SessionProcessorClaim.objects.create(
        processor_name="usage", user=bob, holder="dead", expires_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    audit.record("usage.export", actor=alice, params={"rows": 3})
    return issue(bob, name="laptop", scopes=[Scope.READ, Scope.UPLOAD])[1]


def figures(alice: User) -> dict[str, Any]:
    """What people see: pages of the API as an admin reads them, and stored bytes."""
    client = Client()
    client.force_login(alice)
    people = User.objects.order_by("pk").values_list("pk", flat=True)
    addresses = [
        "/api/marketplace/items",
        *(f"/api/marketplace/items/{it.source}/{it.ref_id}" for it in Plugin.objects.order_by("ref_id")),
        *(f"/api/admin/users/{pk}/sessions" for pk in people),
        *(f"/api/admin/usage/export?dataset={it}&format=csv" for it in ("events", "sessions", "tool_daily")),
    ]
    found: dict[str, Any] = {address: _body(client.get(address)) for address in addresses}
    for file in named_files():
        found[file.key] = default_storage.open(file.key).read() if default_storage.exists(file.key) else None
    return found


def _body(answer: Any) -> bytes:
    """Without the time of the last publish."""
    assert answer.status_code == 200, answer.content
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return re.sub(rb'"as_of": "[^"]*"', b"", body)


def rows_of(path: Path) -> Rows:
    """All rows of a backup, as they stand there."""
    found: Rows = {}
    for member in ArchiveReader(path).members(TABLES):
        chunk = Chunk(member.stream)
        found.setdefault(chunk.header.table, []).extend(map(msgspec.json.decode, chunk.lines))
    return found


def lasting_rows(path: Path) -> Rows:
    """Those that no restore and no publish writes anew, without the ids that roll-ups get."""
    return {
        name: list(_without_own_id(name, rows))
        for name, rows in rows_of(path).items()
        if name not in OF_THE_WAY
    }


def _without_own_id(name: str, rows: list[Any]) -> Iterator[Any]:
    if not name.endswith(("_daily", "_window")):
        yield from rows
        return
    # The last column of windows is when they were made.
    last = -1 if name.endswith("_window") else None
    yield from sorted((row[1:last] for row in rows), key=repr)
