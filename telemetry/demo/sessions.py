"""The transcripts of one person, as Claude Code would have left them on their machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from random import Random

from telemetry.demo.conversation import Conversation
from telemetry.demo.people import Person
from telemetry.demo.vocabulary import CLIENT_VERSIONS, PROJECTS, Project
from telemetry.demo.workdays import DAYS, session_starts
from telemetry.demo.writer import Setting, TranscriptWriter

SEED = 20
FORKED = 0.05
TORN = 0.02
TORN_LINE = b'{"parentUuid":null,"type":"assistant","mess\n'


@dataclass(frozen=True)
class DemoTranscript:
    name: str
    raw: bytes


def transcripts_of(person: Person, last_day: date, now: datetime) -> Iterator[DemoTranscript]:
    """Main transcripts and those of subagents, oldest first. Sessions not over by `now` are left out."""
    previous: Conversation | None = None
    calendar = Random(f"{SEED}/{person.email}/{last_day}")
    for number, start in enumerate(session_starts(person, last_day, calendar)):
        rng = Random(f"{SEED}/{person.email}/{last_day}/{number}")
        setting_of = partial(_setting, person, start=start, last_day=last_day, rng=rng)
        if previous and rng.random() < FORKED:
            project = previous.project
            writer = previous.writer.fork(rng, setting_of(project), start)
        else:
            project = PROJECTS[rng.choice(person.team.projects)]
            writer = TranscriptWriter(rng, setting_of(project), start)
        conversation = Conversation(person, project, writer)
        conversation.hold()
        if writer.now >= now:
            return
        previous = conversation
        yield from _files(conversation)


def _setting(person: Person, project: Project, *, start: datetime, last_day: date, rng: Random) -> Setting:
    age = DAYS - 1 - (last_day - start.date()).days
    home = f"/home/{person.login}"
    return Setting(
        home=home,
        cwd=f"{home}/{project.name}",
        branch=rng.choice(project.branches),
        version=[version for day, version in CLIENT_VERSIONS if day <= age][-1],
        model=rng.choice(person.models),
        day=age,
    )


def _files(conversation: Conversation) -> Iterator[DemoTranscript]:
    writer = conversation.writer
    raw = writer.raw()
    if writer.rng.random() < TORN:
        head, newline, tail = raw.partition(b"\n")
        raw = head + newline + TORN_LINE + tail
    yield DemoTranscript(f"{writer.session_id}.jsonl", raw)
    for agent in conversation.agents:
        name = f"{writer.session_id}/subagents/agent-{agent.agent_id}.jsonl"
        yield DemoTranscript(name, agent.raw())
