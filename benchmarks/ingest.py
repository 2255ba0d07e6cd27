"""From stored transcripts to committed rows, against a pass that only reads and decodes the same files.

python -m benchmarks.ingest CORPUS [--manifest FILE] [--rounds 3] [--ccusage]

CORPUS holds one folder a person. `--manifest` compares what was counted with the truth of the generator.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import print_table
from benchmarks.world import empty_server, forget_results, plant_settled_transcripts, store_corpus

KNOWN_TRANSCRIPTS = 10_000

TRUTH = {
    "events": "events",
    "tool_calls": "tool_events",
    "mcp_calls": "mcp_call",
    "subagent_dispatches": "subagent",
    "slash_commands": "slash_command",
    "tool_errors": "errors",
    "assistant_messages": "messages",
    "input_tokens": "once:input_tokens",
    "output_tokens": "once:output_tokens",
    "cache_read_tokens": "once:cache_read_input_tokens",
    "cache_creation_tokens": "once:cache_creation_input_tokens",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ccusage", action="store_true", help="compare with the npm package ccusage")
    options = parser.parse_args()
    megabytes = sum(path.stat().st_size for path in options.corpus.rglob("*.jsonl")) / 1e6
    with empty_server():
        stored, storing = timed(lambda: store_corpus(options.corpus))
        print(f"{stored} transcripts, {megabytes:.1f} MB, stored in {storing:.1f} s")
        decodes, ingests = [], []
        for _ in range(options.rounds):
            decodes.append(timed(decode_stored)[1])
            forget_results()
            ingests.append(timed(ingest)[1])
        known, idle, queries = measure_idle_tick()
        decode, whole = statistics.median(decodes), statistics.median(ingests)
        # Each round by itself: what else the machine does then slows both.
        ratio = statistics.median(one / other for one, other in zip(ingests, decodes, strict=True))
        rows = [
            ("read and decode only", f"{decode:.2f} s, {megabytes / decode:.0f} MB/s", ""),
            ("ingest", f"{whole:.2f} s, {megabytes / whole:.0f} MB/s", ""),
            ("ingest / decode", f"{ratio:.2f}", "at most 5, aim 3"),
            (f"a tick with nothing to do, {known} known", f"{idle * 1000:.1f} ms, {queries} queries", ""),
            (
                f"that tick / ingesting {known} at this rate",
                f"{idle / (whole / stored * known):.4%}",
                "under 1 %",
            ),
        ]
        if options.ccusage:
            rows += compare_with_ccusage(options.corpus, megabytes, whole)
        print_table("Ingest on SQLite, one process (medians)", rows)
        if options.manifest:
            compare_with_truth(json.loads(options.manifest.read_text())["truth"])


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """The result and the seconds of wall time."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def decode_stored() -> int:
    from telemetry.files.storage import read_stored
    from telemetry.models import SessionTranscriptPart
    from telemetry.transcripts.reading import RecordReader

    parts = SessionTranscriptPart.objects.select_related("transcript")
    return sum(1 for part in parts for _ in RecordReader(read_stored(part.storage_key)))


def ingest() -> int:
    from telemetry.processors.runner import run

    report = run("usage")
    if report.failed:
        raise SystemExit(f"failed: {report.failures[:3]}")
    return report.items


def measure_idle_tick() -> tuple[int, float, int]:
    """How many transcripts are known, and the seconds and queries of a run that finds nothing pending."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from telemetry.models import SessionTranscript

    plant_settled_transcripts(KNOWN_TRANSCRIPTS)
    seconds = statistics.median(timed(ingest)[1] for _ in range(5))
    with CaptureQueriesContext(connection) as captured:
        if ingest():
            raise SystemExit("something was pending")
    return SessionTranscript.objects.count(), seconds, len(captured)


def compare_with_truth(truth: dict[str, int]) -> None:
    from django.db.models import Sum

    from telemetry.models import UsageSessionSummary

    totals = UsageSessionSummary.objects.aggregate(**{name: Sum(name) for name in TRUTH})
    wrong = {name: (totals[name], truth[of]) for name, of in TRUTH.items() if totals[name] != truth[of]}
    print("\nThe manifest's truth is met." if not wrong else f"\nNOT met (counted, truth): {wrong}")
    if wrong:
        raise SystemExit(1)


def compare_with_ccusage(corpus: Path, megabytes: float, ingest_seconds: float) -> list[tuple[str, str, str]]:
    """ccusage only reads and sums tokens; it wants the layout of ~/.claude/projects."""
    npx = shutil.which("npx")
    if not npx:
        return [("ccusage", "npx is not installed", "")]
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "projects").symlink_to(corpus.resolve())
        command = [npx, "--yes", "ccusage@20.0.24", "daily", "--offline", "--json", "--single-thread"]
        environment = {
            "CLAUDE_CONFIG_DIR": home,
            "PATH": str(Path(npx).parent) + ":/usr/bin:/bin",
            "HOME": home,
        }

        def run_ccusage() -> int:
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
            return done.returncode

        warm_up, _ = timed(run_ccusage)
        if warm_up:
            return [("ccusage", "could not be run", "")]
        seconds = min(timed(run_ccusage)[1] for _ in range(3))
    return [
        ("ccusage (sums tokens only)", f"{seconds:.2f} s, {megabytes / seconds:.0f} MB/s", ""),
        ("speed of ingest / ccusage", f"{seconds / ingest_seconds:.2f}", "aim 0.6"),
    ]


if __name__ == "__main__":
    main()
