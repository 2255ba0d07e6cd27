"""Uploads as programs send them."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Scope, User
from marketplace.guardrails import Inspection
from marketplace.guardrails.inspecting import inspect_into
from marketplace.store import uploading

ENTITIES = "/api/store/entities"
TIDY = "---\nname: tidy\ndescription: Cleans up a folder.\n---\nPut every file where it belongs.\n"
# What an admin has to look at: a key that looks real.
SECRET = "Use the key AKIA" + "Q3EGRZDXV7MNPL5K to read the bucket.\n"


def skill(name: str, body: str = "Do it well.\n") -> dict[str, str]:
    head = f"---\nname: {name}\ndescription: Does {name}.\n---\n"
    return {"SKILL.md": head + body}


def plugin(name: str, version: str = "1.0.0", **more: str) -> dict[str, str]:
    manifest = {"name": name, "version": version, "description": f"The kit {name}."}
    return {
        f"{name}/.claude-plugin/plugin.json": json.dumps(manifest),
        f"{name}/skills/rows/SKILL.md": "---\nname: row-counter\ndescription: Counts rows.\n---\nCount.\n",
        f"{name}/agents/auditor.md": "---\nname: auditor\ndescription: Audits.\n---\nAudit.\n",
        f"{name}/README.md": f"# {name}\n\nCounts rows.\n",
        **{f"{name}/{path}": content for path, content in more.items()},
    }


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return content.getvalue()


class Person:
    """Somebody with a token for the flea market."""

    def __init__(self, user: User, token: str) -> None:
        self.user = user
        self._client = Client(headers={"authorization": f"Bearer {token}"})

    def upload(self, files: Mapping[str, str | bytes], url: str = ENTITIES, **query: str) -> Any:
        """As one .zip."""
        sent = SimpleUploadedFile("upload.zip", zipped(files))
        return self._client.post(url, {"file": sent}, query_params=query)

    def new_version(self, entity_id: int, files: Mapping[str, str | bytes]) -> Any:
        return self.upload(files, f"{ENTITIES}/{entity_id}/versions")

    def get(self, path: str, **query: str) -> Any:
        return self._client.get(_url(path), query)

    def post(self, path: str, **body: object) -> Any:
        return self._client.post(_url(path), body, content_type="application/json")

    def patch(self, path: str, **body: object) -> Any:
        return self._client.patch(_url(path), body, content_type="application/json")

    def put(self, path: str) -> Any:
        return self._client.put(_url(path))

    def delete(self, path: str) -> Any:
        return self._client.delete(_url(path))

    def post_form(self, content: bytes, boundary: str, **extra: Any) -> Any:
        form = f"multipart/form-data; boundary={boundary}"
        return self._client.generic("POST", ENTITIES, content, form, **extra)


def _url(path: str | int) -> str:
    path = str(path)
    return path if path.startswith("/") else f"{ENTITIES}/{path}".rstrip("/")


@pytest.fixture
def person(token_for: Callable[..., str]) -> Callable[[User], Person]:
    def make(user: User) -> Person:
        scopes = [Scope.MARKETPLACE, Scope.UPLOAD, *([Scope.ADMIN] if user.is_superuser else [])]
        return Person(user, token_for(user, *scopes))

    return make


@pytest.fixture
def as_bob(bob: User, person: Any) -> Person:
    made: Person = person(bob)
    return made


@pytest.fixture
def as_charlie(charlie: User, person: Any) -> Person:
    made: Person = person(charlie)
    return made


@pytest.fixture
def as_alice(alice: User, person: Any) -> Person:
    made: Person = person(alice)
    return made


@pytest.fixture
def inspected_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same inspection without a process of its own, for tests that upload a lot; it takes a tenth."""

    def inspected(files: Any, known: Any, target: Path, **wanted: Any) -> Inspection:
        with target.open("w+b") as file:
            return inspect_into(file, files, known, **wanted)

    monkeypatch.setattr(uploading, "inspect_in_child", inspected)
