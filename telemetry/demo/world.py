"""Put the demo organisation into the database, through the same doors as everybody's transcripts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import AuditLog, User
from telemetry.demo.people import DOMAIN, PEOPLE, Person
from telemetry.demo.sessions import transcripts_of
from telemetry.demo.workdays import DAYS
from telemetry.intake.storing import store_transcript
from telemetry.models import SessionTranscript, UsageEvent
from telemetry.processors.processing import process
from telemetry.processors.registry import PROCESSORS
from telemetry.processors.report import RunReport

GROUP = "Demo"
REMOVED = "demo.remove"
# What is being done, how much of it, of how much.
Progress = Callable[[str, int, int], None]


@dataclass
class Created:
    """What was made in this run; `events` are all that the demo has."""

    people: int = 0
    transcripts: int = 0
    known_already: int = 0
    events: int = 0
    failed: int = 0


class DemoAddressTaken(AgnesError):
    status = 409
    code = "demo_address_taken"


def demo_people() -> QuerySet[User]:
    """Both marks must be there, so that nobody real is ever taken for a part of the demo."""
    people: QuerySet[User] = User.objects.filter(groups__name=GROUP, email__endswith=f"@{DOMAIN}")
    return people


def was_removed() -> bool:
    """Whether somebody took the demo away: it does not come back by itself."""
    return AuditLog.objects.filter(action=REMOVED).exists()


def is_unfinished() -> bool:
    """Whether making the demo was interrupted, so that some of its people have no transcript."""
    return demo_people().filter(transcripts=None).exists()


def create(
    *,
    now: datetime,
    people: Sequence[Person] = PEOPLE,
    before_sessions: Callable[[], None] = lambda: None,
    on_progress: Progress = lambda *_: None,
) -> Created:
    """Make what is missing of the demo: nothing is made twice, and an interrupted run is completed.

    `before_sessions` is for what needs the people, and what the sessions need.
    """
    owners = _make_people(people, now.date())
    before_sessions()
    created = Created(people=len(owners))
    for done, (person, owner) in enumerate(zip(people, owners, strict=True)):
        on_progress("Sessions", done, len(owners))
        for transcript in transcripts_of(person, _last_day(owner), now):
            stored = store_transcript(owner, [transcript.raw], uploaded_name=transcript.name)
            if stored.status == "new":
                created.transcripts += 1
            else:
                created.known_already += 1
    on_progress("Sessions", len(owners), len(owners))
    _process(created, on_progress)
    audit.record("demo.create", params={"people": created.people, "transcripts": created.transcripts})
    return created


def _process(created: Created, on_progress: Progress) -> None:
    for name in PROCESSORS:
        report = _run(name, on_progress)
        created.failed += report.failed
    # Not what this run extracted: a worker beside it may have done a part.
    created.events = UsageEvent.objects.filter(user__in=demo_people().values("pk")).count()


def _run(name: str, on_progress: Progress) -> RunReport:
    total = SessionTranscript.objects.pending(name).count()
    return process(
        name, wait=True, on_progress=lambda report: on_progress(f"Processor {name}", report.processed, total)
    )


@transaction.atomic
def _make_people(people: Sequence[Person], last_day: date) -> list[User]:
    group, _ = Group.objects.get_or_create(name=GROUP)
    joined = datetime.combine(last_day - timedelta(days=DAYS - 1), time(), UTC)
    return [_find_or_make(person, group, joined) for person in people]


def _find_or_make(person: Person, group: Group, joined: datetime) -> User:
    known: User | None = User.objects.filter(email=person.email).first()
    if known is None:
        return _make(person, group, joined)
    if not known.groups.contains(group):
        hint = f"Give that person another address, or put them into the group “{GROUP}”."
        raise DemoAddressTaken(f"{person.email} belongs to somebody outside the demo.", hint)
    return known


def _make(person: Person, group: Group, joined: datetime) -> User:
    name = f"{person.name} (demo)"
    made: User = User.objects.create_user(
        person.email, name=name, time_zone=person.time_zone, date_joined=joined
    )
    made.groups.add(group)
    return made


def _last_day(owner: User) -> date:
    """The demo's last day is the day on which it was made first: made again, it is the same."""
    return owner.date_joined.astimezone(UTC).date() + timedelta(days=DAYS - 1)
