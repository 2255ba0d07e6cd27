"""Every check in the order in which it runs. What cannot be decided is held, never an error page."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from marketplace.guardrails import limits
from marketplace.guardrails.checks.downloads import check_downloads
from marketplace.guardrails.checks.executables import check_executables
from marketplace.guardrails.checks.front_matter import check_encoding, check_front_matter
from marketplace.guardrails.checks.injection import check_injection
from marketplace.guardrails.checks.inline_shell import check_inline_downloads, check_inline_shell
from marketplace.guardrails.checks.invisible_text import (
    check_escaped_text,
    check_invisible_text,
    check_tag_characters,
)
from marketplace.guardrails.checks.loading import check_loading
from marketplace.guardrails.checks.nested_archives import check_nested_archives
from marketplace.guardrails.checks.paths import check_component_paths, check_paths_in_commands
from marketplace.guardrails.checks.powers import check_powers, check_what_is_shown
from marketplace.guardrails.checks.secrets import check_secrets
from marketplace.guardrails.checks.squatting import check_look_alikes, check_squatting
from marketplace.guardrails.checks.titles import check_title
from marketplace.guardrails.checks.unread_text import check_called_text, check_unread
from marketplace.guardrails.citing import hold
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import FileContent, Subject

OfPlugin = Callable[[Subject], Iterator[Finding]]
OfFile = Callable[[FileContent], Iterator[Finding]]

# Those that can reject: quick, and run for every upload. In each, what rejects comes first, so that the
# number of findings hides nothing.
REFUSING: tuple[OfPlugin, ...] = (
    check_loading,
    check_component_paths,
    check_paths_in_commands,
    check_front_matter,
    check_squatting,
    check_title,
    check_downloads,
    check_inline_downloads,
    check_escaped_text,
)
REFUSING_FILES: tuple[OfFile, ...] = (check_tag_characters,)
# Those that hold, for what was not rejected.
HOLDING_FILES: tuple[OfFile, ...] = (
    check_nested_archives,
    check_executables,
    check_secrets,
    check_invisible_text,
    check_called_text,
)
HOLDING: tuple[OfPlugin, ...] = (
    check_unread,
    check_look_alikes,
    check_encoding,
    check_what_is_shown,
    check_injection,
)
SHOWING: tuple[OfPlugin, ...] = (check_powers, check_inline_shell)


def refusals(subject: Subject) -> list[Finding]:
    """Without those of single files."""
    return list(_of_plugin(REFUSING, subject))


def refusals_of_file(file: FileContent) -> Iterator[Finding]:
    return _of_file(REFUSING_FILES, file)


def looked_at(subject: Subject) -> list[Finding]:
    return [*_of_files(HOLDING_FILES, subject), *_of_plugin(HOLDING, subject), *_of_plugin(SHOWING, subject)]


def _of_plugin(checks: Iterable[OfPlugin], subject: Subject) -> Iterator[Finding]:
    for check in checks:
        yield from _guarded(check(subject), "")


def _of_files(checks: Iterable[OfFile], subject: Subject) -> Iterator[Finding]:
    for file in subject.contents():
        yield from _of_file(checks, file)


def _of_file(checks: Iterable[OfFile], file: FileContent) -> Iterator[Finding]:
    for check in checks:
        yield from _guarded(check(file), file.path)


def _guarded(findings: Iterator[Finding], path: str) -> Iterator[Finding]:
    try:
        yield from islice(findings, limits.FINDINGS_OF_A_CHECK)
    except MemoryError:
        raise
    except Exception as error:
        text = f"A check could not decide: {type(error).__name__}."
        yield hold("could_not_be_checked", text, "Simplify the file, or ask an admin to look at it.", path)
