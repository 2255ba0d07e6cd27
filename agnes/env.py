"""Typed readers of environment variables, all of whose mistakes are told at once.

Every reader takes the variable's name and a default; an empty variable counts as unset. A value that makes no
sense is noted with a sentence that names the variable, the value and the cure, and the default stands in
until `refuse_mistakes` ends the settings. Every name read is kept in `KNOWN`, which lets a test compare the
code with docs/CONFIGURATION.md.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from accounts import secret_files
from marketplace.plugins.reserved_names import is_kebab_case, is_reserved

KNOWN: set[str] = set()
MISTAKES: list[str] = []

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
DATABASES = {"postgres", "postgresql", "sqlite"}
# A hundred years.
MOST_DAYS = 36_500


class WrongSettings(ImproperlyConfigured):
    """Settings that Agnes cannot run with, a sentence a line for whoever started it."""


def refuse_mistakes() -> None:
    """The last line of the settings. Raises WrongSettings."""
    mistakes = MISTAKES.copy()
    # Django may read the settings again, and would then tell each mistake twice.
    MISTAKES.clear()
    if mistakes:
        raise WrongSettings("\n".join(mistakes))


def text(name: str, default: str = "") -> str:
    KNOWN.add(name)
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    value = text(name, str(default))
    if value.lower() in TRUE | FALSE:
        return value.lower() in TRUE
    MISTAKES.append(f"{name}={value!r} is neither true nor false: use true or false.")
    return default


def integer(name: str, default: int, *, minimum: int = 0, multiple_of: int = 1) -> int:
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        MISTAKES.append(f"{name}={value!r} is not a number: use a whole number.")
        return default
    if number < minimum:
        MISTAKES.append(f"{name}={value!r} is too small: use {minimum} or more.")
    elif number % multiple_of:
        MISTAKES.append(f"{name}={value!r} does not fit: use a multiple of {multiple_of}.")
    return number


def days(name: str, *, minimum: int) -> int:
    """How many days something is kept: 0 for ever, and otherwise not too few."""
    value = text(name, "0")
    number = int(value) if value.isascii() and value.isdecimal() else -1
    if number == 0 or minimum <= number <= MOST_DAYS:
        return number
    MISTAKES.append(
        f"{name}={value!r} does not fit: use 0 to keep everything, or {minimum} to {MOST_DAYS} days."
    )
    return 0


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of a few words, in capitals or not."""
    value = text(name, default)
    for word in choices:
        if value.casefold() == word.casefold():
            return word
    MISTAKES.append(f"{name}={value!r} is unknown: use {', '.join(choices[:-1])} or {choices[-1]}.")
    return default


def marketplace_name(name: str, default: str) -> str:
    """One that Claude Code takes from a server such as this."""
    value = text(name, default)
    if is_reserved(value):
        MISTAKES.append(f"{name}={value!r} is reserved by Claude Code: use one such as acme-tools.")
    elif not is_kebab_case(value) or len(value) > 64:
        MISTAKES.append(
            f"{name}={value!r} is no name: use small letters, digits and single hyphens, 64 at most."
        )
    return value


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks dropped."""
    return split(text(name, default))


def split(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def needed_with(name: str, *, needs_it: str) -> str:
    """A text without which another variable, where that is set, means nothing."""
    value = text(name)
    if text(needs_it) and not value:
        MISTAKES.append(f"{name} is not set, and {needs_it} needs it: set both or neither.")
    return value


def address(name: str, default: str) -> str:
    """`host:port` to listen on."""
    value = text(name, default)
    try:
        split_address(value)
    except ValueError:
        MISTAKES.append(f"{name}={value!r} is no address: use host:port, such as {default}.")
        return default
    return value


def other_address(name: str, *, than: str) -> str:
    """`host:port` to listen on as well, or '' for none: on another port."""
    value = text(name)
    if not value:
        return ""
    checked = address(name, "127.0.0.1:9464")
    if split_address(checked)[1] == split_address(than)[1]:
        MISTAKES.append(f"{name}={value!r} has the port of the web server: use another port.")
    return checked


def split_address(value: str) -> tuple[str, int]:
    """`[::1]:8000` -> `("::1", 8000)`. Raises ValueError."""
    host, _, port = value.rpartition(":")
    name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not name or (":" in name and name == host) or not port.isdecimal() or int(port) > 65535:
        raise ValueError(value)
    return name, int(port)


def url(name: str, default: str) -> str:
    """A web address without a slash at its end."""
    value = text(name, default)
    try:
        parts = urlsplit(value)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if is_web:
        return value.rstrip("/")
    MISTAKES.append(
        f"{name}={value!r} is no web address: use http:// or https:// and the host's name, such as {default}."
    )
    return default


def optional_url(name: str) -> str:
    """A web address, or '' where there is none."""
    return url(name, "https://example.com") if text(name) else ""


def database(name: str, default: dict[str, Any]) -> dict[str, Any]:
    """Django's settings of the database with that URL. The URL may hold a password, so it is not shown."""
    value = text(name)
    if not value:
        return default
    scheme = value.partition("://")[0] if "://" in value else ""
    try:
        if scheme not in DATABASES:
            raise ValueError(scheme)
        return dict(dj_database_url.parse(value, conn_max_age=60, conn_health_checks=True))
    except ValueError:
        MISTAKES.append(
            f"{name}='{scheme and scheme + '://'}…' is no database that Agnes can use: use "
            "postgres://user:password@host:5432/name (percent-encode what is special) or sqlite:///path."
        )
        return default


def folder(name: str, default: Path) -> Path:
    """A folder that Agnes may write to, made if it is missing."""
    value = Path(text(name, str(default))).resolve()
    if reason := secret_files.why_unusable(value):
        MISTAKES.append(
            f"{name}={str(value)!r} cannot be used ({reason}): make it a folder that the server's user may "
            f"write to, or set {name} to another."
        )
    return value


def place(name: str, default: Path) -> str:
    """A folder, absolute from here on, or an address that begins with `s3://`."""
    value = text(name, str(default))
    if value.startswith("s3://"):
        if not value.removeprefix("s3://").strip("/"):
            MISTAKES.append(f"{name}={value!r} names no bucket: use s3://bucket/prefix.")
        return value.rstrip("/")
    if "://" in value:
        MISTAKES.append(
            f"{name}={value!r} is neither a folder nor an s3:// address: use /path/to/folder or "
            "s3://bucket/prefix."
        )
    return str(Path(value).resolve())


def bucket(name: str) -> str:
    """An address that begins with `s3://`, or '' where there is none."""
    value = text(name)
    if not value or value.startswith("s3://"):
        return place(name, Path()) if value else ""
    MISTAKES.append(
        f"{name}={value!r} is no bucket: use s3://bucket/prefix, or leave it out to store files in "
        "AGNES_DATA_DIR."
    )
    return ""


def email(name: str) -> str:
    """An e-mail address, or '' where there is none."""
    value = text(name)
    if value:
        try:
            validate_email(value)
        except ValidationError:
            MISTAKES.append(f"{name}={value!r} is no e-mail address: use one such as admin@example.com.")
    return value


def secret(name: str, *, folder: Path, required: bool) -> str:
    """The variable, or a secret made once and kept in `folder`, readable by its owner only.

    Where `required` (several machines share one database), a secret of this machine alone would
    be wrong, so its absence is a mistake.
    """
    value = text(name)
    if value:
        return value
    if required:
        MISTAKES.append(
            f"{name} is not set. With DATABASE_URL every machine needs the same value: "
            f"make one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'` and set {name}."
        )
        return ""
    # Nothing is written, nor complained of twice, where the start will be refused anyway.
    return "" if MISTAKES else _kept_secret(name, folder / name.lower())


def _kept_secret(name: str, path: Path) -> str:
    try:
        return secret_files.read_or_make(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        MISTAKES.append(
            f"{name} is kept in {path}, which cannot be used ({reason}): let the server's user read it, or "
            f"bring it back from a backup. Without it a new one is made, and what the old one opened ends."
        )
        return ""
