"""An upload as source files: of one .zip, or of the files that came as they are."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from marketplace.guardrails import limits
from marketplace.guardrails.archives.directory import check_members, read_directory
from marketplace.guardrails.archives.inflating import check_places, read_member
from marketplace.guardrails.archives.source_file import SourceFile
from marketplace.guardrails.citing import reject
from marketplace.guardrails.errors import Refused
from marketplace.guardrails.records import UploadedFile

_ZIP_BEGINS = b"PK"


class Upload(NamedTuple):
    """`folders` are the names of the archive's entries that are folders."""

    files: list[SourceFile]
    folders: list[str]


def open_upload(files: Sequence[UploadedFile], held: ExitStack) -> Upload:
    """What is opened is closed with `held`. Raises Refused."""
    if not files:
        raise Refused([reject("empty", "Nothing was uploaded.", "Choose a .zip, a .md or a folder.")])
    size = sum(file.content.stat().st_size for file in files)
    if size > limits.UPLOAD_BYTES:
        text = f"The upload has {size} bytes."
        raise Refused([reject("too_large", text, f"Upload at most {limits.UPLOAD_BYTES} bytes.")])
    if len(files) == 1 and _is_zip(files[0]):
        return _of_zip(files[0].content, held)
    return _of_files(files)


def _is_zip(file: UploadedFile) -> bool:
    if file.path.lower().endswith(".zip"):
        return True
    with file.content.open("rb") as opened:
        return opened.read(2) == _ZIP_BEGINS and not file.path.lower().endswith(".md")


def _of_zip(path: Path, held: ExitStack) -> Upload:
    file = held.enter_context(path.open("rb"))
    directory = read_directory(file)
    findings = list(check_members(directory.members)) or list(check_places(file, directory))
    if findings:
        raise Refused(findings)
    sources = [
        SourceFile(member.name, member.size, bool(member.mode & 0o111), partial(read_member, file, member))
        for member in directory.members
        if not member.is_folder
    ]
    return Upload(sources, [member.name for member in directory.members if member.is_folder])


def _of_files(files: Sequence[UploadedFile]) -> Upload:
    if len(files) > limits.ENTRIES:
        text = f"The upload has {len(files)} files."
        raise Refused([reject("too_many_files", text, f"Take at most {limits.FILES} files.")])
    sources = []
    for file in files:
        size = file.content.stat().st_size
        if size > limits.FILE_BYTES:
            cure = f"Take files of at most {limits.FILE_BYTES} bytes."
            raise Refused([reject("file_too_large", f"It has {size} bytes.", cure, file.path)])
        sources.append(SourceFile(file.path, size, False, file.content.read_bytes))
    return Upload(sources, [])
