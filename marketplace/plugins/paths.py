"""POSIX paths inside a tree, as text: '' is the root."""

from marketplace.plugins import limits


def joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def base_name(path: str) -> str:
    return path.rpartition("/")[2]


def stem(name: str) -> str:
    """The name without `.md`; other spellings (`.MD`) stay, as in Claude Code."""
    return name.removesuffix(".md")


def simplified(path: str) -> str:
    """Without `.` parts, doubled and trailing slashes."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def fault_of_entry(path: str) -> str | None:
    """Why a name of a tree is left out of it, None if it is not."""
    if "\0" in path or "\\" in path:
        return "holds a backslash or a NUL"
    if len(path) > limits.PATH_LENGTH:
        return f"is longer than {limits.PATH_LENGTH} characters"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "is not a plain relative path"
    return f"is more than {limits.DEPTH} folders deep" if len(parts) > limits.DEPTH else None
