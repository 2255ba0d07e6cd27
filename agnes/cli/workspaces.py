"""Which folder one works in."""

import os
from pathlib import Path

SETTINGS = (".claude/settings.json", ".claude/settings.local.json")


def workspace_of(folder: str) -> str:
    """The nearest folder above (or this one) that `agnes init` or Claude Code has set up, or that is a
    repository; else this one. The home folder is none: all of one's work lies below it."""
    home = Path(os.path.realpath(Path.home()))
    here = Path(os.path.realpath(folder))
    for each in (here, *here.parents):
        if each == home:
            break
        if (each / ".git").exists() or any((each / name).exists() for name in SETTINGS):
            return str(each)
    return str(here)
