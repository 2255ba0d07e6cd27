"""Slash commands and what commands put out: records of users and of the system say both."""

import re

from telemetry.transcripts.prompts import command_name
from telemetry.viewing.entry import Entry, Kind

_OUTPUT_TAG = re.compile(
    r"</?(?:local-command-(?:stdout|stderr|caveat)|bash-(?:input|stdout|stderr))>", re.ASCII
)
_ARGUMENTS = re.compile(r"<command-args>([^<]*)")


def command_entry(text: str) -> Entry:
    name = command_name(text)
    arguments = _ARGUMENTS.search(text)
    title = "Slash command" if name else "Slash command without a name"
    return Entry(Kind.COMMAND, title, arguments[1] if arguments else "", about=f"/{name}" if name else "")


def output_entry(text: str) -> Entry:
    return Entry(Kind.OUTPUT, "Output of a command", without_output_tags(text))


def without_output_tags(text: str) -> str:
    return _OUTPUT_TAG.sub("", text)
