"""From a synced catalogue to whose an identifier is, and to events that were stored before."""

import json
import random
from typing import Any

import pytest

from accounts.models import User
from marketplace.catalogue import attributing
from marketplace.catalogue.attributing import reattribute
from marketplace.catalogue.registering import add_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.models import Marketplace, Plugin, Reattribution
from marketplace.tasks import reattribute as reattribute_task
from marketplace.tests.conftest import Run
from marketplace.tests.repositories import Repository, entry, kit, marketplace, plugin
from telemetry.attribution.lookup import BUILTIN, Item
from telemetry.attribution.writing import MODELS
from telemetry.models import SessionTranscript, UsageComponentDaily, UsageEvent, UsagePluginDaily
from telemetry.processors.processing import process
from telemetry.processors.reprocessing import process_again
from telemetry.tests.builders import Line, assistant_line, tool_use, transcript_bytes, user_line
from telemetry.tests.figures import processed, upload, usage_of
from telemetry.tests.test_attribution import command, item_of, owner_of, skill_call

pytestmark = pytest.mark.django_db(transaction=True)


def dispatch(name: str) -> Line:
    return assistant_line(tool_use("Agent", subagent_type=name))


def mcp(name: str) -> Line:
    return assistant_line(tool_use(name))


def rows() -> dict[str, set[tuple[Any, ...]]]:
    """All rows of attribution, by table."""
    columns = ("identifier", "source", "ref_id", "component_kind", "canonical_name", "valid_to")
    return {table: set(model._default_manager.values_list(*columns)) for table, model in MODELS.items()}


@pytest.fixture
def sync(repository: Repository, run: Run) -> Any:
    """`sync(files)` commits them to `kits` and syncs it."""

    def commit_and_sync(files: dict[str, str]) -> None:
        repository.commit(files)
        if Marketplace.objects.exists():
            run("marketplace_sync", "kits")
        else:
            run("marketplace_add", repository.url)

    return commit_and_sync


@pytest.fixture
def other(tmp_path: Any) -> Repository:
    return Repository(tmp_path / "repositories" / "others")


class TestOneMarketplace:
    def test_every_kind_of_identifier(self, sync: Any):
        sync(kit())
        rows_skill = Item("curated", "kits/acme-kit", "skill", "acme:rows")
        for name in ("acme:rows", "acme:row-counter", "row-counter"):
            assert item_of(*skill_call(name)) == item_of(*command(name)) == rows_skill
        assert item_of(*command("acme:io:export")) == Item(
            "curated", "kits/acme-kit", "command", "acme:io:export"
        )
        assert item_of(dispatch("acme:auditor")) == Item("curated", "kits/acme-kit", "agent", "acme:auditor")
        server = Item("curated", "kits/acme-kit", "mcp_server", "plugin:acme:my.db")
        assert item_of(mcp("mcp__plugin_acme_my_db__query")) == server
        assert item_of(*skill_call("acme:older")) == Item("curated", "kits/acme-kit")
        assert item_of(*skill_call("acme-kit:rows")) == BUILTIN

    def test_where_a_skill_lies_says_whose_it_is(self, sync: Any):
        sync(kit())
        assert owner_of(*skill_call("old-name", body="acme-market/acme-kit")) == "kits/acme-kit"
        assert owner_of(*skill_call("old-name", body="kits/acme-kit")) is None
        files = {**kit(), **marketplace(entry("acme-kit"), name="new-market")}
        sync(files)
        for market in ("acme-market", "new-market"):
            assert owner_of(*skill_call("x", body=f"{market}/acme-kit")) == "kits/acme-kit"

    def test_a_command_comes_before_a_skill_of_the_same_name(self, sync: Any):
        sync(kit(skills={"top": ""}, commands=["top"]))
        assert item_of(*skill_call("acme:top")).component_kind == "command"

    def test_and_is_what_the_figures_of_both_name(self, sync: Any, bob: User):
        """Typed or called by the model: the command runs."""
        sync(kit(skills={"top": "summit"}, commands=["top"]))
        upload(bob, transcript_bytes([*command("acme:top"), *skill_call("acme:top")]))
        process("usage")
        rows = UsageComponentDaily.objects.values_list("component_kind", "component_name", "invocations")
        assert list(rows) == [("command", "acme:top", 2)]

    def test_a_skill_of_that_name_comes_before_a_command_that_only_calls_itself_so(self, sync: Any):
        named = {"acme-kit/commands/go.md": "---\nname: top\n---\nGo.\n"}
        sync(kit(skills={"top": ""}) | named)
        assert item_of(*skill_call("acme:top")).component_kind == "skill"
        assert item_of(*command("acme:top")).component_kind == "skill"
        assert item_of(*skill_call("top")).component_name == "acme:go"

    def test_what_vanished_is_known_still(self, sync: Any):
        sync(kit())
        sync(kit(skills={"cols": "row-counter"}))
        assert item_of(*skill_call("acme:rows")).component_name == "acme:rows"
        assert item_of(*skill_call("row-counter")).component_name == "acme:cols"
        sync(marketplace())
        assert item_of(*skill_call("acme:rows")).component_name == "acme:rows"

    def test_a_renamed_namespace(self, sync: Any):
        sync(kit())
        sync(kit(name="acme2"))
        assert item_of(*skill_call("acme:rows")) == Item("curated", "kits/acme-kit", "skill", "acme:rows")
        assert item_of(*skill_call("acme2:rows")) == Item("curated", "kits/acme-kit", "skill", "acme2:rows")
        assert item_of(*skill_call("acme:older")).ref_id == "kits/acme-kit"

    def test_a_renamed_plugin(self, sync: Any):
        sync(kit())
        renames = {"acme-kit": "kit-2", "ancient": "acme-kit"}
        sync(
            marketplace(entry("kit-2"), renames=renames) | plugin("kit-2", name="acme2", skills={"rows": ""})
        )
        assert item_of(*skill_call("acme:rows")) == Item("curated", "kits/kit-2", "skill", "acme:rows")
        assert owner_of(*skill_call("acme2:rows")) == "kits/kit-2"
        assert owner_of(*skill_call("ancient:rows")) == "kits/kit-2"
        assert owner_of(*skill_call("x", body="acme-market/acme-kit")) == "kits/kit-2"

    def test_of_a_plugin_hosted_elsewhere_the_entrys_name_is_assumed(self, sync: Any):
        sync(marketplace(entry("far", {"source": "github", "repo": "o/r"})))
        assert item_of(*skill_call("far:anything")) == Item("curated", "kits/far")
        assert item_of(mcp("mcp__plugin_far_any_server__query")) == Item("curated", "kits/far")

    def test_a_server_that_is_not_known_is_its_plugins(self, sync: Any):
        sync(kit(name="my.kit"))
        assert item_of(mcp("mcp__plugin_my_kit_older__query")) == Item("curated", "kits/acme-kit")
        assert item_of(mcp("mcp__plugin_my_kit2_older__query")) == BUILTIN


class TestTwoMarketplaces:
    def test_the_smaller_ref_id_unless_the_place_tells(self, sync: Any, other: Repository, run: Run):
        sync(kit())
        other.commit({**kit(), **marketplace(entry("acme-kit"), name="other-market")})
        run("marketplace_add", other.url)
        assert owner_of(*skill_call("acme:rows")) == "kits/acme-kit"
        assert owner_of(*skill_call("acme:rows", body="other-market/acme-kit")) == "others/acme-kit"

    def test_a_short_name_that_two_have_is_nobodys(self, sync: Any, other: Repository, run: Run):
        sync(kit())
        other.commit(marketplace(entry("b")) | plugin("b", skills={"x": "row-counter"}))
        run("marketplace_add", other.url)
        assert item_of(*skill_call("row-counter")) == BUILTIN
        other.commit(marketplace(entry("b")) | plugin("b"))
        run("marketplace_sync")
        assert owner_of(*skill_call("row-counter")) == "kits/acme-kit"

    def test_the_item_in_which_the_component_exists(self, sync: Any, other: Repository, run: Run):
        sync(kit())
        other.commit(marketplace(entry("b")) | plugin("b", name="acme", skills={"cols": ""}))
        run("marketplace_add", other.url)
        assert owner_of(*skill_call("acme:cols")) == "others/b"
        assert owner_of(*skill_call("acme:neither")) == "kits/acme-kit"


class TestBackfill:
    def test_it_fills_empty_tables_and_nothing_the_second_time(self, sync: Any, run: Run):
        sync(kit())
        sync(kit(skills={"cols": ""}))
        before = rows()
        for model in MODELS.values():
            model._default_manager.all().delete()
        assert not run("backfill_attribution").startswith("0 ")
        assert rows() == before
        assert run("backfill_attribution").startswith("0 identifiers")
        assert rows() == before

    def test_it_repairs(self, sync: Any, run: Run):
        sync(kit())
        before = rows()
        MODELS["skills"]._default_manager.update(ref_id="wrong/one")
        MODELS["agents"]._default_manager.create(
            identifier="x", source="curated", ref_id="a/b", component_kind="agent", canonical_name="x"
        )
        run("backfill_attribution")
        assert rows() == before

    def test_what_is_stored_follows(self, sync: Any, run: Run, bob: User):
        sync(kit())
        for model in MODELS.values():
            model._default_manager.all().delete()
        upload(bob, transcript_bytes([user_line(), *skill_call("acme:rows")]))
        processed()
        assert UsageEvent.objects.get().source == "builtin"
        assert "1 transcripts wait" in run("backfill_attribution")
        processed()
        assert UsageEvent.objects.get().ref_id == "kits/acme-kit"


class TestWhatWasStoredBefore:
    def test_a_marketplace_that_is_registered_late(self, repository: Repository, run: Run, bob: User):
        upload(
            bob, transcript_bytes([user_line(), *skill_call("acme:rows"), mcp("mcp__plugin_acme_my_db__q")])
        )
        process("usage")
        repository.commit(kit())
        assert "1 transcripts wait" in run("marketplace_add", repository.url)
        assert process("usage").published_days == 1
        assert set(UsageEvent.objects.values_list("ref_id", flat=True)) == {"kits/acme-kit"}
        assert UsagePluginDaily.objects.get().invocations == 2

    def test_a_sync_that_changes_no_attribution_processes_nothing_anew(
        self, sync: Any, repository: Repository, run: Run, bob: User
    ):
        sync(kit())
        upload(bob, transcript_bytes([user_line(), *skill_call("acme:rows")]))
        processed()
        sync(kit(more={"README.md": "New words."}))
        assert not SessionTranscript.objects.pending("usage").exists()
        assert not Reattribution.objects.exists()

    def test_it_goes_on_in_tasks_where_it_was(
        self, sync: Any, bob: User, monkeypatch: pytest.MonkeyPatch, repository: Repository, run: Run
    ):
        for number in range(5):
            call = [{**line, "sessionId": f"s{number}"} for line in [user_line(), *command("acme:rows")]]
            upload(bob, transcript_bytes(call))
        processed()
        repository.commit(kit())

        sync_marketplace(add_marketplace(read_location(repository.url)))
        monkeypatch.setattr(attributing, "TRANSCRIPTS_AT_ONCE", 2)
        moments = iter([0.0, 0.0, 99.0])
        with monkeypatch.context() as patch:
            patch.setattr(attributing, "monotonic", lambda: next(moments))
            assert reattribute_task() == {"done": False}
        pending = SessionTranscript.objects.pending("usage")
        assert (pending.count(), Reattribution.objects.get().done_to > 0) == (2, True)
        assert reattribute_task() == {"done": True}
        assert pending.count() == 5
        assert not Reattribution.objects.exists()

    @pytest.mark.parametrize("seed", range(4))
    def test_the_order_of_syncs_and_uploads_does_not_matter(
        self, repository: Repository, run: Run, bob: User, seed: int
    ):
        """In the end it is as if all were processed anew."""
        chance = random.Random(seed)
        steps = ["sync", "sync", "sync", *(f"s{number}" for number in range(6))]
        chance.shuffle(steps)
        for step in steps:
            if step == "sync":
                repository.commit(_catalogue(chance))
                if Marketplace.objects.exists():
                    sync_marketplace(Marketplace.objects.get())
                else:
                    run("marketplace_add", repository.url)
                reattribute()
            else:
                upload(bob, _transcript(chance, step))
            if chance.random() < 0.5:
                process("usage")
        process("usage")
        reached, published = usage_of(bob), _daily()
        process_again(SessionTranscript.objects.all(), by=bob)
        process("usage")
        assert (usage_of(bob), _daily()) == (reached, published)
        assert Plugin.objects.exists()


def _daily() -> set[tuple[Any, ...]]:
    return set(UsagePluginDaily.objects.values_list("day", "source", "ref_id", "invocations"))


def _catalogue(chance: random.Random) -> dict[str, str]:
    name = chance.choice(["acme", "acme", "acme2"])
    skills = {folder: chance.choice(["", "counter"]) for folder in chance.sample(["rows", "cols"], k=1)}
    renames = chance.choice([{}, {"kit": "kit-2"}, {"kit-2": "kit"}])
    entry_name = chance.choice(["kit", "kit-2"])
    files = plugin(entry_name, name=name, skills=skills, agents=["auditor"])
    return files | marketplace(entry(entry_name), renames=renames)


def _transcript(chance: random.Random, session: str) -> bytes:
    lines = [user_line()]
    for number in range(4):
        name = chance.choice(["acme:rows", "acme:cols", "acme2:rows", "counter", "acme:gone"])
        call = chance.choice(
            [
                skill_call(name),
                command(name),
                [dispatch("acme:auditor")],
                skill_call("x", body="acme-market/kit"),
            ]
        )
        lines += [_renumbered(line, f"{session}-{number}") for line in call]
    return transcript_bytes({**line, "sessionId": session} for line in lines)


def _renumbered(line: Line, mark: str) -> Line:
    """Calls of different transcripts have different ids, or they would be copies."""
    return dict(json.loads(json.dumps(line).replace('"t"', f'"{mark}"')))
