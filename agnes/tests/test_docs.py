"""What the documents say is so: their commands run, their links lead somewhere, what they name exists."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from agnes.tests.server import environment_without_agnes
from telemetry.demo.people import PEOPLE
from telemetry.demo.sessions import transcripts_of
from telemetry.lake.tables import TABLES
from telemetry.tests.lake.bucket import BUCKET, s3_server

ROOT: Path = settings.BASE_DIR
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
# `<!-- not run: … -->` above a block says why; `<!-- on a server -->` that agnes/tests/acceptance/ runs it.
BLOCK = re.compile(
    r"(?:^<!-- (?:not run: (?P<reason>.+?)|(?P<place>on a server)) -->\n+)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Pages whose every block is run in their own tests.
FOLLOWED = {ROOT / "docs" / "PLATFORM_SETUP.md", *ROOT.glob("docs/HOWTO/*.md")}
# What is no command: an example of JSON, a picture, lines of a file.
SHOWN = {"ini", "json", "mermaid", "properties", ""}
COLUMNS = re.compile(r"^### (usage_\w+)\n\n.+\n\nColumns: (.+)\.$", re.MULTILINE)
COLUMN = re.compile(r"`(\w+)` ([A-Z]+(?:\([\d,]+\))?)")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH_IN_CODE = re.compile(
    r"(?:accounts|agnes|marketplace|telemetry|deploy|docs|scripts|benchmarks|\.ci)/[\w/.-]*"
)


@dataclass(frozen=True)
class Block:
    page: Path
    language: str
    text: str
    reason: str | None
    place: str | None = None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.text.splitlines()[0][:60]}"


def blocks_of(page: Path, language: str = "sh", *, place: str | None = None) -> list[Block]:
    """Those that can be run there."""
    found = [Block(page, **block.groupdict()) for block in BLOCK.finditer(page.read_text())]
    return [
        block for block in found if block.language == language and block.place == place and not block.reason
    ]


RUNNABLE = [page for page in PAGES if blocks_of(page) and page not in FOLLOWED]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody who ran `make run` once and has used Claude Code."""
    home = tmp_path_factory.mktemp("home")
    now = datetime.now(UTC)
    for transcript in transcripts_of(PEOPLE[9], now.date(), now):
        file = home / ".claude/projects/demo" / transcript.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(transcript.raw)
    environment = {**environment_without_agnes(), "HOME": str(home), "AGNES_DATA_DIR": str(home / "data")}
    shell(".venv/bin/python manage.py migrate --verbosity 0", environment)
    return environment


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)
def test_its_commands_run(page: Path, machine: dict[str, str], tmp_path: Path):
    """In their order, in one data folder for each page."""
    data = tmp_path / "machine"
    shutil.copytree(machine["AGNES_DATA_DIR"], data)
    for block in blocks_of(page):
        shell(block.text, {**machine, "AGNES_DATA_DIR": str(data)})


@pytest.fixture(scope="module")
def published(machine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which Agnes ran: its data is in `var`, and what was imported is in the lake."""
    folder = tmp_path_factory.mktemp("agnes")
    shutil.copytree(machine["AGNES_DATA_DIR"], folder / "var")
    environment = {**machine, "AGNES_DATA_DIR": str(folder / "var")}
    shell(
        ".venv/bin/python manage.py sessions_import ~/.claude/projects --user bob@example.com --create-user\n"
        ".venv/bin/python manage.py process_sessions",
        environment,
    )
    return folder


@pytest.mark.parametrize("block", [block for page in PAGES for block in blocks_of(page, "python")], ids=str)
def test_its_python_counts_the_calls_of_each_tool(block: Block, published: Path):
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=published, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    with sqlite3.connect(published / "var" / "agnes.sqlite3") as database:
        calls = database.execute("SELECT tool_name, count(*) FROM usage_events GROUP BY 1").fetchall()
    tool, most = max(calls, key=lambda row: row[1])
    assert most > 1
    assert re.search(rf"\b{tool}\b.*\b{most}\b", done.stdout), done.stdout


def test_the_lake_is_put_into_a_bucket_and_read_there(machine: dict[str, str], published: Path):
    """With the settings and the Python of the page. A terminal shows how far the rebuild is."""
    page = (ROOT / "docs" / "LAKE.md").read_text()
    [snippet] = [found["text"] for found in BLOCK.finditer(page) if found["reason"] == "needs a bucket"]
    with s3_server() as server:
        place = {"AGNES_LAKE_URL": f"s3://{BUCKET}/agnes", "AGNES_DATA_DIR": str(published / "var")}
        told = shell(
            "script -qec '.venv/bin/python manage.py lake_rebuild' /dev/null",
            {**machine, **place, **server.options},
        )
        assert re.search(r"Publishing days.*[^\d](\d+)/\1(?!\d)", told), told
        text = snippet.replace("http://minio.internal:9000", server.endpoint)
        text = text.replace("s3://bucket/", f"s3://{BUCKET}/").replace("…", "any")
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    with sqlite3.connect(published / "var" / "agnes.sqlite3") as database:
        [(events,)] = database.execute("SELECT count(*) FROM usage_events").fetchall()
    assert (done.stdout, done.stderr) == (f"{events}\n", "")


def test_the_lake_has_the_columns_that_are_listed():
    listed = COLUMNS.findall((ROOT / "docs" / "LAKE.md").read_text())
    assert [(name, COLUMN.findall(columns)) for name, columns in listed] == [
        (table.name, [(name, str(kind)) for name, kind in table.columns.items()]) for table in TABLES
    ]


def shell(text: str, environment: dict[str, str]) -> str:
    """What it printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
class TestPage:
    def test_its_links_lead_somewhere(self, page: Path):
        for target in LINK.findall(page.read_text()):
            if "://" in target or target.startswith("mailto:"):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            assert file.exists(), target
            if anchor:
                assert anchor in {slug(heading) for heading in HEADING.findall(file.read_text())}, target

    def test_its_files_exist(self, page: Path):
        for code in CODE.findall(page.read_text()):
            if PATH_IN_CODE.fullmatch(code):
                assert (ROOT / code).exists(), code

    def test_its_commands_exist(self, page: Path):
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        text = page.read_text()
        assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= {"help", *get_commands()}
        assert set(re.findall(r"[`\n]make ([a-z-]+)", text)) <= targets

    def test_what_is_not_run_says_why(self, page: Path):
        """Shell and Python are run here or in agnes/tests/acceptance/, SQL in agnes/tests/test_numbers.py."""
        for block in BLOCK.finditer(page.read_text()):
            runs = block["language"] in ("sh", "python") or page.name == "METRICS.md"
            assert runs or block["reason"] or block["language"] in SHOWN, block["text"]

    def test_its_json_is_json(self, page: Path):
        for block in BLOCK.finditer(page.read_text()):
            if block["language"] == "json":
                json.loads(block["text"])

    def test_its_blocks_are_closed(self, page: Path):
        assert page.read_text().count("\n```") % 2 == 0


@pytest.mark.parametrize("name", ["QUICKSTART", "ONBOARDING", "DEPLOYMENT", "HEADLESS_USAGE"])
def test_pages_for_one_reader_lead_to_the_playbook_at_their_top(name: str):
    beginning = (ROOT / "docs" / f"{name}.md").read_text().partition("\n## ")[0]
    assert "PLATFORM_SETUP.md" in beginning


def test_there_is_something_to_run():
    assert {page.name for page in RUNNABLE} >= {"README.md", "CONTRIBUTING.md", "LAKE.md"}
    assert len(blocks_of(ROOT / "docs" / "LAKE.md", "python")) >= 5


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
