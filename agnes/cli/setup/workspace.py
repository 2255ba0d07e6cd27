"""A workspace, or all of one's own, set up for Agnes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from agnes.cli import claude
from agnes.cli.errors import LocalTrouble
from agnes.cli.setup import hooks, slash
from agnes.cli.setup.documents import Document


class Scope(StrEnum):
    """As Claude Code names them: for everybody who has this workspace, for you in it, for you everywhere."""

    PROJECT = "project"
    LOCAL = "local"
    USER = "user"


@dataclass(frozen=True)
class Place:
    """`workspace` is None for what is one's own everywhere."""

    settings: Path
    commands: Path
    is_shared: bool
    workspace: Path | None = None

    @classmethod
    def of(cls, scope: Scope, workspace: Path) -> "Place":
        folder = claude.config_folder() if scope == Scope.USER else workspace / ".claude"
        name = "settings.local.json" if scope == Scope.LOCAL else "settings.json"
        within = None if scope == Scope.USER else workspace
        return cls(folder / name, folder / "commands", scope == Scope.PROJECT, within)

    def require_within(self) -> None:
        """A repository may have a link there, such as to one's own settings, which then would hold for all
        workspaces. Links of one's own are followed. Raises LocalTrouble."""
        if self.workspace is None:
            return
        root = self.workspace.resolve()
        for path in (self.settings, self.commands):
            if not path.resolve().is_relative_to(root):
                raise LocalTrouble(f"{path} leads out of {root}.", "Remove the link, or use --scope user.")


def set_up(place: Place) -> list[Path]:
    """The files that had to be written. Raises LocalTrouble."""
    place.require_within()
    document = Document(place.settings)
    _change(document, lambda content: hooks.add(content, hooks.command(shared=place.is_shared)))
    changed = [place.settings] if document.save() else []
    if slash.write(place.commands):
        changed.append(place.commands / slash.NAME)
    return changed


def take_out(place: Place) -> list[Path]:
    """The files that had to be changed or removed. Raises LocalTrouble."""
    place.require_within()
    document = Document(place.settings)
    _change(document, hooks.remove)
    changed = [place.settings] if document.restore(_done_and_undone) else []
    if slash.remove(place.commands):
        changed.append(place.commands / slash.NAME)
    return changed


def is_set_up(place: Place) -> bool:
    return hooks.are_in(Document(place.settings).content)


def _done_and_undone(content: dict[str, Any]) -> None:
    hooks.add(content, hooks.command(shared=True))
    hooks.remove(content)


def _change(document: Document, change: Callable[[dict[str, Any]], None]) -> None:
    try:
        change(document.content)
    except (TypeError, AttributeError) as error:
        raise LocalTrouble(
            f"The hooks in {document.path} are not as Claude Code has them, so nothing was changed.",
            "Mend them, then run this again.",
        ) from error
