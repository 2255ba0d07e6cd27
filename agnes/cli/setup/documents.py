"""A JSON file that belongs to somebody else: what is in it stays, in its order and with its indentation."""

import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agnes.cli import folders
from agnes.cli.errors import LocalTrouble

BACKUP = ".agnes-backup"
# Less what the person takes from everybody (umask).
SHARED = 0o666


class Document:
    """Raises LocalTrouble where the file cannot be read as a JSON object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = folders.read_text(path)
        self.content = self._read()

    @property
    def backup(self) -> Path:
        """What was there before the first change."""
        return self.path.with_name(self.path.name + BACKUP)

    def save(self) -> bool:
        """Whether anything had to be written. Keeps what was there before."""
        text = self._written()
        if text == self._text or (self._text is None and not self.content):
            return False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._text is not None and not self.backup.exists():
                folders.write_new(self.backup, self._text)
            _replace(self.path, text)
        except OSError as error:
            raise folders.unwritable(self.path, error) from error
        return True

    def restore(self, done_and_undone: Callable[[dict[str, Any]], None]) -> bool:
        """Once what was added is out of the content: the file of before, where nothing else has changed.

        `done_and_undone` adds it to a content and takes it out, which may leave less than there was. Whether
        anything had to be written.
        """
        before = folders.read_text(self.backup)
        was = _parsed(before)
        if isinstance(was, dict):
            done_and_undone(was)
        if before is not None and was == self.content:
            _replace(self.path, before)
        elif before is None and not self.content and self._text is not None:
            self.path.unlink()
        elif not self.save():
            return False
        self.backup.unlink(missing_ok=True)
        return True

    def _read(self) -> dict[str, Any]:
        content = _parsed(self._text) if (self._text or "").strip() else {}
        if not isinstance(content, dict):
            raise LocalTrouble(
                f"{self.path} is not a JSON object, so nothing was changed.", "Mend it, then run this again."
            )
        return content

    def _written(self) -> str:
        text = json.dumps(self.content, indent=_indentation(self._text or ""), ensure_ascii=False)
        return text + ("\n" if self._text is None or self._text.endswith("\n") else "")


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except ValueError:
        return None


def _indentation(text: str) -> int | str:
    found = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return found[1] if found else 2


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, with the rights that it had."""
    target = path.resolve()
    made = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        folders.write_new(made, text, SHARED)
        if target.exists():
            made.chmod(target.stat().st_mode & 0o7777)
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)
