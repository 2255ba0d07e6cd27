"""What anybody uploads: published, held, or refused as a whole."""

import io
import os
import random
import socket
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts import slow_clients
from accounts.models import AuditLog, Scope, User
from marketplace.errors import SpaceExhausted
from marketplace.models import Marketplace, Plugin, ServedName, StoreEntity, StoreVerdict, StoreVersion
from marketplace.store import publishing, receiving
from marketplace.tasks import remove_stray_packs
from marketplace.tests.planting import plant_entity, plant_plugin
from marketplace.tests.store.conftest import ENTITIES, SECRET, Person, plugin, skill
from telemetry.tests.intake.conftest import error_of

pytestmark = pytest.mark.django_db


def packs() -> list[str]:
    return default_storage.listdir("store")[1] if default_storage.exists("store") else []


def spooled(data_folder: Path) -> list[Path]:
    return list((data_folder / "spool").rglob("*"))


class Silent(io.BytesIO):
    """A connection over which nothing comes any more after the content."""

    def read(self, size: int | None = -1) -> bytes:
        if chunk := super().read(size):
            return chunk
        raise BlockingIOError


class TestUploads:
    def test_a_plugin_is_published_at_once(self, as_bob: Person, own_data_folder: Path):
        answer = as_bob.upload(plugin("row-kit"))
        assert answer.status_code == 201, answer.json()
        told = answer.json()
        assert (told["slug"], told["kind"], told["state"]) == ("row-kit", "plugin", "published")
        assert (told["verdict"], told["number"], told["served_version"]) == ("published", 1, 1)
        assert told["owner"] == "Bob"
        assert told["description"] == "The kit row-kit."
        [version] = told["versions"]
        assert (version["version"], version["state"]) == ("1.0.0", "published")
        assert [(it["verdict"], it["by"]) for it in version["verdicts"]] == [("accepted", "guardrails")]
        assert packs() == [StoreVersion.objects.get().pack.removeprefix("store/")]
        assert spooled(own_data_folder) == []
        row = AuditLog.objects.get(action="store.upload")
        assert (row.target, row.result, row.actor) == (f"store:{told['id']}", "accepted", as_bob.user.pk)

    @pytest.mark.usefixtures("inspected_here")
    def test_a_single_file_and_a_folder_are_the_same_item_as_a_zip(self, as_bob: Person):
        boundary = "xxx"
        parts = [
            ("notes/SKILL.md", skill("notes")["SKILL.md"]),
            ("notes/reference/style.md", "Short.\n"),
        ]
        body = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path}"\r\n'
            f"Content-Type: text/markdown\r\n\r\n{text}\r\n"
            for path, text in parts
        )
        answer = as_bob.post_form(f"{body}--{boundary}--\r\n".encode(), boundary)
        assert answer.status_code == 201, answer.json()
        told = answer.json()
        assert (told["slug"], told["kind"]) == ("notes", "skill")
        files = as_bob.get(f"{told['id']}/versions/1/files").json()["items"]
        assert "skills/notes/reference/style.md" in [it["path"] for it in files]

    @pytest.mark.usefixtures("inspected_here")
    def test_it_is_an_item_of_the_marketplace_for_everybody(self, as_bob: Person, as_charlie: Person):
        told = as_bob.upload(skill("tidy-up")).json()
        [listed] = as_charlie.get("/api/marketplace/items", source="flea").json()["items"]
        assert (listed["source"], listed["ref_id"], listed["name"]) == ("flea", str(told["id"]), "tidy-up")
        assert listed["kinds"] == {"skill": 1}
        item = as_charlie.get(f"/api/marketplace/items/flea/{told['ref_id']}").json()
        assert [part["identifier"] for part in item["components"]] == ["tidy-up:tidy-up"]
        found = as_charlie.get("/api/marketplace/items", q="tidy").json()
        assert found["total"] == 1

    def test_what_is_suspicious_is_held(self, as_bob: Person, as_charlie: Person):
        answer = as_bob.upload(skill("bucket", SECRET))
        assert answer.status_code == 201, answer.json()
        told = answer.json()
        assert (told["verdict"], told["state"], told["held_version"]) == ("held", "held", 1)
        assert told["served_version"] is None
        [finding] = [it for it in told["findings"] if it["severity"] == "hold"]
        assert finding["path"].endswith("SKILL.md")
        assert finding["line"] == 5
        assert finding["cure"]
        assert "Q3EGRZDXV7MNPL5K" not in answer.content.decode()
        assert not Plugin.objects.exists()

    def test_what_is_rejected_leaves_nothing(self, as_bob: Person, own_data_folder: Path):
        answer = as_bob.upload({"../SKILL.md": skill("out")["SKILL.md"]})
        assert answer.status_code == 422
        error = error_of(answer)
        assert error["code"] == "upload_rejected"
        assert all({"path", "line", "text", "cure", "code"} <= it.keys() for it in error["findings"])
        assert error["findings"][0]["cure"]
        assert error["fields"]
        for model in (StoreEntity, StoreVersion, StoreVerdict, Plugin):
            assert not model._default_manager.exists()
        assert packs() == []
        assert spooled(own_data_folder) == []

    def test_nothing_is_not_an_upload(self, as_bob: Person):
        answer = as_bob.post_form(b"--x--\r\n", "x")
        assert answer.status_code == 422
        assert error_of(answer)["code"] == "nothing_uploaded"

    def test_what_is_too_large_is_not_read_to_its_end(
        self, as_bob: Person, own_data_folder: Path, monkeypatch: Any
    ):
        monkeypatch.setattr(receiving, "BYTES", 100_000)
        answer = as_bob.upload({"SKILL.md": skill("large")["SKILL.md"], "noise": _noise(200_000)})
        assert answer.status_code == 413
        assert error_of(answer)["code"] == "too_large"
        assert spooled(own_data_folder) == []

    @pytest.mark.usefixtures("inspected_here")
    def test_a_sender_that_falls_silent_is_given_up(self, as_bob: Person, own_data_folder: Path):
        ours, theirs = socket.socketpair()
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nhalf'
        connection = {"gunicorn.socket": ours, "wsgi.input": Silent(body), "CONTENT_LENGTH": "1000"}
        answer = as_bob.post_form(body, "x", **connection)
        assert answer.status_code == 400
        assert error_of(answer)["code"] == "form_broke"
        assert spooled(own_data_folder) == []
        limit = ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16)
        assert struct.unpack("ll", limit)[0] == slow_clients.PATIENCE_SECONDS
        ours.close()
        theirs.close()

    def test_too_many_files_are_not_read_to_their_end(
        self, as_bob: Person, own_data_folder: Path, monkeypatch: Any
    ):
        monkeypatch.setattr(receiving, "FILES", 2)
        part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nx\r\n'
        answer = as_bob.post_form(f"{part * 3}--x--\r\n".encode(), "x")
        assert answer.status_code == 413
        assert spooled(own_data_folder) == []

    @pytest.mark.usefixtures("inspected_here")
    def test_a_name_of_ones_own_item_leads_to_its_versions(self, as_bob: Person):
        told = as_bob.upload(skill("tidy-up")).json()
        answer = as_bob.upload(skill("tidy-up", "Otherwise.\n"))
        assert answer.status_code == 409
        assert f"{ENTITIES}/{told['id']}/versions" in error_of(answer)["hint"]

    @pytest.mark.usefixtures("inspected_here")
    def test_a_name_of_somebody_elses_item_is_rejected(self, as_bob: Person, as_charlie: Person):
        as_bob.upload(skill("tidy-up"))
        answer = as_charlie.upload(skill("tidy-up"))
        assert answer.status_code == 422
        assert StoreEntity.objects.count() == 1

    @pytest.mark.usefixtures("inspected_here")
    def test_the_name_under_which_a_curated_plugin_is_served_is_taken(self, as_bob: Person):
        market = Marketplace.objects.create(slug="kits", name="kits", url="x")
        served = plant_plugin(market, "tidy")
        ServedName.objects.create(plugin=served, name="tidy-up-kits")
        assert as_bob.upload(skill("tidy-up-kits")).status_code == 422

    @pytest.mark.usefixtures("inspected_here")
    def test_kind_and_name_can_be_wished_for(self, as_bob: Person):
        told = as_bob.upload({"whatever.md": "Be brief.\n"}, kind="command", name="brief").json()
        assert (told["slug"], told["kind"]) == ("brief", "command")


@pytest.mark.usefixtures("inspected_here")
class TestLeftovers:
    def test_a_failure_in_the_middle_leaves_nothing(
        self, as_bob: Person, own_data_folder: Path, monkeypatch: Any
    ):
        monkeypatch.setattr(publishing, "attribute_catalogue", lambda *_: 1 / 0)
        assert as_bob.upload(skill("tidy-up")).status_code == 500
        for model in (StoreEntity, StoreVersion, StoreVerdict, Plugin):
            assert not model._default_manager.exists()
        assert not AuditLog.objects.filter(action="store.upload").exists()
        assert packs() == []
        assert spooled(own_data_folder) == []

    def test_packs_that_killed_uploads_left_go_after_a_day(self, as_bob: Person, own_data_folder: Path):
        assert remove_stray_packs() == {"removed": 0}
        as_bob.upload(skill("tidy-up"))
        [kept] = packs()
        for name in ("left.zip", "new.zip"):
            default_storage.save(f"store/{name}", ContentFile(b"x"))
        long_ago = time.time() - 25 * 3600
        for name in ("left.zip", kept):
            os.utime(own_data_folder / "store" / name, (long_ago, long_ago))
        assert remove_stray_packs() == {"removed": 1}
        assert sorted(packs()) == sorted([kept, "new.zip"])


class TestScopes:
    @pytest.mark.parametrize("scope", [Scope.MARKETPLACE, Scope.READ])
    def test_who_steals_the_token_of_git_publishes_nothing(self, bob: User, token_for: Any, scope: Scope):
        thief = Person(bob, token_for(bob, scope))
        entity = plant_entity(bob, "broom")
        answers = [
            thief.upload(skill("evil")),
            thief.new_version(entity.pk, skill("broom", "Evil.\n")),
            thief.patch(str(entity.pk), description="Evil."),
            thief.post(f"{entity.pk}/withdraw"),
            thief.post(f"{entity.pk}/transfer", email="charlie@example.com"),
            thief.delete(str(entity.pk)),
        ]
        assert [answer.status_code for answer in answers] == [403] * 6
        assert "lacks the scope upload" in error_of(answers[0])["message"]
        assert thief.get(str(entity.pk)).status_code == 200

    def test_the_scope_upload_is_enough(self, bob: User, token_for: Any):
        person = Person(bob, token_for(bob, Scope.UPLOAD))
        answer = person.upload(skill("tidy-up"), description="Tidies.")
        assert answer.status_code == 201
        assert answer.json()["description"] == "Tidies."


@pytest.mark.usefixtures("inspected_here")
class TestQuotas:
    def test_uploads_in_a_day(self, as_bob: Person, as_charlie: Person, settings: Any):
        settings.STORE_UPLOADS_PER_DAY = 2
        as_bob.upload(skill("one"))
        as_bob.upload({"../x.md": "no"})
        answer = as_bob.upload(skill("three"))
        assert answer.status_code == 429
        assert 86_000 < int(answer["Retry-After"]) <= 86_401
        assert as_charlie.upload(skill("four")).status_code == 201

    def test_bytes_that_are_kept(self, as_bob: Person, bob: User, settings: Any):
        as_bob.upload(skill("one"))
        settings.STORE_MAX_BYTES_PER_PERSON = StoreVersion.objects.get().size + 10
        answer = as_bob.upload(skill("two"))
        assert answer.status_code == 413
        assert error_of(answer)["code"] == "space_exhausted"
        assert "200.0\xa0MB" in SpaceExhausted(200 * 1024**2).message
        assert len(packs()) == StoreEntity.objects.count() == 1


def _noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)
