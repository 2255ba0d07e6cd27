"""What a held version would change in the one that is served."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.guardrails import Pack
from marketplace.models import StoreVersion
from marketplace.store.packs import opened_pack

FILE_BYTES = 200_000
FILE_LINES = 5_000
# Lines times lines of all files: difflib's time grows with that, to a second or two.
COMPARISONS = 5_000_000
LINES = 3_000
FILES = 200
TOO_LARGE = "It is too large to be shown."
NO_TEXT = "It is no text."


@dataclass(frozen=True)
class Difference:
    """One file: `change` is added, removed or changed; `lines` a unified diff, without if `note` says why."""

    path: str
    change: str
    lines: list[str]
    note: str = ""


@dataclass(frozen=True)
class Differences:
    """`is_cut`: there are more than are listed here."""

    files: list[Difference]
    is_cut: bool


def differences(served: StoreVersion | None, held: StoreVersion) -> Differences:
    """With nothing served everything is added."""
    if served is None:
        with opened_pack(held) as new:
            return _capped(_compare(None, new))
    with opened_pack(served) as old, opened_pack(held) as new:
        return _capped(_compare(old, new))


def _capped(found: Iterator[Difference]) -> Differences:
    files: list[Difference] = []
    left = LINES
    for one in found:
        if left <= 0 or len(files) == FILES:
            return Differences(files, is_cut=True)
        files.append(Difference(one.path, one.change, one.lines[:left], one.note))
        left -= len(one.lines)
    return Differences(files, is_cut=left < 0)


def _compare(old: Pack | None, new: Pack) -> Iterator[Difference]:
    before, after = _sizes(old), _sizes(new)
    comparing = _Comparing()
    for path in sorted(before.keys() | after.keys()):
        change = "added" if path not in before else "removed" if path not in after else "changed"
        contents = [
            tree.read(path, size[path]) if tree and path in size else b""
            for tree, size in ((old, before), (new, after))
        ]
        if change != "changed" or contents[0] != contents[1]:
            yield _difference(path, change, contents[0], contents[1], comparing)


def _sizes(tree: Pack | None) -> dict[str, int]:
    return {entry.path: entry.size for entry in tree.entries()} if tree else {}


def _difference(path: str, change: str, before: bytes, after: bytes, comparing: "_Comparing") -> Difference:
    if max(len(before), len(after)) > FILE_BYTES:
        return Difference(path, change, [], TOO_LARGE)
    try:
        old, new = (content.decode("utf-8-sig").splitlines() for content in (before, after))
    except UnicodeDecodeError:
        return Difference(path, change, [], NO_TEXT)
    if max(len(old), len(new)) > FILE_LINES:
        return Difference(path, change, [], TOO_LARGE)
    return Difference(path, change, comparing.lines(old, new))


class _Comparing:
    """Line by line, as far as that goes quickly: an upload may be made to take minutes."""

    def __init__(self) -> None:
        self._left = COMPARISONS

    def lines(self, old: list[str], new: list[str]) -> list[str]:
        """A unified diff; where it would take too long, all of the old lines and all of the new ones."""
        same = _same_at_the_ends(old, new)
        work = (len(old) - same) * (len(new) - same)
        if work > self._left:
            return [*(f"-{line}" for line in old), *(f"+{line}" for line in new)]
        self._left -= work
        return list(difflib.unified_diff(old, new, "served", "held", lineterm=""))


def _same_at_the_ends(old: list[str], new: list[str]) -> int:
    """How many lines: those are cheap."""
    shorter = min(len(old), len(new))
    pairs = enumerate(zip(old, new, strict=False))
    first = next((number for number, (one, other) in pairs if one != other), shorter)
    pairs = enumerate(zip(reversed(old), reversed(new), strict=False))
    last = next((number for number, (one, other) in pairs if one != other), shorter)
    return min(first + last, shorter)
