"""What a record of the user says: prompts, commands, results, and what Claude Code put in."""

from collections.abc import Iterator
from typing import Any

from telemetry.transcripts.prompts import UserClass, classify, spoken_text
from telemetry.transcripts.records import Record
from telemetry.transcripts.results import call_result
from telemetry.transcripts.values import clean
from telemetry.viewing.commands import command_entry, output_entry, without_output_tags
from telemetry.viewing.entry import Entry, Kind
from telemetry.viewing.wording import content_of, list_of, media_of, text_and_media, text_of

_CLASSES = {
    UserClass.BY_AGENT: (Kind.PROMPT, "Prompt by an agent"),
    UserClass.SUMMARY: (Kind.SUMMARY, "Summary of what was compacted"),
    UserClass.INJECTED: (Kind.INJECTED, "Put in by Claude Code"),
    UserClass.NOTIFICATION: (Kind.MESSAGE, "Background task"),
    UserClass.PEER: (Kind.MESSAGE, "Message of another agent"),
    UserClass.PLAN: (Kind.PROMPT, "Plan handed over"),
    UserClass.EMPTY: (Kind.INJECTED, "Put in by Claude Code"),
    UserClass.PROGRAMMATIC_PROMPT: (Kind.PROMPT, "Prompt by a program"),
    UserClass.HUMAN_PROMPT: (Kind.PROMPT, "Prompt"),
}
_PROMPTS = frozenset({UserClass.HUMAN_PROMPT, UserClass.PROGRAMMATIC_PROMPT})


def user_entries(value: dict[str, Any], record: Record, in_agent_file: bool) -> Iterator[Entry]:
    # A record of a subagent has no other classes, wherever it stands.
    user_class = classify(record, main_thread=not in_agent_file and record.isSidechain is not True)
    if user_class is UserClass.TOOL_RESULT:
        yield from _result_entries(value, record)
        return
    notes = media_of(list_of(content_of(value)))
    for entry in _spoken_entries(record, user_class):
        entry.notes, notes = notes, []
        yield entry


def _spoken_entries(record: Record, user_class: UserClass) -> Iterator[Entry]:
    whole = record.text
    text = spoken_text(whole)
    if user_class is UserClass.COMMAND:
        yield command_entry(text)
    elif user_class is UserClass.OUTPUT:
        yield output_entry(text)
    elif user_class is UserClass.SHELL:
        is_input = text.startswith("<bash-input>")
        kind, title = (Kind.SHELL, "Shell command") if is_input else (Kind.OUTPUT, "Output of the shell")
        yield Entry(kind, title, without_output_tags(text))
    elif user_class is UserClass.INTERRUPTION:
        yield Entry(Kind.INTERRUPTION, "Interrupted by the person", about=text.strip("[]"))
    else:
        kind, title = _CLASSES[user_class]
        yield Entry(kind, title, text if user_class in _PROMPTS else whole)
    if user_class in _PROMPTS and text != whole.strip():
        yield Entry(Kind.INJECTED, "The same with what Claude Code added", whole)


def _result_entries(value: dict[str, Any], record: Record) -> Iterator[Entry]:
    others = []
    for index, block in enumerate(list_of(content_of(value))):
        if isinstance(block, dict) and block.get("type") == "tool_result":
            yield _result(block, record, index, value.get("toolUseResult"))
        else:
            others.append(block)
    text, notes = text_and_media(others)
    if text.strip() or notes:
        yield Entry(Kind.INJECTED, "Put in with a result", text, notes=notes)


def _result(block: dict[str, Any], record: Record, index: int, outcome: Any) -> Entry:
    text, notes = text_and_media(block.get("content"))
    return Entry(
        Kind.RESULT,
        "Result without a call here",
        text,
        notes=notes,
        call_id=text_of(block, "tool_use_id"),
        error_kind=call_result(record, record.blocks[index]).error_kind,
        agent_id=clean(outcome.get("agentId")) if isinstance(outcome, dict) else "",
    )
