"""From items of the flea market to whose an identifier is, and to events that were stored before."""

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from marketplace.catalogue.attributing import reattribute
from marketplace.models import Plugin, StoreEntity
from marketplace.tests.conftest import Run
from marketplace.tests.repositories import Repository, entry, kit, marketplace
from marketplace.tests.repositories import plugin as curated_plugin
from marketplace.tests.store.conftest import SECRET, Person, plugin, skill
from telemetry.attribution.lookup import BUILTIN, Item
from telemetry.attribution.writing import MODELS
from telemetry.models import SessionTranscript, UsageEvent, UsagePluginDaily
from telemetry.processors.processing import process
from telemetry.tests.builders import assistant_line, tool_use, transcript_bytes, user_line
from telemetry.tests.figures import processed, upload
from telemetry.tests.test_attribution import command, item_of, owner_of, skill_call

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("inspected_here")]


def identifiers() -> set[str]:
    return {
        identifier
        for model in MODELS.values()
        for identifier in model._default_manager.filter(source="flea", valid_to=None).values_list(
            "identifier", flat=True
        )
    }


class TestWhoseItIs:
    def test_a_skill(self, as_bob: Person):
        told = as_bob.upload(skill("tidy-up")).json()
        wanted = Item("flea", str(told["id"]), "skill", "tidy-up:tidy-up")
        assert item_of(*skill_call("tidy-up:tidy-up")) == item_of(*command("tidy-up")) == wanted
        assert item_of(*skill_call("tidy-up:other")) == Item("flea", str(told["id"]))

    def test_a_plugin(self, as_bob: Person):
        ref_id = str(as_bob.upload(plugin("row-kit")).json()["id"])
        rows = Item("flea", ref_id, "skill", "row-kit:rows")
        for name in ("row-kit:rows", "row-kit:row-counter", "row-counter"):
            assert item_of(*skill_call(name)) == rows
        agent = assistant_line(tool_use("Agent", subagent_type="row-kit:auditor"))
        assert item_of(agent) == Item("flea", ref_id, "agent", "row-kit:auditor")

    def test_where_a_skill_lies_says_whose_it_is(self, as_bob: Person, settings: Any):
        ref_id = str(as_bob.upload(skill("tidy-up")).json()["id"])
        assert owner_of(*skill_call("x", body=f"{settings.MARKETPLACE_NAME}/tidy-up")) == ref_id

    def test_what_is_held_is_nobodys(self, as_bob: Person, as_alice: Person):
        told = as_bob.upload(skill("bucket", SECRET)).json()
        assert identifiers() == set()
        assert item_of(*skill_call("bucket:bucket")) == BUILTIN
        as_alice.post(f"{told['id']}/release")
        assert owner_of(*skill_call("bucket:bucket")) == str(told["id"])

    def test_a_held_version_brings_no_names(self, as_bob: Person, as_alice: Person):
        told = as_bob.upload(plugin("row-kit")).json()
        before = identifiers()
        columns = "---\nname: columns\ndescription: Counts.\n---\n" + SECRET
        as_bob.new_version(told["id"], plugin("row-kit", "2.0.0", **{"skills/columns/SKILL.md": columns}))
        assert identifiers() == before
        as_alice.post(f"{told['id']}/release")
        assert identifiers() - before == {"row-kit:columns", "columns"}

    def test_curated_before_flea(self, as_bob: Person, repository: Repository, run: Run):
        as_bob.upload(plugin("row-kit"))
        repository.commit(marketplace(entry("a")) | curated_plugin("a", skills={"x": "row-counter"}))
        run("marketplace_add", repository.url)
        assert owner_of(*skill_call("row-counter")) == "kits/a"
        assert item_of(*skill_call("row-kit:row-counter")).source == "flea"

    def test_a_sync_leaves_the_flea_markets_rows(self, as_bob: Person, repository: Repository, run: Run):
        as_bob.upload(plugin("row-kit"))
        before = identifiers()
        repository.commit(kit())
        run("marketplace_add", repository.url)
        assert identifiers() == before
        as_bob.upload(skill("tidy-up"))
        assert owner_of(*skill_call("acme:rows")) == "kits/acme-kit"

    def test_backfill_fills_empty_tables(self, as_bob: Person, run: Run):
        as_bob.upload(plugin("row-kit"))
        before = identifiers()
        for model in MODELS.values():
            model._default_manager.all().delete()
        run("backfill_attribution")
        assert identifiers() == before
        assert run("backfill_attribution").startswith("0 identifiers")


class TestWhatWasStored:
    @pytest.fixture
    def called(self, bob: User) -> None:
        upload(bob, transcript_bytes([user_line(), *skill_call("tidy-up:tidy-up")]))
        processed()

    def owners(self) -> set[tuple[str, str | None]]:
        reattribute()
        process("usage")
        return set(UsageEvent.objects.values_list("source", "ref_id"))

    def test_an_item_that_is_uploaded_late(self, as_charlie: Person, called: None):
        assert self.owners() == {("builtin", None)}
        told = as_charlie.upload(skill("tidy-up")).json()
        assert self.owners() == {("flea", str(told["id"]))}
        assert UsagePluginDaily.objects.get().ref_id == str(told["id"])

    @pytest.mark.parametrize("end", ["takedown", "withdraw"])
    def test_past_and_late_events_keep_their_item(
        self, as_charlie: Person, as_alice: Person, bob: User, called: None, end: str
    ):
        told = as_charlie.upload(skill("tidy-up")).json()
        self.owners()
        as_alice.post(f"{told['id']}/{end}", reason="It deletes too much.")
        assert Plugin.objects.get().valid_to
        assert identifiers() == set()
        assert self.owners() == {("flea", str(told["id"]))}
        late = [{**line, "sessionId": "late"} for line in (user_line(), *command("tidy-up:tidy-up"))]
        upload(bob, transcript_bytes(late))
        processed()
        assert self.owners() == {("flea", str(told["id"]))}

    def test_what_only_its_owner_called_is_nobodys_after_deletion(self, as_bob: Person, called: None):
        told = as_bob.upload(skill("tidy-up")).json()
        self.owners()
        assert as_bob.delete(told["id"]).json()["removed"] is True
        assert self.owners() == {("builtin", None)}

    def test_what_others_called_is_archived(self, as_charlie: Person, called: None):
        told = as_charlie.upload(skill("tidy-up")).json()
        self.owners()
        assert as_charlie.delete(told["id"]).json()["removed"] is False
        assert self.owners() == {("flea", str(told["id"]))}

    def test_a_new_version_without_new_names_processes_nothing_anew(self, as_charlie: Person, called: None):
        told = as_charlie.upload(skill("tidy-up")).json()
        self.owners()
        as_charlie.new_version(told["id"], skill("tidy-up", "Otherwise.\n"))
        reattribute()
        assert not SessionTranscript.objects.pending("usage").exists()

    def test_it_is_among_the_most_popular(self, as_charlie: Person, called: None):
        told = as_charlie.upload(skill("tidy-up")).json()
        self.owners()
        [listed] = as_charlie.get("/api/marketplace/items").json()["items"]
        assert (listed["ref_id"], listed["source"]) == (str(told["id"]), "flea")


class TestAtOnce:
    def test_of_uploads_of_one_name_one_wins(self, person: Any, bob: User, charlie: User, alice: User):
        people = [person(user) for user in (bob, charlie, alice, bob)]
        answers: list[Any] = []

        def send(one: Person) -> None:
            try:
                answers.append(one.upload(skill("tidy-up")))
            finally:
                connection.close()

        threads = [threading.Thread(target=send, args=(one,)) for one in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 201
        assert all(status in (409, 422) for status in statuses[1:])
        assert StoreEntity.objects.get().versions.count() == 1
        assert Plugin.objects.get().components.count() == 1
