"""Typed readers of environment variables that fail loudly.

Every reader takes the variable's name and a default and raises `ImproperlyConfigured`, naming the
variable, its value and what would be right. Every name read is kept in `KNOWN`, which lets a test
compare the code with docs/CONFIGURATION.md.
"""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KNOWN: set[str] = set()

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    KNOWN.add(name)
    return os.environ.get(name, default).strip()


def boolean(name: str, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false: use true or false.")


def integer(name: str, default: int, *, minimum: int = 0, multiple_of: int = 1) -> int:
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={value!r} is too small: use {minimum} or more.")
    if number % multiple_of:
        raise ImproperlyConfigured(f"{name}={value!r} does not fit: use a multiple of {multiple_of}.")
    return number


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def place(name: str, default: Path) -> str:
    """A folder, absolute from here on, or an address that begins with `s3://`."""
    value = text(name) or str(default)
    if value.startswith("s3://"):
        if not value.removeprefix("s3://").strip("/"):
            raise ImproperlyConfigured(f"{name}={value!r} names no bucket: use s3://bucket/prefix.")
        return value.rstrip("/")
    if "://" in value:
        raise ImproperlyConfigured(
            f"{name}={value!r} is neither a folder nor an s3:// address: use /path/to/folder or s3://bucket/prefix."
        )
    return str(Path(value).resolve())


def secret(name: str, *, folder: Path, required: bool) -> str:
    """The variable, or a secret made once and kept in `folder`, readable by its owner only.

    Where `required` (several machines share one database), a secret of this machine alone would
    be wrong, so its absence is an error.
    """
    value = text(name)
    if value:
        return value
    if required:
        raise ImproperlyConfigured(
            f"{name} is not set. With DATABASE_URL every machine needs the same value: "
            f"make one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'` and set {name}."
        )
    return _kept_secret(folder / name.lower())


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        # A link appears whole or not at all, and never replaces what another process made first.
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path.read_text().strip()
