"""One shallow fetch into a bare repository, which is kept for the next one."""

import shutil
from dataclasses import replace
from pathlib import Path

from marketplace.git.addresses import Address
from marketplace.git.environment import environment, fetching_environment
from marketplace.git.errors import GitFailed
from marketplace.git.failures import failure_of
from marketplace.git.running import GitExited, Limits, run_git, size_of
from marketplace.git.tokens import masked

FETCHED = "refs/agnes/fetched"
# What the catalogue was made from: it stays when a later sync fails.
CURRENT = "refs/agnes/current"
# A fetch leaves one pack; so many are put together.
PACKS = 8


def fetch(repository: Path, address: Address, ref: str, token: str, limits: Limits) -> str:
    """Fetch one commit and return its hash (hex); `ref` '' is the remote's default branch.

    One process at a time may do this with a repository. Raises SyncFailed.
    """
    try:
        limits = replace(limits, held_bytes=size_of(repository))
        _prepare(repository, limits)
        _fetch(repository, address, ref, token, limits)
        return _commit_of(repository, limits)
    except GitExited as exited:
        raise failure_of(masked(exited.said, token) if token else exited.said) from None


def keep(repository: Path, commit: str, limits: Limits) -> None:
    """Keep this commit until another one is kept."""
    try:
        run_git(["update-ref", CURRENT, commit], environment(repository), limits).close()
    except GitExited as exited:
        raise failure_of(exited.said) from None


def discard(repository: Path) -> None:
    """The next fetch begins anew."""
    shutil.rmtree(repository, ignore_errors=True)


def _prepare(repository: Path, limits: Limits) -> None:
    """A bare repository without what a killed fetch left; a new one where there is none that works."""
    repository.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear_leftovers(repository)
    if not _works(repository, limits):
        discard(repository)
        repository.mkdir(mode=0o700)
        run_git(["init", "--quiet", "--bare", "--template=", "."], environment(repository), limits).close()
    elif len(list(repository.glob("objects/pack/*.pack"))) >= PACKS:
        run_git(["gc", "--quiet", "--prune=now"], environment(repository), limits).close()


def _works(repository: Path, limits: Limits) -> bool:
    if not (repository / "HEAD").exists():
        return False
    try:
        if any(repository.glob("objects/pack/*.pack")):
            # Cheap: trees only, one commit deep.
            run_git(["rev-parse", "--verify", f"{FETCHED}^{{tree}}"], environment(repository), limits).close()
    except GitExited:
        return False
    return True


def _clear_leftovers(repository: Path) -> None:
    for pattern in ("**/*.lock", "objects/pack/tmp_*", "objects/pack/.tmp-*"):
        for left in repository.glob(pattern):
            left.unlink(missing_ok=True)


def _fetch(repository: Path, address: Address, ref: str, token: str, limits: Limits) -> None:
    args = [
        "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
        "--force", "--no-auto-maintenance", "--", address.text, f"+{ref or 'HEAD'}:{FETCHED}",
    ]  # fmt: skip
    run_git(args, fetching_environment(repository, address, token), limits).close()


def _commit_of(repository: Path, limits: Limits) -> str:
    """The commit itself where a tag names it."""
    args = ["rev-parse", "--verify", "--quiet", f"{FETCHED}^{{commit}}"]
    try:
        with run_git(args, environment(repository), limits) as printed:
            return printed.read().decode().strip()
    except GitExited:
        raise GitFailed(
            "What was fetched is no commit.", "Correct the ref: a branch, tag or commit."
        ) from None
