"""One upload from its files to the verdict. The order is that of what can do harm: names, sizes, contents."""

import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO

from marketplace.guardrails import limits
from marketplace.guardrails.archives.names import check_names
from marketplace.guardrails.archives.opening import Upload, open_upload
from marketplace.guardrails.checks import looked_at, refusals
from marketplace.guardrails.checks.front_matter import check_all_front_matter
from marketplace.guardrails.citing import reject
from marketplace.guardrails.errors import Refused
from marketplace.guardrails.normalising.arranging import Arranged, arrange
from marketplace.guardrails.normalising.unwrapping import unwrapped
from marketplace.guardrails.packing import digest_of, open_pack, write_pack
from marketplace.guardrails.reading import read_tree
from marketplace.guardrails.records import (
    Finding,
    Inspection,
    Kind,
    KnownNames,
    Severity,
    StoredFile,
    UploadedFile,
    Verdict,
)
from marketplace.guardrails.subject import FilesTree, Subject
from marketplace.plugins import parse_plugin

_GRAVEST_FIRST = list(Severity)


def inspect(
    files: Sequence[UploadedFile],
    known: KnownNames,
    *,
    wanted_kind: Kind | None = None,
    wanted_name: str = "",
) -> Inspection:
    """In this process, the normalised tree in memory. Reads only the given files; they may go afterwards."""
    target = io.BytesIO()
    inspection = inspect_into(target, files, known, wanted_kind=wanted_kind, wanted_name=wanted_name)
    return with_files_of(inspection, target)


def inspect_into(
    target: BinaryIO,
    files: Sequence[UploadedFile],
    known: KnownNames,
    *,
    wanted_kind: Kind | None = None,
    wanted_name: str = "",
) -> Inspection:
    """Writes the normalised tree into `target` unless the upload is rejected."""
    with ExitStack() as held:
        try:
            return _inspect(target, open_upload(files, held), files[0].path, known, wanted_kind, wanted_name)
        except Refused as refused:
            return _rejected(refused.findings)


def with_files_of(inspection: Inspection, target: BinaryIO) -> Inspection:
    """The same, its files read from what was written to `target`."""
    if inspection.verdict is Verdict.REJECT:
        return inspection
    pack = open_pack(target)
    files = {path: pack.stored_file(path, file.sha256) for path, file in inspection.files.items()}
    return replace(inspection, files=files)


def _rejected(findings: Sequence[Finding], slug: str = "", kind: Kind | None = None) -> Inspection:
    return Inspection(Verdict.REJECT, tuple(findings[: limits.FINDINGS]), kind, slug)


def _inspect(
    target: BinaryIO, upload: Upload, name: str, known: KnownNames, kind: Kind | None, wanted_name: str
) -> Inspection:
    _check_outside(upload)
    arranged = _arranged(upload, name, kind, wanted_name)
    tree = read_tree(arranged.files)
    files = tree.files
    _check_before_parsing(files)
    plugin = parse_plugin(FilesTree(files), arranged.slug)
    subject = Subject(arranged.kind, arranged.slug, plugin, files, known, tree.unread)
    findings = [*refusals(subject), *tree.refusals]
    if any(finding.severity is Severity.REJECT for finding in findings):
        rejecting = [finding for finding in findings if finding.severity is Severity.REJECT]
        return _rejected(rejecting, arranged.slug, arranged.kind)
    findings = sorted(
        findings + looked_at(subject), key=lambda finding: _GRAVEST_FIRST.index(finding.severity)
    )
    write_pack(files, target)
    return Inspection(
        _verdict(findings),
        tuple(findings[: limits.FINDINGS]),
        arranged.kind,
        arranged.slug,
        plugin,
        files,
        digest_of(files),
        tuple(arranged.notes),
    )


def _check_outside(upload: Upload) -> None:
    """Raises Refused for names and numbers, before any content is read."""
    findings = list(check_names((file.name for file in upload.files), upload.folders))
    if findings:
        raise Refused(findings)


def _arranged(upload: Upload, name: str, kind: Kind | None, wanted_name: str) -> Arranged:
    tree, wrapper = unwrapped(upload.files)
    if len(tree) > limits.FILES:
        text = f"The upload has {len(tree)} files."
        raise Refused([reject("too_many_files", text, f"Take at most {limits.FILES}.")])
    return arrange(tree, wrapper or PurePosixPath(name).stem, kind, wanted_name)


def _check_before_parsing(files: Mapping[str, StoredFile]) -> None:
    findings = list(check_all_front_matter(files))
    if findings:
        raise Refused(findings)


def _verdict(findings: Sequence[Finding]) -> Verdict:
    severities = {finding.severity for finding in findings}
    if Severity.REJECT in severities:
        return Verdict.REJECT
    return Verdict.HOLD if Severity.HOLD in severities else Verdict.ACCEPT
