"""The inspection in a process of its own, so that no upload can harm the server: it may die of one."""

import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from marketplace.guardrails import limits
from marketplace.guardrails.citing import reject
from marketplace.guardrails.packing import open_pack
from marketplace.guardrails.records import Finding, Inspection, Kind, KnownNames, UploadedFile, Verdict
from marketplace.guardrails.wire import Answer, Request
from marketplace.plugins.errors import FileUnreadable

log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
# Isolated: neither the environment nor the current folder decides what is imported.
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from marketplace.guardrails.child import main; main(int(sys.argv[2]))"
)


def inspect_in_child(
    files: Sequence[UploadedFile],
    known: KnownNames,
    target: Path,
    *,
    wanted_kind: Kind | None = None,
    wanted_name: str = "",
) -> Inspection:
    """As `inspect`, in a child with limits, the normalised tree in the file `target` as `write_pack` does.

    If the child dies, the upload is rejected. The files of what it returns are read from `target`.
    """
    try:
        with target.open("w+b") as file:
            answer = ask_child(files, known, file, wanted_kind=wanted_kind, wanted_name=wanted_name)
        log.debug("Inspected in %.1f s, %d bytes.", answer.usage.cpu_seconds, answer.usage.peak_bytes)
        return _inspection(answer, target)
    except (OSError, msgspec.DecodeError, FileUnreadable, KeyError) as error:
        log.warning("An upload could not be inspected: %s", error)
        return Inspection(Verdict.REJECT, (_could_not(),))


def ask_child(
    files: Sequence[UploadedFile],
    known: KnownNames,
    target: BinaryIO,
    *,
    wanted_kind: Kind | None = None,
    wanted_name: str = "",
) -> Answer:
    """The answer of a child that writes the normalised tree into `target`. Raises DecodeError if it dies."""
    request = Request(
        [(file.path, str(file.content.resolve())) for file in files],
        sorted(known.curated),
        sorted(known.flea),
        wanted_kind,
        wanted_name,
    )
    return msgspec.json.decode(_run(msgspec.json.encode(request), target), type=Answer)


def _could_not() -> Finding:
    cure = "Leave out what is unusual about it: very large, very many or damaged files."
    return reject("could_not_be_inspected", "The upload could not be inspected.", cure)


def _run(request: bytes, target: BinaryIO) -> bytes:
    """What the child answers; nothing, or a part of it, if it died or was ended for taking too long."""
    with (
        tempfile.TemporaryDirectory() as empty,
        subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _START, str(_ROOT), str(target.fileno())],
            cwd=empty,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[target.fileno()],
            start_new_session=True,
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        timer = threading.Timer(limits.CHILD_WALL_SECONDS, child.kill)
        timer.start()
        try:
            child.stdin.write(request)
            child.stdin.close()
            return child.stdout.read(limits.CHILD_ANSWER_BYTES)
        finally:
            timer.cancel()
            child.kill()


def _inspection(answer: Answer, target: Path) -> Inspection:
    if answer.verdict is Verdict.REJECT:
        return Inspection(answer.verdict, answer.findings, answer.kind, answer.slug)
    pack = open_pack(target)
    files = {path: pack.stored_file(path, sha256) for path, sha256 in answer.hashes.items()}
    return Inspection(
        answer.verdict,
        answer.findings,
        answer.kind,
        answer.slug,
        answer.plugin,
        files,
        answer.digest,
        answer.notes,
    )
