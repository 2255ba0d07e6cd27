import io
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import tokens
from accounts.models import AuditLog, Scope, User
from agnes import demo
from marketplace.catalogue.attributing import reattribute
from marketplace.demo import flea, market, repository
from marketplace.errors import MarketplaceBusy
from marketplace.git.errors import GitUnusable
from marketplace.items.listing import list_items
from marketplace.items.query import ItemQuery
from marketplace.models import (
    Component,
    Marketplace,
    MarketplaceSyncLease,
    Plugin,
    StackItem,
    StoreEntity,
)
from telemetry.demo import removal, world
from telemetry.demo.people import PEOPLE
from telemetry.demo.sessions import transcripts_of
from telemetry.demo.vocabulary import PLUGIN_VERSIONS
from telemetry.intake.storing import store_transcript
from telemetry.leases import Lease, held
from telemetry.models import (
    ErrorKind,
    EventType,
    SessionProcessorState,
    SessionTranscript,
    SkillAttribution,
    UsageDirtyDay,
    UsageEvent,
    UsageSessionSummary,
    UsageUserDaily,
    VerificationFinding,
)
from telemetry.processors.library import PersonLibrary
from telemetry.processors.processing import process
from telemetry.tests.rollups.oracle import expected, stored
from telemetry.transcripts.extracting import extract
from telemetry.transcripts.fingerprints import NOTHING_FOREIGN

NOW = datetime(2026, 5, 29, 18, tzinfo=UTC)
FEW = (PEOPLE[3], PEOPLE[9])


@pytest.fixture(scope="module")
def extractions():
    return extracted_apart(PEOPLE)


def extracted_apart(people):
    """Each demo transcript as if it were the only one."""
    made = [transcript for person in people for transcript in transcripts_of(person, NOW.date(), NOW)]
    return [
        extract([[transcript.raw]], agent_id="a" if "/subagents/" in transcript.name else "")
        for transcript in made
    ]


class TestTranscripts:
    """What the generator writes, read with the extractor that reads everybody's."""

    def test_it_follows_from_its_seed(self):
        first, second = (list(transcripts_of(PEOPLE[0], NOW.date(), NOW)) for _ in range(2))
        assert first == second

    def test_it_ends_today_and_never_reaches_into_the_future(self, extractions):
        last = max(extraction.figures.ended_ms for extraction in extractions) / 1000
        assert NOW - timedelta(days=2) < datetime.fromtimestamp(last, UTC) < NOW
        first = min(extraction.figures.started_ms for extraction in extractions) / 1000
        assert NOW - timedelta(days=60) < datetime.fromtimestamp(first, UTC)

    def test_weekdays_are_busier_than_weekends(self, extractions):
        starts = [datetime.fromtimestamp(one.figures.started_ms / 1000, UTC) for one in extractions]
        weekend = sum(start.weekday() >= 5 for start in starts)
        assert 0 < weekend < len(starts) / 6

    def test_it_shows_every_kind_of_event_and_of_error(self, extractions):
        events = [event for extraction in extractions for event in extraction.events]
        assert {event.event_type for event in events} == set(EventType.values)
        assert {event.error_kind for event in events} == set(ErrorKind.values)
        assert any(event.is_error is None for event in events)
        assert any(event.skill_name and ":" in event.skill_name for event in events)
        assert any(event.skill_name and ":" not in event.skill_name for event in events)

    def test_it_shows_what_happens_in_sessions(self, extractions):
        for name in ("interruptions", "compactions", "api_retries", "malformed_lines", "builtin_commands"):
            assert any(getattr(extraction.figures, name) for extraction in extractions), name

    def test_people_differ(self):
        assert len({person.email for person in PEOPLE}) == len(PEOPLE) == 12
        assert len({person.sessions for person in PEOPLE}) > 6


@pytest.mark.django_db(transaction=True)
class TestDemo:
    @pytest.fixture
    def demo(self):
        return world.create(now=NOW, people=FEW)

    def test_it_makes_people_that_are_marked_and_cannot_sign_in(self, demo):
        people = world.demo_people()
        assert len(people) == demo.people == len(FEW)
        assert all(person.name.endswith("(demo)") and person.is_active for person in people)
        assert not any(person.has_usable_password() or person.is_staff for person in people)

    def test_it_processes_everything(self, demo):
        transcripts = SessionTranscript.objects.count()
        assert demo.transcripts == transcripts == UsageSessionSummary.objects.count()
        assert demo.events == UsageEvent.objects.count() > 300
        assert demo.failed == 0
        assert SessionProcessorState.objects.exclude(processed_at=None).count() == 2 * transcripts
        findings = set(VerificationFinding.objects.values_list("kind", flat=True))
        assert findings <= {VerificationFinding.Kind.MALFORMED_LINE}

    def test_its_figures_are_published(self, demo):
        assert not UsageDirtyDay.objects.exists()
        assert stored() == expected()
        assert len(stored()["usage_daily"]) > 10

    def test_it_counts_what_a_worker_beside_it_has_processed(self):
        created = world.create(now=NOW, people=FEW, on_progress=lambda *_: process("usage"))  # type: ignore
        assert created.events == UsageEvent.objects.count() > 300

    def test_it_counts_forked_history_once(self, demo):
        libraries = [PersonLibrary(person.pk) for person in world.demo_people()]
        batches = [batch for library in libraries for batch in library.batches(library.by_id)]
        foreign = [batch.foreign_to(known) for batch in batches for known in batch.members]
        assert any(of_others != NOTHING_FOREIGN for of_others in foreign)
        apart = [event.identity for extraction in extracted_apart(FEW) for event in extraction.events]
        assert demo.events == len(set(apart)) < len(apart)

    def test_a_second_time_changes_nothing(self, demo):
        again = world.create(now=NOW, people=FEW)
        assert (again.transcripts, again.known_already) == (0, demo.transcripts)
        assert UsageEvent.objects.count() == demo.events

    def test_a_later_day_does_not_double_it(self, demo):
        world.create(now=NOW + timedelta(days=9), people=FEW)
        days = UsageSessionSummary.objects.values_list("started_at", flat=True)
        assert max(day.date() for day in days if day) <= NOW.date()
        assert UsageSessionSummary.objects.count() - demo.transcripts < 6

    def test_an_interrupted_run_is_completed(self, demo):
        transcripts = SessionTranscript.objects.filter(owner=world.demo_people().last())
        UsageEvent.objects.all().delete()
        SessionProcessorState.objects.all().delete()
        missing = transcripts.count()
        transcripts.delete()
        assert world.is_unfinished()
        assert world.create(now=NOW, people=FEW).transcripts == missing
        assert UsageEvent.objects.count() == demo.events
        assert not world.is_unfinished()

    def test_clean_leaves_no_trace_but_the_audit_log(self, demo, bob: User):
        tokens.issue(world.demo_people()[0], name="tried", scopes=[Scope.UPLOAD])
        own = next(transcripts_of(PEOPLE[0], NOW.date(), NOW))
        kept = store_transcript(bob, [own.raw]).transcript
        audit_rows = AuditLog.objects.count()
        ids = set(world.demo_people().values_list("pk", flat=True))

        assert removal.count() == removal.Removed(demo.people, demo.transcripts, demo.events)
        assert removal.remove() == removal.Removed(demo.people, demo.transcripts, demo.events)

        assert not User.objects.filter(pk__in=ids).exists()
        assert not Group.objects.filter(name=world.GROUP).exists()
        assert rows_of(ids) == {}
        assert list(SessionTranscript.objects.all()) == [kept]
        assert default_storage.listdir(f"transcripts/{bob.pk}")[1]
        assert not any(default_storage.exists(f"transcripts/{pk}") for pk in ids)
        assert AuditLog.objects.count() == audit_rows + 1
        assert not any(stored().values())

    def test_clean_leaves_the_figures_of_others(self, demo, bob: User):
        store_transcript(bob, [next(transcripts_of(PEOPLE[0], NOW.date(), NOW)).raw])
        process("usage")
        removal.remove()
        assert UsageUserDaily.objects.exclude(user=bob).count() == 0
        assert stored() == expected()
        assert stored()["usage_daily"]

    def test_clean_spares_whoever_bears_one_mark_only(self, demo, bob: User):
        bob.groups.add(Group.objects.get(name=world.GROUP))
        outsider = User.objects.create_user("someone@demo.example")
        removal.remove()
        assert User.objects.filter(pk__in=[bob.pk, outsider.pk]).count() == 2
        assert bob.groups.exists()

    def test_it_takes_nobodys_address(self):
        User.objects.create_user(FEW[0].email)
        with pytest.raises(world.DemoAddressTaken):
            world.create(now=NOW, people=FEW)
        assert not world.demo_people().exists()


@pytest.mark.django_db(transaction=True)
class TestMarketplace:
    @pytest.fixture(autouse=True)
    def few_people(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(world, "create", partial(world.create, people=FEW))

    def test_its_plugins_load_and_its_sessions_use_them(self, bob: User):
        made = demo.create(now=timezone.now())
        assert made.trouble == ""
        listing = list_items(bob, ItemQuery(), popular=8)
        assert {item.name for item in listing.items} > set(PLUGIN_VERSIONS)
        assert all(item.title and item.description for item in listing.items)
        assert all(item.category for item in listing.items if item.source == "curated")
        assert {item.name: item.version for item in listing.items}.items() >= PLUGIN_VERSIONS.items()
        assert [item.does_not_load for item in listing.items] == [None] * listing.total
        assert "review-kit" in {item.name for item in listing.popular}
        assert {item.source for item in listing.popular} == {"curated", "flea"}
        assert 0 < len(listing.popular) < listing.total
        row = Marketplace.objects.get()
        assert (row.slug, row.name, row.findings) == ("demo-tools", "demo-tools", [])
        assert row.description.startswith("A demo")

    def test_every_identifier_of_the_demo_is_a_component(self):
        market.create()
        named = {
            name
            for person in PEOPLE
            for names in (person.team.skills, person.team.commands, person.team.agents)
            for name in names
            if ":" in name
        }
        known = set(Component.objects.values_list("canonical_id", flat=True))
        assert len(named) > 10
        assert named <= known | {f"{slug}:{slug}" for slug in flea.OWNERS}
        mcp_servers = {name for person in PEOPLE for name in person.team.mcp_servers}
        servers = {name.replace("_", ":") for name in mcp_servers if name.startswith("plugin_")}
        assert servers
        assert servers <= known

    def test_its_calls_are_attributed_to_components(self):
        demo.create(now=NOW)
        used = UsageEvent.objects.filter(source="curated")
        assert used.count() > 20
        assert not used.filter(component_name=None).exists()
        answered = UsageEvent.objects.filter(skill_name__startswith="review-kit:", is_error=False)
        assert answered.exists()
        assert not answered.exclude(ref_id="demo-tools/review-kit").exists()

    def test_its_flea_market_is_used_and_has_something_to_decide(self):
        demo.create(now=NOW)
        entities = dict(StoreEntity.objects.values_list("slug", "state"))
        assert entities == {"chart-notes": "published", "incident-helper": "held"}
        called = UsageEvent.objects.filter(source="flea").values_list("component_name", flat=True)
        assert set(called) == {"chart-notes:chart-notes"}
        assert StackItem.objects.filter(plugin__source="flea").exists()

    def test_a_second_time_changes_nothing(self):
        demo.create(now=NOW)
        marketplace, plugins = Marketplace.objects.get(), list(Plugin.objects.values())
        demo.create(now=NOW)
        assert Marketplace.objects.get().commit == marketplace.commit
        assert list(Plugin.objects.values()) == plugins

    def test_it_follows_a_data_folder_that_was_moved(self):
        market.create()
        Marketplace.objects.update(url="file:///before/demo/demo-tools.git")
        assert market.create().url == repository.url()

    def test_clean_removes_it_and_what_it_left_in_the_data_folder(self, settings):
        demo.create(now=NOW)
        assert str(demo.count()).endswith(", its marketplace")
        assert demo.remove().marketplace
        for model in (Marketplace, Plugin, Component, SkillAttribution, MarketplaceSyncLease, StoreEntity):
            assert not model._default_manager.exists(), model
        assert not list(settings.DATA_DIR.glob("**/demo*"))
        assert AuditLog.objects.filter(action="marketplace.remove", target="marketplace:demo-tools").exists()
        assert not demo.remove().marketplace

    def test_clean_gives_back_the_calls_of_others(self, bob: User):
        market.create()
        for transcript in transcripts_of(PEOPLE[0], NOW.date(), NOW):
            store_transcript(bob, [transcript.raw])
        process("usage")
        assert UsageEvent.objects.filter(ref_id="demo-tools/review-kit").exists()
        demo.remove()
        reattribute()
        process("usage")
        assert not UsageEvent.objects.exclude(source="builtin").exists()
        assert stored() == expected()

    def test_clean_waits_for_no_sync_but_says_so(self):
        lease = Lease("marketplace_sync_leases", {"marketplace_id": market.create().pk})
        with held(lease), pytest.raises(MarketplaceBusy):
            market.remove()
        assert Plugin.objects.exists()

    def test_somebodys_own_of_that_name_is_left_alone(self):
        own = Marketplace.objects.create(slug="demo-tools", url="https://git.example.com/demo-tools.git")
        made = demo.create(now=NOW)
        assert "There is a marketplace demo-tools already" in str(made)
        assert made.world.events
        demo.remove()
        assert Marketplace.objects.get() == own

    def test_without_git_there_are_sessions_only(self, monkeypatch: pytest.MonkeyPatch):
        def no_git(*args: object) -> None:
            raise GitUnusable("There is no git on this machine.", "Install the package git.")

        monkeypatch.setattr(repository, "run_git", no_git)
        made = demo.create(now=NOW)
        assert str(made).endswith("There is no git on this machine. Install the package git.")
        assert made.world.events
        assert not Marketplace.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestCommand:
    @pytest.fixture(autouse=True)
    def few_people(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(world, "create", partial(world.create, people=FEW[:1]))

    def test_a_dry_run_goes_with_clean_only(self):
        with pytest.raises(CommandError, match="--clean"):
            self.run("--dry-run")

    def run(self, *arguments: str) -> str:
        output = io.StringIO()
        call_command("demo", *arguments, stdout=output)
        return output.getvalue()

    def test_it_refuses_a_server_that_may_be_real(self, settings):
        settings.DEBUG = False
        with pytest.raises(CommandError, match="--force"):
            self.run()
        assert not User.objects.exists()

    def test_it_can_be_forced(self, settings):
        settings.DEBUG = False
        assert "1 people (@demo.example" in self.run("--force")

    def test_it_makes_says_so_and_removes(self, settings):
        settings.DEBUG = True
        assert "`manage.py demo --clean` removes it." in self.run()
        assert "is there already" in self.run()
        assert UsageEvent.objects.filter(occurred_at__lte=timezone.now()).exists()
        assert self.run("--clean", "--dry-run").startswith("Would remove the demo: 1 people")
        assert self.run("--clean").startswith("Removed the demo: 1 people")
        assert self.run("--clean") == "There is no demo to remove.\n"
        assert not world.demo_people().exists()


def rows_of(user_ids: set[int]) -> dict[str, int]:
    """How many rows of which model still point at these people or at their transcripts."""
    left = {}
    files = tuple(f"u{pk}_" for pk in user_ids)
    for model in apps.get_app_config("telemetry").get_models():
        names = {field.name for field in model._meta.get_fields()}
        for person in names & {"user", "owner"}:
            rows_left = model._base_manager.filter(**{f"{person}__in": user_ids}).count()
            left.update({model.__name__: rows_left} if rows_left else {})
        if "session_file" in names:
            named = model._base_manager.values_list("session_file", flat=True)
            rows_left = sum(name.startswith(files) for name in named)
            left.update({model.__name__: rows_left} if rows_left else {})
    return left
