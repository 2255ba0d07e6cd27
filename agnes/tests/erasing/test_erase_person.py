"""`manage.py erase_person`: nothing of the person is left anywhere, and nothing comes back."""

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.erasing import people
from accounts.errors import PersonErased
from accounts.models import AccessToken, AuditLog, Erasure, Scope, User
from agnes.erasing import erasing
from agnes.tests.erasing.world import EMAIL, NAME, SESSIONS, TRACES, lines, populate, traces_left
from marketplace.models import StackItem, StoreEntity
from marketplace.store.packs import read_pack
from telemetry.errors import LakeUnavailable
from telemetry.maintenance import listing, pruning, publishing_purges
from telemetry.models import (
    AskQuestion,
    SessionTranscript,
    UsageDaily,
    UsageDirtyDay,
    UsageEvent,
    UsagePluginDaily,
    UsageToolDaily,
    UsageUserDaily,
)
from telemetry.processors.processing import process
from telemetry.tests.builders import START, transcript_bytes
from telemetry.tests.figures import upload
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("erase_person", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def person(alice: User, charlie: User) -> User:
    return populate(alice, charlie)


def counts_in(told: str) -> dict[str, int]:
    rows = [line.split(maxsplit=1) for line in told.splitlines() if line.startswith("   ")]
    return {name: int(count.replace(",", "")) for count, name in rows}


class TestErasing:
    def test_nothing_is_left_of_them_and_all_of_others(
        self, person: User, alice: User, charlie: User, client: Client
    ):
        """One world for all: making it takes seconds."""
        planned = self.told_by_a_dry_run(person)
        told = run(EMAIL, "--erase")
        assert "Nothing is left here" in told
        assert traces_left() == set()
        removed = counts_in(told)
        assert {name: removed[name] for name in planned} == planned
        self.assert_audited(person)
        self.assert_listed(person)
        self.assert_pseudonym(person, alice, client)
        self.assert_others_stay(charlie)
        self.assert_items_live_on(person, charlie)
        with pytest.raises(CommandError, match="who had it was erased"):
            run(EMAIL, "--erase")

    def told_by_a_dry_run(self, person: User) -> dict[str, int]:
        """What an erasure removes; nothing changes."""
        before = AuditLog.objects.count(), User.objects.values().get(pk=person.pk)
        planned = counts_in(run(EMAIL))
        assert traces_left() == set(TRACES)
        assert before == (AuditLog.objects.count(), User.objects.values().get(pk=person.pk))
        assert not Erasure.objects.exists()
        assert (planned["transcripts"], planned["questions"]) == (3, 2)
        files = {name: planned.pop(name) for name in ("stored files", "leftovers")}
        assert files == {"stored files": 4, "leftovers": 3}
        return planned

    def assert_audited(self, person: User) -> None:
        row = AuditLog.objects.get(action="user.erase")
        assert (row.target, row.client_kind) == (f"user:{person.pk}", "command")
        assert (row.params["transcripts"], row.params["access tokens"]) == (3, 1)
        assert all(isinstance(count, int) for count in row.params.values())
        assert AuditLog.objects.filter(actor=person.pk).exists()

    def assert_listed(self, person: User) -> None:
        """By hashes only."""
        row = Erasure.objects.get()
        assert row.finished_at
        hashes = people.account_hash(person), people.email_hash(EMAIL)
        entry = listing.ErasedEntry(person.pk, *hashes, row.begun_at)
        assert listing.read(listing.path()) == [entry]

    def assert_pseudonym(self, person: User, alice: User, client: Client) -> None:
        row = User.objects.get(pk=person.pk)
        assert (row.email, row.name) == (f"erased-{person.pk}@erased.invalid", "")
        assert not any([row.is_active, row.has_usable_password(), row.groups.exists(), row.last_login])
        client.force_login(alice)
        page = f"/admin/accounts/user/{person.pk}/change/"
        assert client.get(page).status_code == 200
        form = {"email": row.email, "time_zone": "UTC", "is_active": "on"}
        assert client.post(page, form).status_code == 403

    def assert_others_stay(self, charlie: User) -> None:
        """Figures and lake are as if the person had never been."""
        assert stored() == expected()
        assert in_lake() == in_database()
        assert not UsageDirtyDay.objects.exists()
        assert set(UsageEvent.objects.values_list("user", flat=True)) == {charlie.pk}
        assert set(SessionTranscript.objects.values_list("owner", flat=True)) == {charlie.pk}
        assert list(AskQuestion.objects.values_list("question", flat=True)) == ["Which tools?"]

    def assert_items_live_on(self, person: User, charlie: User) -> None:
        """Those that others use, without the name."""
        entity = StoreEntity.objects.get()
        assert (entity.slug, entity.state, entity.owner_id) == ("broom", "published", person.pk)
        assert entity.served
        assert entity.plugin
        pseudonym = f"erased-{person.pk}"
        assert read_pack(entity.served).record.author.name == pseudonym
        assert entity.plugin.author["name"] == pseudonym
        assert entity.plugin.readme == f"Written by {pseudonym}."
        assert set(StackItem.objects.values_list("user", flat=True)) == {charlie.pk}

    def test_who_alone_can_administer_stays(self, alice: User):
        for arguments in ([], ["--erase"]):
            with pytest.raises(CommandError, match="Make somebody else a superuser first"):
                run(alice.email, *arguments)
        alice.refresh_from_db()
        assert alice.is_active

    def test_somebody_of_whom_there_is_nothing(self, bob: User):
        assert "nothing but the account itself" in run(bob.email)
        run(bob.email, "--erase")
        assert not User.objects.filter(email=bob.email).exists()


class TestAfterwards:
    def send(self, client: Client, token: str) -> Any:
        return client.post(
            "/api/upload/sessions",
            transcript_bytes(lines(SESSIONS[0])),
            content_type="application/x-ndjson",
            headers={"Authorization": f"Bearer {token}"},
        )

    def test_an_upload_that_began_before_is_refused(self, bob: User):
        people.begin(bob)
        with pytest.raises(PersonErased):
            upload(bob, transcript_bytes(lines(SESSIONS[0])))
        assert not SessionTranscript.objects.exists()

    def test_an_old_token_is_refused_and_the_same_address_is_a_new_person(
        self, client: Client, token_for: Callable[..., str]
    ):
        person = User.objects.create_user(EMAIL, name=NAME)
        token = token_for(person, Scope.UPLOAD)
        assert self.send(client, token).status_code == 201
        process("usage")
        run(EMAIL, "--erase")
        answer = self.send(client, token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")
        assert traces_left() == set()
        again = User.objects.create_user(EMAIL, name=NAME)
        assert again.pk != person.pk
        assert self.send(client, token_for(again, Scope.UPLOAD)).status_code == 201
        process("usage")
        assert set(UsageEvent.objects.filter(username=EMAIL).values_list("user", flat=True)) == {again.pk}
        run(EMAIL, "--erase")
        assert traces_left() == set()
        assert Erasure.objects.exclude(finished_at=None).count() == 2


class TestInterrupted:
    def test_what_is_in_use_is_told_and_goes_on(self, person: User, monkeypatch: Any):
        def fail(**options: Any) -> None:
            raise LakeUnavailable("gone")

        with monkeypatch.context() as patch:
            patch.setattr(publishing_purges, "publish", fail)
            with pytest.raises(CommandError, match="the lake could not be cleaned"):
                run(EMAIL, "--erase")
        assert not AuditLog.objects.filter(action="user.erase").exists()
        assert "are left" in run(EMAIL)
        assert "Nothing is left here" in run(EMAIL, "--erase")
        assert traces_left() == set()
        assert AuditLog.objects.get(action="user.erase").params["transcripts"] == 3

    def test_the_doctor_finds_and_finishes_it(self, person: User):
        erasing.begin(person)
        out = io.StringIO()
        with pytest.raises(CommandError, match="left to cure"):
            call_command("doctor", stdout=out)
        assert "1 erasure of people to be finished" in out.getvalue()
        with suppress(CommandError):
            # The spool folder is of no concern here.
            call_command("doctor", "--fix", stdout=out)
        assert "Finished 1 erasure." in out.getvalue()
        assert traces_left() == set()
        assert not AccessToken.objects.exists()


class TestFrozenDays:
    def test_their_part_is_subtracted(self, alice: User, bob: User, charlie: User, settings: Any):
        settings.USAGE_EVENTS_RETENTION_DAYS = 61
        old = (timezone.now() - START - timedelta(days=100)).total_seconds()
        upload(bob, transcript_bytes(lines(SESSIONS[0], 4, at=old)))
        upload(charlie, transcript_bytes(lines("charlies", 2, at=old)))
        process("usage")
        pruning.prune(actor=None)
        assert not UsageEvent.objects.exists()
        day = UsageDaily.objects.get()
        assert (day.people, day.sessions, day.prompts, day.invocations_builtin) == (2, 2, 2, 6)
        run(bob.email, "--erase")
        day.refresh_from_db()
        assert (day.people, day.sessions, day.prompts, day.invocations_builtin) == (1, 1, 1, 2)
        tool = UsageToolDaily.objects.get()
        assert (tool.invocations, tool.distinct_users) == (2, 1)
        assert not UsagePluginDaily.objects.exists()
        assert set(UsageUserDaily.objects.values_list("user", flat=True)) == {charlie.pk}
        assert in_lake() == in_database()
