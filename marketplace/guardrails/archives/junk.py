"""What systems and editors leave behind, and what no plugin needs: dropped without a word."""

_FOLDERS = frozenset(
    {"__macosx", ".github", ".gitlab", ".idea", ".vscode", ".vs", ".svn", ".hg", ".trashes", ".fseventsd",
     ".spotlight-v100", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
)  # fmt: skip
_FILES = frozenset(
    {".ds_store", "thumbs.db", "desktop.ini", ".gitmodules", ".gitattributes", ".gitignore", ".gitkeep",
     ".gitlab-ci.yml", ".npmrc", ".yarnrc", ".editorconfig"}
)  # fmt: skip


def is_junk(path: str) -> bool:
    *folders, name = path.casefold().split("/")
    return (
        not _FOLDERS.isdisjoint(folders)
        or name in _FILES
        or name.startswith("._")
        or name.endswith(("~", ".swp", ".swo"))
    )
