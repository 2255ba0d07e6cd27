"""The demo's plugins as a git repository in the data folder."""

import shutil
from pathlib import Path
from time import monotonic

from django.conf import settings

from marketplace.git.environment import environment
from marketplace.git.errors import GitFailed
from marketplace.git.running import GitExited, Limits, run_git

CONTENT = Path(__file__).parent / "demo-tools"
PATH = "/demo/demo-tools.git"
SECONDS = 60
BYTES = 10_000_000
# The same content is the same commit, so that making the demo again changes nothing.
_WHO = {"NAME": "Demo organisation", "EMAIL": "tools@demo.example", "DATE": "2026-01-05T10:00:00Z"}


def folder() -> Path:
    return Path(f"{settings.DATA_DIR}{PATH}")


def url() -> str:
    return folder().as_uri()


def make() -> None:
    """Make it anew from `CONTENT`, one commit. Raises SyncFailed."""
    remove()
    folder().mkdir(parents=True, mode=0o700)
    bare = environment(folder())
    env = bare | {"GIT_WORK_TREE": str(CONTENT)}
    for who in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{who}_{name}": value for name, value in _WHO.items()}
    limits = Limits(monotonic() + SECONDS, BYTES)
    try:
        run_git(["init", "--quiet", "--bare", "--template=", "--initial-branch=main"], bare, limits)
        run_git(["add", "--all", "--force"], env, limits)
        run_git(["commit", "--quiet", "--no-gpg-sign", "--message", "The demo's plugins"], env, limits)
    except GitExited as error:
        raise GitFailed(
            "git could not make the demo's repository.", f"It said: {error.said[:500]}"
        ) from error


def remove() -> None:
    shutil.rmtree(folder().parent, ignore_errors=True)
