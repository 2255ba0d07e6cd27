"""New versions, and what admins decide about held ones."""

from typing import Any

import pytest

from accounts.models import AuditLog, User
from marketplace.models import Marketplace, Plugin, StoreVersion
from marketplace.store import differences
from marketplace.tests.planting import plant_plugin
from marketplace.tests.store.conftest import ENTITIES, SECRET, Person, plugin, skill
from telemetry.tests.intake.conftest import error_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("inspected_here")]


@pytest.fixture
def published(as_bob: Person) -> Any:
    answer = as_bob.upload(skill("tidy-up")).json()
    assert answer["verdict"] == "published", answer
    return answer


@pytest.fixture
def held(as_bob: Person) -> Any:
    answer = as_bob.upload(skill("bucket", SECRET)).json()
    assert answer["verdict"] == "held", answer
    return answer


def states(person: Person, entity_id: int) -> dict[int, str]:
    return {it["number"]: it["state"] for it in person.get(str(entity_id)).json()["versions"]}


class TestNewVersion:
    def test_it_takes_the_place_of_the_one_before(self, as_bob: Person, as_charlie: Person):
        told = as_bob.upload(plugin("row-kit")).json()
        more = {"skills/columns/SKILL.md": "---\nname: columns\ndescription: Counts.\n---\nCount.\n"}
        answer = as_bob.new_version(told["id"], plugin("row-kit", "1.1.0", **more))
        assert answer.status_code == 201, answer.json()
        assert (answer.json()["number"], answer.json()["served_version"]) == (2, 2)
        assert states(as_charlie, told["id"]) == {1: "superseded", 2: "published"}
        item = as_charlie.get(f"/api/marketplace/items/flea/{told['id']}").json()
        assert item["version"] == "1.1.0"
        assert "row-kit:columns" in [part["identifier"] for part in item["components"]]
        assert {it["version"] for it in item["versions"]} == {"1.0.0", "1.1.0"}

    def test_while_it_is_held_the_old_one_stays(self, as_bob: Person, as_charlie: Person, published: Any):
        answer = as_bob.new_version(published["id"], skill("tidy-up", SECRET)).json()
        assert (answer["verdict"], answer["served_version"], answer["held_version"]) == ("held", 1, 2)
        assert states(as_bob, published["id"]) == {1: "published", 2: "held"}
        seen = as_charlie.get(published["id"]).json()
        assert (seen["served_version"], seen["held_version"]) == (1, None)
        assert states(as_charlie, published["id"]) == {1: "published"}
        assert as_charlie.get(f"{published['id']}/versions/2/files").status_code == 404

    def test_a_better_one_replaces_the_held_one(self, as_bob: Person, as_charlie: Person, held: Any):
        answer = as_bob.new_version(held["id"], skill("bucket")).json()
        assert (answer["verdict"], answer["state"]) == ("published", "published")
        assert states(as_bob, held["id"]) == {1: "superseded", 2: "published"}
        assert states(as_charlie, held["id"]) == {2: "published"}

    def test_the_same_again_is_refused(self, as_bob: Person, published: Any):
        answer = as_bob.new_version(published["id"], skill("tidy-up"))
        assert answer.status_code == 409
        assert error_of(answer)["code"] == "same_content"
        assert StoreVersion.objects.count() == 1

    def test_what_is_rejected_changes_nothing(self, as_bob: Person, published: Any):
        answer = as_bob.new_version(published["id"], {"../SKILL.md": "no"})
        assert answer.status_code == 422
        assert states(as_bob, published["id"]) == {1: "published"}

    def test_an_admin_uploads_one_for_its_owner(self, as_alice: Person, published: Any):
        answer = as_alice.new_version(published["id"], skill("tidy-up", "Better.\n"))
        assert answer.status_code == 201, answer.json()
        assert [it["uploaded_by"] for it in answer.json()["versions"]] == ["Alice", "Bob"]
        assert answer.json()["owner"] == "Bob"

    def test_what_was_named_alike_later_does_not_stop_it(self, as_bob: Person, published: Any):
        plant_plugin(Marketplace.objects.create(slug="kits", name="kits", url="x"), "TidyUp")
        answer = as_bob.new_version(published["id"], skill("tidy-up", "Better.\n"))
        assert answer.status_code == 201, answer.json()

    def test_only_the_owner_uploads_one(self, as_charlie: Person, published: Any):
        assert as_charlie.new_version(published["id"], skill("tidy-up", "Mine.\n")).status_code == 403
        assert as_charlie.new_version(999, skill("tidy-up")).status_code == 404


class TestDecisions:
    def test_release_publishes(self, as_alice: Person, as_charlie: Person, held: Any):
        answer = as_alice.post(f"{held['id']}/release", version=1)
        assert answer.status_code == 200, answer.json()
        assert answer.json()["state"] == "published"
        verdicts = answer.json()["versions"][0]["verdicts"]
        assert [(it["verdict"], it["by"]) for it in verdicts] == [
            ("held", "guardrails"),
            ("released", "alice@example.com"),
        ]
        assert as_charlie.get("/api/marketplace/items", source="flea").json()["total"] == 1
        row = AuditLog.objects.get(action="store.release")
        assert (row.actor, row.target) == (as_alice.user.pk, f"store:{held['id']}")

    def test_a_refusal_has_a_reason_that_the_owner_reads(self, as_alice: Person, as_bob: Person, held: Any):
        assert as_alice.post(f"{held['id']}/refuse", reason=" ").status_code == 422
        assert as_alice.post(f"{held['id']}/refuse", reason="Take the key out.").status_code == 200
        seen = as_bob.get(held["id"]).json()
        assert (seen["state"], seen["held_version"]) == ("pending", None)
        last = seen["versions"][0]["verdicts"][-1]
        assert (last["verdict"], last["by"], last["reason"]) == ("refused", "admin", "Take the key out.")
        assert as_bob.new_version(held["id"], skill("bucket")).json()["state"] == "published"

    def test_the_refusal_of_a_new_version_leaves_the_old_one(
        self, as_alice: Person, as_bob: Person, published: Any
    ):
        as_bob.new_version(published["id"], skill("tidy-up", SECRET))
        told = as_alice.post(f"{published['id']}/refuse", reason="No keys.").json()
        assert (told["state"], told["served_version"]) == ("published", 1)

    def test_nobody_releases_what_they_have_not_seen(self, as_alice: Person, as_bob: Person, held: Any):
        as_bob.new_version(held["id"], skill("bucket", SECRET + "And another thing.\n"))
        assert as_alice.post(f"{held['id']}/release", version=1).status_code == 409
        assert as_alice.post(f"{held['id']}/release", version=2).status_code == 200
        assert as_alice.post(f"{held['id']}/release").status_code == 409

    def test_a_takedown_ends_it_at_once_and_keeps_the_evidence(
        self, as_alice: Person, as_bob: Person, as_charlie: Person, published: Any
    ):
        answer = as_alice.post(f"{published['id']}/takedown", reason="It deletes too much.")
        assert answer.status_code == 200, answer.json()
        assert as_charlie.get(published["id"]).status_code == 404
        assert as_charlie.get(f"/api/marketplace/items/flea/{published['id']}").status_code == 404
        assert as_charlie.get("/api/marketplace/items").json()["total"] == 0
        assert as_alice.get(f"{published['id']}/versions/1/files").json()["total"] > 0
        assert states(as_bob, published["id"]) == {1: "refused"}
        assert as_alice.post(f"{published['id']}/takedown", reason="Again.").status_code == 409
        assert as_bob.delete(published["id"]).json() == {"id": published["id"], "removed": False}

    def test_what_came_before_it_does_not_come_back(
        self, as_alice: Person, as_bob: Person, as_charlie: Person, published: Any
    ):
        as_bob.new_version(published["id"], skill("tidy-up", "Worse.\n"))
        as_alice.post(f"{published['id']}/takedown", reason="It deletes too much.")
        as_bob.new_version(published["id"], skill("tidy-up", "Delete nothing.\n"))
        as_alice.post(f"{published['id']}/release")
        assert states(as_charlie, published["id"]) == {3: "published"}
        assert as_charlie.get(f"{published['id']}/versions/1/files").status_code == 404

    def test_after_a_takedown_an_admin_decides_about_the_next_version(
        self, as_alice: Person, as_bob: Person, as_charlie: Person, published: Any
    ):
        as_alice.post(f"{published['id']}/takedown", reason="It deletes too much.")
        told = as_bob.new_version(published["id"], skill("tidy-up", "Delete nothing.\n")).json()
        assert (told["verdict"], told["state"]) == ("held", "archived")
        assert as_alice.post(f"{published['id']}/release").json()["state"] == "published"
        assert states(as_charlie, published["id"]) == {2: "published"}
        assert Plugin.objects.get().valid_to is None

    def test_the_diff_shows_what_would_change(self, as_alice: Person, as_bob: Person, published: Any):
        as_bob.new_version(published["id"], skill("tidy-up", SECRET))
        told = as_alice.get(f"{published['id']}/diff").json()
        assert (told["served"], told["held"], told["is_cut"]) == (1, 2, False)
        [changed] = [it for it in told["files"] if it["path"].endswith("SKILL.md")]
        assert changed["change"] == "changed"
        assert "-Do it well." in changed["diff"].splitlines()

    def test_what_takes_long_to_compare_is_shown_as_a_whole(
        self, as_alice: Person, as_bob: Person, monkeypatch: Any
    ):
        monkeypatch.setattr(differences, "COMPARISONS", 10)
        lines = "".join(f"{number}\n" for number in range(9))
        told = as_bob.upload({**skill("tidy-up", lines), "a.md": "1\n2\n3\n"}).json()
        other = lines.replace("0\n1\n2\n3\n4\n5", SECRET)
        as_bob.new_version(told["id"], {**skill("tidy-up", other), "a.md": "1\n4\n3\n"})
        found = {
            it["path"].rpartition("/")[2]: it for it in as_alice.get(f"{told['id']}/diff").json()["files"]
        }
        assert "-name: tidy-up" in found["SKILL.md"]["diff"].splitlines()
        assert found["a.md"]["diff"].splitlines()[2:] == ["@@ -1,3 +1,3 @@", " 1", "-2", "+4", " 3"]

    def test_of_a_first_version_all_is_new(self, as_alice: Person, held: Any):
        told = as_alice.get(f"{held['id']}/diff").json()
        assert told["served"] is None
        assert {it["change"] for it in told["files"]} == {"added"}


class TestWhoSeesWhat:
    def test_what_is_held_is_its_owners_and_the_admins(
        self, as_alice: Person, as_bob: Person, as_charlie: Person, held: Any
    ):
        paths = [held["id"], f"{held['id']}/versions/1/files"]
        for path in paths:
            assert as_charlie.get(path).status_code == 404
            assert as_bob.get(path).status_code == as_alice.get(path).status_code == 200
        for query in ({}, {"source": "flea"}, {"q": "bucket"}):
            assert as_charlie.get("/api/marketplace/items", **query).json()["total"] == 0
        assert as_charlie.get(f"/api/marketplace/items/flea/{held['id']}").status_code == 404
        assert as_charlie.get("").json()["total"] == 0
        [own] = as_bob.get("").json()["items"]
        assert own["slug"] == "bucket"

    def test_admins_see_the_queue(self, as_alice: Person, held: Any, published: Any):
        assert as_alice.get("").json()["total"] == 2
        [waiting] = as_alice.get("", waiting="true").json()["items"]
        assert (waiting["id"], waiting["held_version"]) == (held["id"], 1)
        [other] = as_alice.get("", state="published").json()["items"]
        assert other["id"] == published["id"]

    def test_an_admins_token_without_the_scope_is_anybodys(self, alice: User, held: Any, token_for: Any):
        browsing = Person(alice, token_for(alice, "marketplace"))
        assert browsing.get(held["id"]).status_code == 404
        assert browsing.post(f"{held['id']}/release").status_code == 403

    def test_people_decide_nothing(self, as_bob: Person, held: Any):
        for action in ("release", "refuse", "takedown"):
            assert as_bob.post(f"{held['id']}/{action}", reason="x").status_code == 403


class TestFiles:
    def test_text_is_text_whatever_it_is(self, as_bob: Person, as_charlie: Person):
        files: dict[str, str | bytes] = {
            **skill("drawing"),
            "assets/a.svg": "<svg onload='alert(1)'/>",
            "assets/b.bin": b"\0\1",
        }
        told = as_bob.upload(files).json()
        path = f"{ENTITIES}/{told['id']}/versions/1/files"
        listed = [it["path"] for it in as_charlie.get(path).json()["items"]]
        [picture] = [it for it in listed if it.endswith("a.svg")]
        answer = as_charlie.get(f"{path}/{picture}")
        assert answer.content == b"<svg onload='alert(1)'/>"
        assert answer["Content-Type"].startswith("text/plain")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox")
        [binary] = [it for it in listed if it.endswith("b.bin")]
        assert as_charlie.get(f"{path}/{binary}")["Content-Disposition"].startswith("attachment")
        assert as_charlie.get(f"{path}/{listed[0]}x").status_code == 404
        assert as_charlie.get(f"{path}/../../../etc/passwd").status_code == 404
