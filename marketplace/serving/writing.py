"""Git objects, written into packs: a few megabytes of them in memory at a time."""

from pathlib import Path

from dulwich.index import commit_tree
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ShaFile
from dulwich.refs import Ref
from dulwich.repo import Repo

from marketplace.serving import limits

BRANCH = Ref(b"refs/heads/main")
FILE_MODE, EXECUTABLE_MODE = 0o100644, 0o100755
# The same for all, so that equal content has equal commits.
_AUTHOR = b"Agnes <agnes@localhost>"
_TIME = 946_684_800
_MESSAGE = b"The plugins of this stack\n"


class Writer:
    """Fills a new bare repository in `folder`. Close it in any case."""

    def __init__(self, folder: Path) -> None:
        self._repository = Repo.init_bare(folder, default_branch=BRANCH.removeprefix(b"refs/heads/"))
        store = self._repository.object_store
        assert isinstance(store, DiskObjectStore)
        self._store = store
        self._known: set[bytes] = set()
        self._waiting: list[tuple[ShaFile, str | None]] = []
        self._waiting_bytes = 0
        self._files: list[tuple[bytes, bytes, int]] = []

    def add_file(self, path: str, content: bytes, *, is_executable: bool = False) -> str:
        """The blob's hash (hex)."""
        blob = Blob.from_string(content)
        self.add_object(blob)
        mode = EXECUTABLE_MODE if is_executable else FILE_MODE
        self._files.append((path.encode("utf-8", "surrogateescape"), blob.id, mode))
        return blob.id.decode()

    def add_object(self, object_: ShaFile) -> None:
        if object_.id in self._known:
            return
        self._known.add(object_.id)
        self._waiting.append((object_, None))
        self._waiting_bytes += object_.raw_length()
        if self._waiting_bytes > limits.PACK_BYTES:
            self._flush()

    def remove_files(self, folder: str) -> None:
        """Of what was added below it nothing is in the commit."""
        prefix = f"{folder}/".encode("utf-8", "surrogateescape")
        self._files = [file for file in self._files if not file[0].startswith(prefix)]

    def commit(self) -> str:
        """All files as one commit, on the only branch; its hash (hex)."""
        commit = Commit()
        commit.tree = commit_tree(self, self._files)  # type: ignore[arg-type]
        commit.author = commit.committer = _AUTHOR
        commit.author_time = commit.commit_time = _TIME
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = b"UTF-8"
        commit.message = _MESSAGE
        self.add_object(commit)
        self._flush()
        self._repository.refs[BRANCH] = commit.id
        return commit.id.decode()

    def close(self) -> None:
        self._repository.close()

    def _flush(self) -> None:
        if self._waiting:
            self._store.add_objects(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
