"""What uploads that are made to be expensive cost: processor, time, memory of the child that looks at them.

python -m benchmarks.guardrails [WORD …]

With words only those whose names hold one of them. All take about a minute.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.table import print_table
from marketplace.guardrails import KnownNames
from marketplace.guardrails.in_child import ask_child
from marketplace.tests.guardrails.heavy_uploads import HEAVY_UPLOADS, Files
from marketplace.tests.guardrails.helpers import uploaded, zipped

TARGET = "6 s, 100 MB"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    chosen = [name for name in HEAVY_UPLOADS if not words or any(word in name for word in words)]
    print_table("Guardrails", [(name, measured(HEAVY_UPLOADS[name]()), TARGET) for name in chosen])


def measured(files: Files) -> str:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as target:
        uploads = uploaded(Path(folder), {"kit.zip": zipped(files)})
        began = perf_counter()
        answer = ask_child(uploads, KnownNames(), target)
        wall = perf_counter() - began
    usage = answer.usage
    memory = f"{usage.peak_bytes / 1e6:.0f} MB"
    return f"{usage.cpu_seconds:.1f} s of processor, {wall:.1f} s, {memory}, {answer.verdict}"


if __name__ == "__main__":
    main()
