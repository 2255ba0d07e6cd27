from hypothesis import given
from hypothesis import strategies as st

from telemetry.tests.builders import Line, assistant_line, tool_use, transcript_bytes, user_line
from telemetry.tests.transcripts.helpers import AnyLine, fingerprint_of
from telemetry.transcripts.extracting import Extraction, extract
from telemetry.transcripts.fingerprints import (
    NOTHING_FOREIGN,
    Fingerprint,
    foreign_to,
    merged,
    message_hash,
    record_hash,
    tool_call_hash,
)


def call(uuid: str, tool_id: str, message_id: str) -> Line:
    return assistant_line(tool_use("Bash", tool_id), uuid=uuid, message_id=message_id)


def in_owner_order(*transcripts: list[Line]) -> list[Extraction]:
    """What each of a person's transcripts counts."""
    fingerprints = [fingerprint_of(*lines) for lines in transcripts]
    return [
        extract([[transcript_bytes(lines)]], foreign=foreign_to(fingerprints[index], fingerprints[:index]))
        for index, lines in enumerate(transcripts)
    ]


def counted(*transcripts: list[Line]) -> list[tuple[list[str], list[str], int]]:
    """The calls, messages and prompts that each transcript counts."""
    return [
        (
            [event.identity for event in extraction.events],
            [message.key for message in extraction.messages],
            extraction.figures.human_prompts,
        )
        for extraction in in_owner_order(*transcripts)
    ]


class TestCopies:
    FIRST = [user_line(uuid="p1"), call("u1", "t1", "m1")]

    def test_a_copied_record_counts_in_the_first_transcript_only(self):
        fork = [*self.FIRST, user_line(uuid="p2"), call("u2", "t2", "m2")]
        assert counted(self.FIRST, fork) == [(["t1"], ["m1"], 1), (["t2"], ["m2"], 1)]

    def test_a_mere_copy_counts_nothing_but_its_lines(self):
        _, copy = in_owner_order(self.FIRST, self.FIRST)
        assert ([*copy.events], [*copy.messages]) == ([], [])
        assert (copy.figures.lines, copy.figures.started_ms, copy.figures.cwd) == (2, None, "")

    def test_three_deep(self):
        second = [*self.FIRST, call("u2", "t2", "m2")]
        third = [*second, call("u3", "t3", "m3")]
        assert [calls for calls, _, _ in counted(self.FIRST, second, third)] == [["t1"], ["t2"], ["t3"]]
        assert [calls for calls, _, _ in counted(self.FIRST, third, second)] == [["t1"], ["t2", "t3"], []]

    def test_results_are_found_in_copies(self):
        answer = user_line({"type": "tool_result", "tool_use_id": "t2"}, uuid="r")
        first = [user_line(uuid="p"), answer]
        _, second = in_owner_order(first, [answer, call("u2", "t2", "m2")])
        assert [event.is_error for event in second.events] == [False]

    def test_a_copied_command_counts_once_and_a_copy_expands_nothing_elsewhere(self):
        command = user_line("<command-name>/x</command-name>", uuid="c")
        expanded = [command, user_line("Do it.", isMeta=True, parentUuid="c", uuid="e")]
        first, second = in_owner_order(expanded, expanded)
        assert (first.figures.human_prompts, second.figures.human_prompts) == (1, 0)
        assert [len(first.events), len(second.events)] == [1, 0]


class TestKeys:
    def test_a_call_counts_where_it_is_first_in_a_record_of_its_own(self):
        first, second = [call("u1", "t", "m1")], [call("u2", "t", "m2")]
        assert counted(first, second) == [(["t"], ["m1"], 0), ([], ["m2"], 0)]

    def test_a_message_as_well_and_no_piece_of_it_counts_again(self):
        first = [call("u1", "t1", "m")]
        second = [call("u2", "t2", "m"), call("u3", "t3", "m")]
        assert counted(first, second) == [(["t1"], ["m"], 0), (["t2", "t3"], [], 0)]

    def test_a_copied_record_owns_nothing(self):
        """The second has t only in a copy, whose key the first counts; the third has it in a new record."""
        first = [call("u1", "t", "m")]
        second = [call("u1", "t", "m"), call("u2", "t2", "m2")]
        third = [call("u3", "t", "m")]
        assert counted(first, second, third)[2] == ([], [], 0)

    def test_a_copy_with_other_keys_does_not_own_them(self):
        """Record u1 is the first's, so what the second's copy of it has besides is still free."""
        first = [call("u1", "t1", "m1")]
        second = [call("u1", "t", "m"), user_line(uuid="p")]
        third = [call("u3", "t", "m")]
        assert counted(first, second, third) == [(["t1"], ["m1"], 0), ([], [], 1), (["t"], ["m"], 0)]

    def test_record_uuids_calls_and_messages_are_different_things(self):
        first = [call("same", "t1", "m1"), call("u2", "same", "m2")]
        second = [call("t1", "m1", "same"), call("m2", "u2", "t1")]
        assert counted(first, second)[1] == (["m1", "u2"], ["same", "t1"], 0)

    def test_a_synthetic_message_has_no_key(self):
        first = [assistant_line(message_id="m", model="<synthetic>", uuid="u1")]
        assert counted(first, [call("u2", "t", "m")])[1] == (["t"], ["m"], 0)

    def test_calls_without_an_id_are_their_records(self):
        record = assistant_line({"type": "tool_use", "name": "Bash"}, uuid="u1")
        assert [calls for calls, _, _ in counted([record], [record])] == [["u1:0"], []]


class TestFingerprint:
    LINES: list[AnyLine] = [user_line(uuid="p"), call("u", "t", "m"), call("u", "t9", "m9"), {"type": "new"}]

    def test_it_is_the_sequence_of_core_records_with_their_keys(self):
        expected = [(record_hash("p"), []), (record_hash("u"), [tool_call_hash("t"), message_hash("m")])]
        assert list(fingerprint_of(*self.LINES).records()) == expected

    def test_it_comes_back_from_its_stored_form(self):
        fingerprint = fingerprint_of(*self.LINES)
        assert Fingerprint.from_bytes(bytes(fingerprint)).hashes == fingerprint.hashes
        assert len(bytes(fingerprint)) == 8 * len(fingerprint)

    def test_its_stored_form_does_not_depend_on_the_machine(self):
        assert bytes(fingerprint_of(user_line(uuid="p"))).hex() == "0c72d5bd89f3691f"

    def test_surrogates_are_told_apart(self):
        assert record_hash("a\ud800") != record_hash("a\ud801")

    def test_merged_parts_keep_the_first_of_a_repeated_record(self):
        one = fingerprint_of(user_line(uuid="p"), call("u", "t", "m"))
        two = fingerprint_of(call("u", "t2", "m2"), call("v", "t3", "m"))
        expected = [*one.records(), (record_hash("v"), [tool_call_hash("t3"), message_hash("m")])]
        assert list(merged([one, two]).records()) == expected
        assert merged([one]) is one

    def test_without_anything_shared_nothing_is_foreign(self):
        assert foreign_to(fingerprint_of(*self.LINES), [fingerprint_of(user_line())]) is NOTHING_FOREIGN
        assert not NOTHING_FOREIGN


SMALL = st.sampled_from("abc")
TRANSCRIPTS = st.lists(
    st.lists(st.builds(call, SMALL.map("u".__add__), SMALL, SMALL), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


@given(TRANSCRIPTS)
def test_every_call_and_message_counts_at_most_once(transcripts: list[list[Line]]):
    """And exactly where the plain reading of the rule says."""
    assert [(calls, keys) for calls, keys, _ in counted(*transcripts)] == by_the_plain_rule(transcripts)


def by_the_plain_rule(transcripts: list[list[Line]]) -> list[tuple[list[str], list[str]]]:
    """Go through the transcripts in owner order and note what came before."""
    records: set[str] = set()
    calls: set[str] = set()
    messages: set[str] = set()
    counted: list[tuple[list[str], list[str]]] = []
    for lines in transcripts:
        own: dict[str, Line] = {}
        for line in lines:
            if line["uuid"] not in records:
                own.setdefault(line["uuid"], line)
        new_calls = dict.fromkeys(
            line["message"]["content"][0]["id"]
            for line in own.values()
            if line["message"]["content"][0]["id"] not in calls
        )
        new_messages = dict.fromkeys(
            line["message"]["id"] for line in own.values() if line["message"]["id"] not in messages
        )
        records.update(line["uuid"] for line in lines)
        calls.update(new_calls)
        messages.update(new_messages)
        counted.append((list(new_calls), list(new_messages)))
    return counted


def test_many_contested_keys_are_looked_for_in_one_go():
    """A hostile copy of all keys under new record ids must not cost the square of its length."""
    records = 20_000
    earlier, later = Fingerprint(), Fingerprint()
    for number in range(records):
        earlier.add_record(record_hash(f"a{number}"))
        earlier.add_tool_call(f"key{number}")
        later.add_record(record_hash(f"b{number}"))
        later.add_tool_call(f"key{number}")
    foreign = foreign_to(later, [earlier])
    assert (len(foreign.records), len(foreign.keys)) == (0, records)
