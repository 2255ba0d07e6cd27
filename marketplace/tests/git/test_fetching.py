"""One shallow fetch of real repositories on this machine."""

import random
import subprocess
from pathlib import Path

import pytest

from marketplace.git import running
from marketplace.git.errors import GitFailed, GitUnusable, RefUnknown, RepositoryNotFound, RepositoryTooLarge
from marketplace.git.fetching import CURRENT, PACKS, keep
from marketplace.git.running import Limits
from marketplace.tests.git.conftest import Fetch
from marketplace.tests.repositories import Repository


def git(repository: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class TestWhatIsFetched:
    def test_the_default_branch_and_one_commit_of_it(
        self, repository: Repository, fetching: Fetch, fetched: Path
    ):
        repository.commit({"a": "1"})
        commit = repository.commit({"a": "2"})
        assert fetching(repository.url) == commit
        assert git(fetched, "rev-list", "--count", commit) == "1"
        assert git(fetched, "rev-parse", "--is-bare-repository") == "true"
        assert not list(fetched.glob("hooks/*"))

    def test_a_branch_a_tag_and_a_commit(self, repository: Repository, fetching: Fetch):
        first = repository.commit({"a": "1"})
        repository.git("tag", "light")
        repository.git("tag", "-a", "-m", "x", "annotated")
        repository.git("branch", "side/branch")
        newest = repository.commit({"a": "2"})
        assert [fetching(repository.url, ref) for ref in ("light", "annotated", "side/branch")] == [first] * 3
        assert fetching(repository.url, "main") == newest
        assert fetching(repository.url, newest) == newest

    def test_a_forced_push(self, repository: Repository, fetching: Fetch):
        repository.commit({"a": "1"})
        fetching(repository.url)
        rewritten = repository.commit({"a": "other"}, amend=True)
        assert fetching(repository.url) == rewritten

    def test_a_renamed_default_branch(self, repository: Repository, fetching: Fetch):
        repository.commit({"a": "1"})
        fetching(repository.url)
        repository.git("checkout", "--quiet", "-b", "trunk")
        repository.git("branch", "-D", "main")
        commit = repository.commit({"a": "2"})
        assert fetching(repository.url) == commit

    def test_no_submodules(self, repository: Repository, fetching: Fetch, fetched: Path, tmp_path: Path):
        other = Repository(tmp_path / "repositories" / "other")
        commit = other.commit({"secret": "1"})
        repository.commit({"a": "1", ".gitmodules": f'[submodule "o"]\n\tpath = o\n\turl = {other.url}\n'})
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},o")
        repository.git("commit", "--quiet", "-m", "x")
        fetching(repository.url)
        assert not (fetched / "modules").exists()

    def test_many_fetches_do_not_pile_up(self, repository: Repository, fetching: Fetch, fetched: Path):
        for number in range(PACKS + 3):
            commit = repository.commit({"a": str(number)})
            assert fetching(repository.url) == commit
            keep(fetched, commit, Limits(10**9, 10**9))
        assert len(list(fetched.glob("objects/pack/*.pack"))) < PACKS
        assert git(fetched, "rev-parse", CURRENT) == commit


class TestFailures:
    def test_an_unknown_ref(self, repository: Repository, fetching: Fetch):
        repository.commit({"a": "1"})
        for ref in ("nowhere", "a" * 40):
            with pytest.raises(RefUnknown, match="no such branch"):
                fetching(repository.url, ref)

    def test_an_empty_repository(self, repository: Repository, fetching: Fetch):
        with pytest.raises(RefUnknown, match="no commit on its default branch"):
            fetching(repository.url)

    def test_no_repository(self, fetching: Fetch, tmp_path: Path):
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").write_text("x")
        for name in ("empty", "nothing", "file"):
            with pytest.raises(RepositoryNotFound, match="There is no repository"):
                fetching(f"file://{tmp_path}/{name}")

    def test_a_tag_that_is_no_commit(self, repository: Repository, fetching: Fetch):
        repository.commit({"a": "1"})
        repository.git("tag", "blob", repository.git("rev-parse", "HEAD:a"))
        with pytest.raises(GitFailed, match="no commit"):
            fetching(repository.url, "blob")

    def test_one_that_is_too_large(self, repository: Repository, fetching: Fetch, fetched: Path):
        repository.commit({"a": "1"})
        fetching(repository.url, folder_bytes=10**6)
        repository.commit({"a": bytes(range(256)) * 20, "b": _noise(2 * 10**6)})
        with pytest.raises(RepositoryTooLarge, match="larger than 1000000 bytes") as refused:
            fetching(repository.url, folder_bytes=10**6)
        assert "MARKETPLACE_MAX_BYTES" in refused.value.hint

    def test_no_git(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repository: Repository, fetching: Fetch
    ):
        running.require_git.cache_clear()
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(GitUnusable, match="no git"):
            fetching(repository.url)

    def test_an_old_git(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repository: Repository, fetching: Fetch
    ):
        running.require_git.cache_clear()
        (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.31.9\n")
        (tmp_path / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        with pytest.raises(GitUnusable, match=r"older than 2\.32"):
            fetching(repository.url)


def _noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)


class TestAfterAKill:
    @pytest.mark.parametrize(
        "left", ["shallow.lock", "refs/agnes/fetched.lock", "objects/pack/tmp_pack_x", "config.lock"]
    )
    def test_what_it_left_is_cleared(self, repository: Repository, fetching: Fetch, fetched: Path, left: str):
        repository.commit({"a": "1"})
        fetching(repository.url)
        (fetched / left).write_text("")
        commit = repository.commit({"a": "2"})
        assert fetching(repository.url) == commit
        assert not (fetched / left).exists()

    @pytest.mark.parametrize("damage", ["HEAD", "refs/agnes/fetched", "objects"])
    def test_a_damaged_copy_is_fetched_anew(
        self, repository: Repository, fetching: Fetch, fetched: Path, damage: str
    ):
        repository.commit({"a": "1"})
        fetching(repository.url)
        if damage == "objects":
            for pack in fetched.glob("objects/pack/*"):
                pack.chmod(0o600)
                pack.write_bytes(b"")
        else:
            (fetched / damage).write_text("")
        commit = repository.commit({"a": "2"})
        assert fetching(repository.url) == commit


class TestIsolation:
    @pytest.fixture(autouse=True)
    def hostile_machine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Somebody's configuration that would lead elsewhere, and hooks and variables that would run."""
        home = tmp_path / "home"
        home.mkdir()
        hook = home / "reference-transaction"
        hook.write_text(f"#!/bin/sh\ntouch {home}/ran\n")
        hook.chmod(0o755)
        config = f'[url "file:///nowhere/"]\n\tinsteadOf = file:///\n[core]\n\thooksPath = {home}\n'
        (home / ".gitconfig").write_text(config)
        monkeypatch.setenv("HOME", str(home))
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG"):
            monkeypatch.setenv(name, str(home / ".gitconfig"))
        monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {home}/ran")
        monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(home))
        monkeypatch.setenv("GIT_TRACE", str(home / "trace"))
        return home

    def test_neither_configuration_nor_environment_reach_git(
        self, repository: Repository, fetching: Fetch, hostile_machine: Path
    ):
        commit = repository.commit({"a": "1"})
        assert fetching(repository.url) == commit
        assert {path.name for path in hostile_machine.iterdir()} == {".gitconfig", "reference-transaction"}

    def test_the_copys_own_hooks_do_not_run(
        self, repository: Repository, fetching: Fetch, fetched: Path, hostile_machine: Path
    ):
        repository.commit({"a": "1"})
        fetching(repository.url)
        (fetched / "hooks").mkdir()
        (fetched / "hooks" / "reference-transaction").symlink_to(hostile_machine / "reference-transaction")
        repository.commit({"a": "2"})
        fetching(repository.url)
        assert not (hostile_machine / "ran").exists()
