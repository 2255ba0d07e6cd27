"""A long answer of the server into a file, or to standard output."""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agnes.cli import folders
from agnes.cli.api import Api
from agnes.cli.errors import WrongInput

CHUNK_BYTES = 1 << 18
# The server may count and sort for long before the first byte.
READ_SECONDS = 300.0


@dataclass(frozen=True)
class Received:
    bytes: int
    headers: Mapping[str, str]


def receive(api: Api, path: str, out: Path | None, *, params: Mapping[str, Any] | None = None) -> Received:
    """A file is there once it is whole, readable by its owner only, or is as it was before. Raises
    ClientError."""
    if out is None:
        return _to_standard_output(api, path, params or {})
    made = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            received = _to_descriptor(api, path, params or {}, descriptor)
            os.replace(made, out)
        finally:
            made.unlink(missing_ok=True)
    except OSError as error:
        raise folders.unwritable(out, error) from error
    return received


def _to_descriptor(api: Api, path: str, params: Mapping[str, Any], descriptor: int) -> Received:
    count = 0
    with (
        os.fdopen(descriptor, "wb") as file,
        api.stream(path, params=params, timeout=READ_SECONDS) as answer,
    ):
        for chunk in answer.iter_bytes(CHUNK_BYTES):
            count += file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
        return Received(count, dict(answer.headers))


def _to_standard_output(api: Api, path: str, params: Mapping[str, Any]) -> Received:
    count = 0
    with api.stream(path, params=params, timeout=READ_SECONDS) as answer:
        kind = answer.headers.get("Content-Type", "")
        if sys.stdout.isatty() and not kind.startswith(("text/", "application/json", "application/x-ndjson")):
            raise WrongInput("That is nothing for a terminal.", "Name a file: --out FILE.")
        for chunk in answer.iter_bytes(CHUNK_BYTES):
            sys.stdout.buffer.write(chunk)
            count += len(chunk)
        sys.stdout.flush()
        return Received(count, dict(answer.headers))
