"""The process that looks at an upload: a request on standard input, the answer on standard output.

It limits itself before it reads anything, and writes nothing but the normalised tree, to a file that it
was handed open.
"""

import os
import resource
import sys
from pathlib import Path

import msgspec

from marketplace.guardrails import limits
from marketplace.guardrails.inspecting import inspect_into
from marketplace.guardrails.records import KnownNames, UploadedFile
from marketplace.guardrails.wire import Request, Usage, answer_of


def main(target: int) -> None:
    _limit()
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    with os.fdopen(target, "w+b") as file:
        inspection = inspect_into(
            file,
            [UploadedFile(name, Path(content)) for name, content in request.files],
            KnownNames(frozenset(request.curated), frozenset(request.flea)),
            wanted_kind=request.kind,
            wanted_name=request.name,
        )
    sys.stdout.buffer.write(msgspec.json.encode(answer_of(inspection, _usage())))


def _usage() -> Usage:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(usage.ru_utime + usage.ru_stime, _peak_bytes(usage.ru_maxrss))


def _peak_bytes(resident: int) -> int:
    """Linux counts into `resident` (KB) what the parent had when it forked; its own is in /proc."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resident * 1024
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0] if peaks else resident) * 1024


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.CHILD_ADDRESS_SPACE),
        (resource.RLIMIT_CPU, limits.CHILD_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, limits.UNPACKED_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
