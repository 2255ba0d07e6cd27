"""Names of files and folders: those that would leave the folder, or mean another file on another system."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath, PureWindowsPath

from marketplace.guardrails import limits
from marketplace.guardrails.citing import reject
from marketplace.guardrails.records import Finding

_DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?")
_NOT_ON_WINDOWS = frozenset('<>"|?*')
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RENAME = "Rename it: plain letters, digits, dots and hyphens are always right."


def check_names(files: Iterable[str], folders: Iterable[str]) -> Iterator[Finding]:
    """Of the upload as it came, junk included."""
    files = list(files)
    for name in (*files, *folders):
        yield from check_name(name)
    yield from _check_twins(files)


def check_name(name: str) -> Iterator[Finding]:
    """One finding at most: the first reason is enough."""
    # What looks like another character may become it: a full-width stop, a one-dot leader.
    for form in (name, unicodedata.normalize("NFKC", name)):
        if fault := _fault(form):
            code, text = fault
            yield reject(code, text, _RENAME, name)
            return


def _fault(name: str) -> tuple[str, str] | None:
    parts = name.removesuffix("/").split("/")
    windows = PureWindowsPath(name)
    if ".." in parts or ".." in windows.parts:
        return "path_outside", "Its name leads out of the folder."
    if PurePosixPath(name).is_absolute() or windows.drive or windows.root:
        return "path_absolute", "Its name is an absolute path."
    if "\\" in name or ":" in name:
        return "path_windows", "Its name holds a backslash or a colon."
    if any(part in ("", ".") for part in parts):
        return "path_unclear", "Its name has empty parts or lone dots."
    if any(unicodedata.category(char) in _INVISIBLE for char in name):
        return "name_invisible", "Its name holds characters that cannot be seen."
    if len(parts) > limits.DEPTH or len(name.encode("utf-8", "replace")) > limits.PATH_BYTES:
        return "path_too_long", f"More than {limits.DEPTH} levels or {limits.PATH_BYTES} bytes."
    return next(filter(None, map(_fault_of_part, parts)), None)


def _fault_of_part(part: str) -> tuple[str, str] | None:
    if part[-1] in ". ":
        return "name_ending", "Windows cannot store names that end in a dot or a space."
    if _DEVICES.fullmatch(part):
        return "name_device", "Windows has a device of this name."
    if not _NOT_ON_WINDOWS.isdisjoint(part):
        return "name_windows", 'Windows cannot store names with < > " | ? or *.'
    # Both spellings open the folder of git: the second is its short name on Windows.
    if part.casefold() in (".git", "git~1"):
        return "git_folder", "It belongs to git's own folder."
    return None


def _check_twins(files: list[str]) -> Iterator[Finding]:
    """Two names that are one on macOS or Windows; also those of the folders that files are in."""
    spellings: dict[str, tuple[str, bool]] = {}
    seen: set[str] = set()
    for name in files:
        if name in seen:
            yield reject("name_twice", "The upload has two files of this name.", "Keep one of them.", name)
            continue
        seen.add(name)
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            path, is_file = "/".join(parts[:depth]), depth == len(parts)
            other, _ = found = spellings.setdefault(folded(path), (path, is_file))
            if found != (path, is_file):
                text = f"{other!r} is the same name on macOS or Windows."
                yield reject("name_collides", text, "Rename one of the two.", path)
                break


def folded(path: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
