"""What the marketplaces say of identifiers reaches what is stored already, as if all were processed anew."""

import json
import random
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from telemetry.attribution.lock import attribute_in_this_transaction, wait_for_attributing_transactions
from telemetry.attribution.reattribution import process_again_where_named
from telemetry.attribution.writing import Belonging, Belongings, Key, replace_attribution
from telemetry.models import SessionTranscript, SkillAttribution, UsageDirtyDay, UsageEvent
from telemetry.processors.processing import process
from telemetry.processors.reprocessing import process_again
from telemetry.tests.builders import assistant_line, tool_result, tool_use, transcript_bytes, user_line
from telemetry.tests.figures import processed, upload, usage_of
from telemetry.tests.test_attribution import command, skill_call

pytestmark = pytest.mark.django_db(transaction=True)

ENDED = datetime(2026, 1, 1, tzinfo=UTC)
SKILL = Belonging("skill", "kit:rows")
KIT = {Key("market/kit", "kit:rows"): SKILL, Key("market/kit", "rows"): SKILL}


def tell(**tables: dict[Key, Belonging]) -> set[str]:
    return replace_attribution("curated", tables)


def stored() -> set[tuple[object, ...]]:
    return set(SkillAttribution.objects.values_list("ref_id", "identifier", "canonical_name", "valid_to"))


class TestTelling:
    def test_the_tables_hold_what_was_told(self):
        assert tell(skills=KIT) == {"kit:rows", "rows"}
        assert stored() == {
            ("market/kit", "kit:rows", "kit:rows", None),
            ("market/kit", "rows", "kit:rows", None),
        }

    def test_telling_it_again_changes_nothing(self):
        tell(skills=KIT)
        before = set(SkillAttribution.objects.values_list("pk", flat=True))
        assert tell(skills=KIT) == set()
        assert set(SkillAttribution.objects.values_list("pk", flat=True)) == before

    def test_what_is_not_told_any_more_goes(self):
        tell(skills=KIT)
        assert tell() == {"kit:rows", "rows"}
        assert stored() == set()

    def test_another_sources_rows_stay(self):
        replace_attribution("flea", {"skills": KIT})
        tell(skills=KIT)
        tell()
        assert SkillAttribution.objects.filter(source="flea").count() == 2

    def test_an_end_concerns_nobody_unless_another_has_the_name(self):
        tell(skills=KIT)
        ended = {key: SKILL._replace(valid_to=ENDED) for key in KIT}
        assert tell(skills=ended) == set()
        assert tell(skills=KIT) == set()
        other = {Key("other/kit", "rows"): Belonging("command", "other:rows")}
        tell(skills=KIT, commands=other)
        assert tell(skills=ended, commands=other) == {"rows"}

    def test_another_component_under_the_same_name_concerns_it(self):
        tell(skills=KIT)
        moved = {**KIT, Key("market/kit", "rows"): Belonging("skill", "kit:lines")}
        assert tell(skills=moved) == {"rows"}


def reattribute(identifiers: set[str], at_most: int = 2) -> None:
    wait_for_attributing_transactions()
    after: int | None = 0
    while after is not None:
        after = process_again_where_named(identifiers, after=after, at_most=at_most)


class TestProcessingAgain:
    CASES = [
        (skill_call("kit:rows"), "kit:rows"),
        (command("kit:rows"), "kit:rows"),
        (skill_call("kit:gone"), "kit:"),
        (skill_call("rows", body="market/kit"), "market/kit"),
        ([assistant_line(tool_use("Agent", subagent_type="kit:a"))], "kit:a"),
        ([assistant_line(tool_use("mcp__plugin_kit_db__ask"))], "mcp__plugin_kit_db__"),
        ([assistant_line(attributionSkill="kit:rows")], "kit:rows"),
    ]

    @pytest.mark.parametrize(("lines", "identifier"), CASES)
    def test_only_what_names_the_identifier_is_pending_again(self, bob: User, lines: list, identifier: str):
        upload(bob, transcript_bytes([user_line(sessionId="named"), *_of("named", lines)]))
        upload(bob, transcript_bytes(_of("other", [user_line(), *skill_call("kits:rows")])))
        processed()
        reattribute({identifier})
        pending = SessionTranscript.objects.pending("usage")
        assert list(pending.values_list("session_id", flat=True)) == ["named"]

    def test_nothing_is_lost_and_the_days_are_published_anew(self, bob: User):
        upload(bob, transcript_bytes([user_line(), *skill_call("kit:rows")]))
        process("usage")
        reattribute(tell(skills=KIT))
        assert UsageEvent.objects.get().source == "builtin"
        report = process("usage")
        assert (report.processed, report.published_days) == (1, 1)
        assert UsageEvent.objects.get().ref_id == "market/kit"
        assert not UsageDirtyDay.objects.exists()

    @pytest.mark.parametrize("seed", range(6))
    def test_in_any_order_it_is_as_if_all_were_processed_anew(self, bob: User, seed: int):
        chance = random.Random(seed)
        worlds = [_world(chance) for _ in range(4)]
        steps: list[tuple[str, Any]] = [
            *(("tell", world) for world in worlds),
            *(("upload", number) for number in range(6)),
        ]
        chance.shuffle(steps)
        for kind, what in steps:
            if kind == "tell":
                reattribute(replace_attribution("curated", what), at_most=chance.randint(1, 4))
            else:
                upload(bob, _transcript(chance, f"s{what}"))
            if chance.random() < 0.6:
                processed()
        processed()
        reached = usage_of(bob)
        process_again(SessionTranscript.objects.all(), by=bob)
        processed()
        assert usage_of(bob) == reached


NAMES = ["kit:rows", "kit:cols", "rows", "cols", "kit:gone", "zip:rows"]


def _world(chance: random.Random) -> Belongings:
    """A few names, each of one or two items, some of them ended."""
    world: dict[str, dict[Key, Belonging]] = {"skills": {}, "commands": {}, "agents": {}, "mcp_servers": {}}
    for table in world:
        prefixes = ["mcp__plugin_kit_db__", "mcp__plugin_kit_db__x__"]
        names = prefixes if table == "mcp_servers" else [*NAMES, "kit:", "market/kit", "other/kit"]
        for name in chance.sample(names, k=2):
            for ref_id in chance.sample(["market/kit", "other/kit"], k=chance.randint(1, 2)):
                ended = chance.choice([None, ENDED])
                world[table][Key(ref_id, name)] = Belonging("skill", f"{ref_id}:{name}", ended)
    return world


def _transcript(chance: random.Random, session: str) -> bytes:
    lines = [user_line()]
    for number in range(chance.randint(1, 4)):
        name = chance.choice(NAMES)
        dispatch = assistant_line(tool_use("Agent", "t", subagent_type=name))
        not_found = tool_result("t", f"Agent type '{name}' not found", is_error=True)
        call = chance.choice(
            [
                skill_call(name, body=chance.choice([None, "market/kit", "other/kit"])),
                command(name),
                [dispatch],
                [dispatch, user_line(not_found)],
                [assistant_line(tool_use("mcp__plugin_kit_db__x__ask"), attributionSkill=name)],
            ]
        )
        # Each call has an id of its own, or it would be a copy.
        lines += json.loads(json.dumps(call).replace('"t"', f'"{session}-{number}"'))
    return transcript_bytes(_of(session, lines))


def _of(session: str, lines: list) -> list:
    return [{**line, "sessionId": session} for line in lines]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's writers wait for each other anyway")
def test_who_read_the_attribution_before_it_changed_is_waited_for():
    reading, go_on, waited = threading.Event(), threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            attribute_in_this_transaction()
            reading.set()
            go_on.wait(10)
        connection.close()

    def wait() -> None:
        wait_for_attributing_transactions()
        waited.set()
        connection.close()

    writer, waiter = threading.Thread(target=write), threading.Thread(target=wait)
    writer.start()
    assert reading.wait(10)
    waiter.start()
    assert not waited.wait(0.5)
    go_on.set()
    assert waited.wait(10)
    writer.join()
    waiter.join()
