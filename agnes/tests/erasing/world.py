"""A person with something in every corner, whose name, address, sessions and words are found nowhere else."""

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from accounts import sign_in_limits
from accounts.models import LoginCode, Scope, User
from accounts.tokens import issue
from marketplace.models import Plugin, StackItem, StoreVersion
from marketplace.serving.repositories import repository_of_view
from marketplace.serving.view import view_of
from marketplace.tests.planting import plant_entity
from telemetry.lake.reading import current_snapshot
from telemetry.maintenance.withholding import Reason, withhold
from telemetry.models import AskQuestion
from telemetry.processors.processing import process
from telemetry.tests.builders import Line, assistant_line, moment, tool_use, transcript_bytes, user_line
from telemetry.tests.figures import upload
from telemetry.tests.maintenance.searching import texts_below, texts_in_database

EMAIL, NAME = "quirinus.adler@example.com", "Quirinus Adler"
WORDS = "the-words-of-quirinus"
SESSIONS = ("5e551000-0000-4000-8000-00000000000a", "5e551000-0000-4000-8000-00000000000b")
PRIVATE = "5e551000-0000-4000-8000-00000000000c"
# Whatever of these is found anywhere is too much.
TRACES = (EMAIL, NAME, WORDS, *SESSIONS, PRIVATE)


def lines(session_id: str, calls: int = 3, *, words: str = WORDS, at: float = 0) -> list[Line]:
    where: dict[str, Any] = {"sessionId": session_id, "cwd": f"/home/{words}"}
    found: list[Line] = [user_line(f"say {words}", uuid=f"{session_id}-0", timestamp=moment(at), **where)]
    for number in range(1, calls + 1):
        ident = f"{session_id}-{number}"
        block = tool_use("Bash", id=f"toolu-{ident}", command=f"echo {words}")
        fields = {"message_id": f"msg-{ident}", "uuid": ident, "timestamp": moment(at + number), **where}
        found.append(assistant_line([block], **fields))
    return found


def populate(alice: User, charlie: User) -> User:
    """The person, beside others who stay."""
    person = User.objects.create_user(EMAIL, "correct horse battery staple", name=NAME)
    person.groups.add(Group.objects.get_or_create(name="Readers")[0])
    _sessions(person, charlie)
    _sign_ins(person, alice)
    _market(person, charlie)
    _questions(person, alice)
    _tasks(person)
    _leftovers(person)
    return person


def _sessions(person: User, charlie: User) -> None:
    for session_id in SESSIONS:
        upload(person, transcript_bytes(lines(session_id)))
    upload(person, transcript_bytes([line | {"agentId": "a1"} for line in lines(SESSIONS[0], 1)]))
    upload(charlie, transcript_bytes(lines("charlies", words="what charlie said")))
    upload(person, transcript_bytes(lines(PRIVATE)))
    process("usage")
    # Grown, so that the lake has old files with them.
    upload(person, transcript_bytes(lines(SESSIONS[1], 5)))
    process("verification")
    withhold(person, PRIVATE, reason=Reason.PRIVATE, actor=person)
    current_snapshot()


def _sign_ins(person: User, alice: User) -> None:
    issue(person, name=f"{NAME}'s laptop", scopes=[Scope.UPLOAD])
    code = {"challenge": "c", "name": NAME, "expires_at": timezone.now()}
    LoginCode.objects.create(code_hash="x", user=person, **code)
    Client().force_login(person)
    sign_in_limits.begin(EMAIL, "192.0.2.1")
    EmailAddress.objects.create(user=person, email=EMAIL)
    SocialAccount.objects.create(user=person, provider="oidc", uid="q-1", extra_data={"name": NAME})
    about_people = ContentType.objects.get_for_model(User).pk
    for by, of, told in ((alice, person, EMAIL), (person, alice, "alice@example.com")):
        LogEntry.objects.create(
            user=by, content_type_id=about_people, object_id=str(of.pk), object_repr=told, action_flag=CHANGE
        )


def _market(person: User, charlie: User) -> None:
    """One item that others have, with the author's name in its files, and one that nobody has."""
    kept, alone = plant_entity(person, "broom"), plant_entity(person, "dustpan")
    for version in StoreVersion.objects.filter(entity__in=(kept, alone)):
        _sign(version)
    author = {"name": NAME, "email": EMAIL}
    Plugin.objects.filter(source="flea").update(author=author, readme=f"Written by {NAME}.")
    for user in (charlie, person):
        StackItem.objects.create(user=user, plugin=Plugin.objects.get(entity=kept))
    with repository_of_view(view_of(charlie)):
        pass


def _sign(version: StoreVersion) -> None:
    """Its author's name and address stand in its plugin.json."""
    content = io.BytesIO(default_storage.open(version.pack).read())
    signed = io.BytesIO()
    with zipfile.ZipFile(content) as before, zipfile.ZipFile(signed, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, _signed(before.read(name)) if name.endswith(".json") else before.read(name))
    default_storage.delete(version.pack)
    default_storage.save(version.pack, ContentFile(signed.getvalue()))


def _signed(manifest: bytes) -> bytes:
    return json.dumps({**json.loads(manifest), "author": {"name": NAME, "email": EMAIL}}).encode()


def _questions(person: User, alice: User) -> None:
    for by, question in ((person, "How many?"), (alice, f"What does {EMAIL} do?"), (alice, "Which tools?")):
        AskQuestion.objects.create(user=by, question=question, verdict="answered", provider="p", model="m")


def _tasks(person: User) -> None:
    async_task("telemetry.tasks.rewrite_username", person.pk, task_name="rewrite", group=EMAIL)
    for number, success in enumerate((True, False)):
        now = timezone.now()
        Task.objects.create(
            id=f"{number:032}", name=f"task {number}", func="telemetry.tasks.process_usage", success=success,
            started=now, stopped=now, result=f"u{person.pk}_{SESSIONS[0]}.jsonl: failed for {EMAIL}",
        )  # fmt: skip


def _leftovers(person: User) -> None:
    """Of uploads and exports that were killed an hour ago."""
    spool = Path(settings.SPOOL_DIR)
    spool.mkdir(exist_ok=True)
    raw = transcript_bytes(lines(SESSIONS[0]))
    content = {
        spool / "killed.jsonl.zst": zstandard.compress(raw)[:-9],
        spool / "export-killed": raw,
        spool / "index-17-1-v1.sqlite3": raw,
        Path(settings.DATA_DIR, f"transcripts/{person.pk}/{'a' * 64}.jsonl.zst"): zstandard.compress(raw),
    }
    for path, each in content.items():
        path.write_bytes(each)
        os.utime(path, (time.time() - 3600,) * 2)


def traces_left() -> set[str]:
    """Which of the person's traces stand in any file or any table, also where it was packed."""
    found = set()
    for text in _texts():
        found |= {trace for trace in TRACES if trace in text}
    return found


def _texts() -> Iterator[str]:
    yield from texts_below(Path(settings.DATA_DIR))
    yield from texts_in_database()
    for row in OrmQ.objects.all():
        yield str(row.task)
    for row in Task.objects.all():
        yield f"{row.args} {row.kwargs} {row.result}"
    if connection.vendor == "sqlite":
        name = Path(str(connection.settings_dict["NAME"]))
        for path in name.parent.glob(f"{name.name}*"):
            yield path.read_bytes().decode("latin-1")
