"""The files of a commit, without a checkout."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.git import commit_tree
from marketplace.git.commit_tree import CommitTree
from marketplace.git.errors import RepositoryDamaged
from marketplace.git.running import Limits
from marketplace.plugins import limits as parsing_limits
from marketplace.plugins.errors import FileUnreadable, TreeTooLarge
from marketplace.plugins.trees.tree import Entry, EntryKind
from marketplace.tests.git.conftest import Fetch
from marketplace.tests.git.test_servers import children_of_this_process
from marketplace.tests.repositories import Repository

LIMITS = Limits(10**9, 10**9)


@pytest.fixture
def tree(repository: Repository, fetching: Fetch, fetched: Path) -> Iterator[CommitTree]:
    repository.commit(
        {"a.txt": "hello", "b/c d.txt": "", "b/ü\n\t.txt": "x", "big": b"0123456789" * 10**6},
        {"b/link": "../a.txt", "out": "/etc/passwd"},
    )
    commit = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    repository.git("commit", "--quiet", "-m", "x")
    with CommitTree(fetched, fetching(repository.url), LIMITS) as opened:
        yield opened


def test_it_lists_every_file_symlink_and_submodule(tree: CommitTree):
    assert set(tree.entries()) == {
        Entry("a.txt", 5),
        Entry("b/c d.txt", 0),
        Entry("b/ü\n\t.txt", 1),
        Entry("big", 10**7),
        Entry("b/link", kind=EntryKind.SYMLINK, target="../a.txt"),
        Entry("out", kind=EntryKind.SYMLINK, target="/etc/passwd"),
        Entry("sub", kind=EntryKind.SUBMODULE),
    }


def test_it_reads_the_beginning_of_a_file(tree: CommitTree):
    assert tree.read("a.txt", 100) == b"hello"
    assert tree.read("a.txt", 3) == b"hel"
    assert tree.read("b/c d.txt", 3) == b""
    assert tree.read("b/ü\n\t.txt", 3) == b"x"


def test_of_a_large_file_no_more_is_read_than_was_asked_for(tree: CommitTree):
    assert tree.read("big", 25) == b"0123456789" * 2 + b"01234"
    assert children_of_this_process() == []


def test_a_symlink_is_never_followed(tree: CommitTree):
    assert tree.read("out", 100) == b"/etc/passwd"


def test_a_link_that_is_too_long_for_any_system_is_not_read(
    repository: Repository, fetching: Fetch, fetched: Path
):
    (repository.folder / "target").write_text("a/" * 5000)
    blob = repository.git("hash-object", "-w", "target")
    repository.git("update-index", "--add", "--cacheinfo", f"120000,{blob},link")
    repository.git("commit", "--quiet", "-m", "x")
    with CommitTree(fetched, fetching(repository.url), LIMITS) as tree:
        assert list(tree.entries()) == [Entry("link", kind=EntryKind.SYMLINK, target="")]
        assert children_of_this_process() == []


def test_a_list_of_files_that_is_too_long(tree: CommitTree, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commit_tree, "LISTING_BYTES", 100)
    with pytest.raises(TreeTooLarge, match="longer than 100 bytes"):
        list(tree.entries())


@pytest.mark.parametrize("path", ["nothing", "sub", "b", "", "../a.txt", "b/../a.txt"])
def test_what_is_no_file_cannot_be_read(tree: CommitTree, path: str):
    with pytest.raises(FileUnreadable):
        tree.read(path, 1)


def test_names_that_are_no_utf_8(repository: Repository, fetching: Fetch, fetched: Path):
    (repository.folder / os.fsdecode(b"\xff.txt")).write_text("x")
    repository.commit({"a": "1"})
    with CommitTree(fetched, fetching(repository.url), LIMITS) as tree:
        assert {entry.path for entry in tree.entries()} == {"a", "\udcff.txt"}
        assert tree.read("\udcff.txt", 9) == b"x"
        assert tree.digest("")


def test_a_digest_tells_of_changes_below_a_folder_only(
    repository: Repository, fetching: Fetch, fetched: Path
):
    def digests(**files: str) -> list[str]:
        repository.commit({name.replace("_", "/"): content for name, content in files.items()})
        with CommitTree(fetched, fetching(repository.url), LIMITS) as tree:
            return [tree.digest(folder) for folder in ("a", "ab", "")]

    first = digests(a_x="1", ab_x="1")
    assert digests(a_x="1", ab_x="2")[0] == first[0]
    assert digests(a_x="1", ab_x="2")[1:] != first[1:]
    assert digests(a_y="1", ab_x="1")[:2] != first[:2]
    assert digests(a_x="1", ab_x="1") == first


def test_more_files_than_are_looked_at(tree: CommitTree, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parsing_limits, "ENTRIES", 6)
    with pytest.raises(TreeTooLarge, match="more than 6 files"):
        list(tree.entries())


@pytest.mark.parametrize("large", [False, True])
def test_content_that_is_missing_is_no_empty_file(
    tree: CommitTree, fetched: Path, monkeypatch: pytest.MonkeyPatch, large: bool
):
    assert list(tree.entries())
    if large:
        monkeypatch.setattr(commit_tree, "BATCH_BYTES", 1)
    with CommitTree(fetched, "HEAD", LIMITS) as broken:
        broken.__dict__["_blobs"] = {"a": commit_tree._Blob("0" * 40, 5, b"100644")}
        with pytest.raises(RepositoryDamaged):
            broken.read("a", 10)
