"""Secrets that Agnes made itself, and keeps in the data folder; others come from the environment."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from accounts import secret_files

# What it means where one is another than before.
MEANINGS = {
    "SECRET_KEY": "people sign in anew, which they do after a restore anyway",
    "TOKEN_PEPPER": "access tokens of before do not work",
}


def kept() -> dict[str, Path]:
    """The files of those that this installation keeps itself, by name."""
    files = {name: Path(settings.DATA_DIR, name.lower()) for name in MEANINGS}
    return {name: path for name, path in files.items() if _holds(path, getattr(settings, name))}


def fingerprints() -> dict[str, str]:
    """What tells equal secrets from different ones, and nothing else."""
    return {name: _fingerprint(getattr(settings, name)) for name in MEANINGS}


@contextmanager
def replaced(secrets: Mapping[str, bytes]) -> Iterator[set[str]]:
    """Those of them that this installation keeps itself are these from now on; where it fails, as before.

    Gives their names.
    """
    files = {name: path for name, path in kept().items() if name in secrets}
    before = {path: path.read_bytes() for path in files.values()}
    try:
        for name, path in files.items():
            secret_files.replace(path, secrets[name].decode())
        yield set(files)
    except BaseException:
        for path, content in before.items():
            secret_files.replace(path, content.decode())
        raise


def differing(expected: Mapping[str, str], replaced: set[str]) -> list[str]:
    """The names of those that are not as expected: somebody must carry them over by hand."""
    now = fingerprints()
    return [
        name for name, value in expected.items() if name not in replaced and now.get(name, value) != value
    ]


def _holds(path: Path, secret: str) -> bool:
    try:
        return path.read_text().strip() == secret
    except OSError:
        return False


def _fingerprint(secret: str) -> str:
    return hmac.new(secret.encode(), b"agnes backup", hashlib.sha256).hexdigest()[:16]
