"""The whole system from outside: what comes in, what is seen of it, what can be taken out and removed.

On the server that an operator has set up from nothing by the playbook. Beside the doors that people use, only
the database is looked at, where the question is what does not come out of any door.
"""

import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from agnes.tests.acceptance.conftest import PLAYBOOK, YESTERDAY, write_session
from agnes.tests.acceptance.machine import Shell
from agnes.tests.acceptance.platform import ADMIN, Platform
from agnes.tests.server import wait_until
from agnes.tests.test_docs import blocks_of
from telemetry.tests.builders import assistant_line, tool_result, tool_use, transcript_bytes, user_line

SEEDED = "5eed0000-0000-4000-8000-000000000001"
SECRET, OPEN = "5eed0000-0000-4000-8000-000000000002", "5eed0000-0000-4000-8000-000000000003"
SINCE = "2026-05-01"
QUESTION = "how many times was Bash invoked yesterday"
SKILL = "---\nname: minutes\ndescription: Writes minutes of a meeting.\n---\nList who decided what.\n"
CURATED, FLEA = "review-kit:review", "minutes:minutes"
EVENTS = "SELECT count(*) FROM usage_events"
STATES = "SELECT processor_name, count(*) FROM session_processor_state GROUP BY 1 ORDER BY 1"


@pytest.mark.slow
@pytest.mark.sample
def test_the_whole(platform: Platform, analyst: Shell):
    the_steps_of_the_playbook_work(platform)
    events_of_a_session_come_within_one_tick(platform)
    most_popular_has_curated_and_flea_cards(platform)
    sessions_are_downloaded_and_audited(platform)
    the_export_has_all_events(platform)
    the_client_exports_the_same_rows(platform)
    a_question_is_answered(platform)
    a_private_session_reaches_nothing(platform, analyst)
    reprocess_clears_events_and_their_states_only(platform)


def the_steps_of_the_playbook_work(platform: Platform) -> None:
    followed = [step.text for step in platform.operator.steps if step.page == PLAYBOOK.name]
    assert followed == [block.text for block in blocks_of(PLAYBOOK)]


def events_of_a_session_come_within_one_tick(platform: Platform) -> None:
    uploaded = platform.api(
        "store/entities", method="POST", files={"file": ("minutes/SKILL.md", SKILL.encode())}
    )
    assert uploaded.json()["verdict"] == "published", uploaded.text
    answer = platform.api("upload/sessions", method="POST", content=seeded())
    assert answer.status_code == 201, answer.text
    wait_until(lambda: bool(events_of(platform, SEEDED)), platform.tick_seconds())
    assert events_of(platform, SEEDED) == [("Bash", 4), ("Skill", 2)]


@cache
def seeded() -> bytes:
    """Four calls of Bash, and a skill of each kind of marketplace, this morning."""
    at = datetime.now(UTC) - timedelta(hours=1)
    calls = [*(tool_use("Bash", id=f"bash-{number}", command="ls") for number in range(4))]
    calls += [tool_use("Skill", id=f"skill-{name}", skill=name) for name in (CURATED, FLEA)]
    lines = [user_line("Hello", sessionId=SEEDED, timestamp=f"{at:%Y-%m-%dT%H:%M:%S}Z")]
    for call in calls:
        where: Any = {"sessionId": SEEDED, "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}Z"}
        lines += [assistant_line(call, **where), user_line(tool_result(call["id"]), **where)]
    return transcript_bytes(lines)


def events_of(platform: Platform, session: str) -> list[tuple[object, ...]]:
    return platform.rows(
        "SELECT tool_name, count(*) FROM usage_events WHERE session_id = ? GROUP BY 1 ORDER BY 1", session
    )


def most_popular_has_curated_and_flea_cards(platform: Platform) -> None:
    wait_until(lambda: FLEA.partition(":")[0] in popular(platform.page("/marketplace/")), 60)
    cards = popular(platform.page("/marketplace/"))
    assert 'href="/marketplace/curated/team-tools/review-kit/"' in cards
    assert re.search(r'href="/marketplace/flea/\d+/">minutes<', cards)


def popular(page: str) -> str:
    _, heading, rest = page.partition("Most popular — last 30 days")
    return rest.partition("</section>")[0] if heading else ""


def sessions_are_downloaded_and_audited(platform: Platform) -> None:
    [admin] = platform.api("admin/users", params={"q": ADMIN}).json()["items"]
    page = platform.page(f"/admin/accounts/user/{admin['id']}/change/")
    [single] = re.findall(rf'href="(/api/[^"]*{SEEDED}[^"]*/download)"', page)
    assert platform.download(single) == seeded()
    [everything] = re.findall(r'href="([^"]+)" download>Download all \(\.zip\)', page)
    with zipfile.ZipFile(io.BytesIO(platform.download(everything))) as archive:
        assert archive.read(f"{SEEDED}.jsonl") == seeded()
    [(transcript,)] = platform.rows("SELECT id FROM session_transcripts WHERE session_id = ?", SEEDED)
    targets = {
        "session.download": f"transcript:{transcript}",
        "session.download_all": f"user:{admin['id']}",
    }
    for action, target in targets.items():
        row = platform.api("admin/activity", params={"action": action, "client": "web"}).json()["items"][0]
        assert (row["actor_email"], row["target"]) == (ADMIN, target)


def the_export_has_all_events(platform: Platform) -> None:
    answer = platform.api("admin/usage/export", params={"format": "csv", "since": SINCE})
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    [(stored,)] = platform.rows(f"{EVENTS} WHERE occurred_at >= ?", SINCE)
    assert len(rows) == int(answer.headers["X-Agnes-Rows"]) == stored
    assert (
        sorted(row["tool_name"] for row in rows if row["session_id"] == SEEDED)
        == ["Bash"] * 4 + ["Skill"] * 2
    )


def the_client_exports_the_same_rows(platform: Platform) -> None:
    platform.operator.run(f"agnes admin usage export --format json --since {SINCE} --out ~/rows.json")
    rows = json.loads((platform.operator.home / "rows.json").read_text())
    assert rows == platform.events(since=SINCE)


def a_question_is_answered(platform: Platform) -> None:
    told = platform.operator.run(f'agnes admin ask --json "{QUESTION}"')
    answer = json.loads(told)
    assert answer["sql"].startswith("SELECT ")
    [(times,)] = platform.rows(
        f"{EVENTS} WHERE tool_name = 'Bash' AND date(occurred_at) = ?", YESTERDAY.isoformat()
    )
    assert [list(row.values()) for row in answer["rows"]] == [[times]]
    assert times


def a_private_session_reaches_nothing(platform: Platform, analyst: Shell) -> None:
    for session in (SECRET, OPEN):
        write_session(analyst.home, session, calls=2, workspace=analyst.home / "work")
    analyst.run('echo "$AGNES_TOKEN" | agnes login --server https://agnes.example.com --with-token')
    analyst.run(f"agnes mark-private {SECRET}")
    analyst.run("agnes push --all")
    wait_until(lambda: bool(events_of(platform, OPEN)), platform.tick_seconds())
    assert events_of(platform, OPEN) == [("Bash", 2)]
    assert events_of(platform, SECRET) == []
    assert platform.rows("SELECT count(*) FROM session_transcripts WHERE session_id = ?", SECRET) == [(0,)]
    for path in analyst.home.glob(f".claude/projects/*/{SECRET}.jsonl"):
        answer = platform.api(
            "upload/sessions", method="POST", token=analyst.token, content=path.read_bytes()
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "session_private")


def reprocess_clears_events_and_their_states_only(platform: Platform) -> None:
    """The worker is stopped, or it would have begun anew before anybody could look."""
    platform.operator.run("manage process_sessions")
    before, states = platform.rows(EVENTS), dict(platform.rows(STATES))
    kept = [
        f"SELECT count(*) FROM {table}"
        for table in ("session_transcripts", "session_transcript_parts", "accounts_user", "withheld_sessions")
    ]
    others = [platform.rows(statement) for statement in kept]
    assert set(states) == {"usage", "verification"}
    platform.operator.run("systemctl stop agnes-worker")
    platform.operator.run("agnes admin usage reprocess")
    assert platform.rows(EVENTS) == [(0,)]
    assert dict(platform.rows(STATES)) == {"verification": states["verification"]}
    assert [platform.rows(statement) for statement in kept] == others
    platform.operator.run("systemctl start agnes-worker")
    platform.operator.run("manage process_sessions")
    wait_until(lambda: platform.rows(EVENTS) == before, 60)
    assert (platform.rows(EVENTS), dict(platform.rows(STATES))) == (before, states)
