"""Commands that fetch a program and run it at once: nobody ever sees what that is.

A script is read once from its beginning to its end, command by command, so that time grows with its length
alone. What stands in quotes is read as a script, too.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_FETCH = re.compile(
    r"(?i)\b(?:curl|wget|aria2c|iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring)\b"
    r"|\bfetch(?=\s+(?:-|[\"']?(?:https?|ftp)://))"
)
_SHELLS = r"(?:ba|z|da|k|fi|a)?sh|pwsh|powershell"
_RUNNER = rf"(?:{_SHELLS}|python[\d.]*|perl|node|ruby|php|bun|deno)(?:\.exe)?"
# With what may stand in front of a program: sudo -E, env A=b, a path.
_RUNS = re.compile(
    rf"(?i)\W*(?:(?:sudo|env|command|exec|nohup|time)\s+(?:-\S+\s+|\w+=\S*\s+)*)*(?:[^\s/]*/)*({_RUNNER})(?![\w.-])"
)
_POWERSHELL_EVALUATES = re.compile(r"(?i)^\W*(?:iex|invoke-expression)\b")
_EVALUATES = re.compile(
    rf"(?i)(?:(?<![\w.-])(?:{_RUNNER}|eval|source)|(?<!\S)\.(?=\s))(?:\s++-[^\s\"'$`<]++)*+\s*+[\"']?"
    rf"(?:<\(|\$\(|`)\s*+(?:{_FETCH.pattern.removeprefix('(?i)')})"
)
_SHELL = re.compile(rf"(?i)(?:{_SHELLS})(?:\.exe)?")
_STORED_AS = re.compile(
    r"(?:(?<!\S)(?:-[a-zA-Z]*o|-O|--output(?:-document)?|-OutFile)[\s=]+|>\s*)([^\s;|&<>]{1,300})"
)
_LAST_OF_ADDRESS = re.compile(r"://[^\s\"']*/([\w.+-]{1,200})")
_BEFORE_PROGRAMS = frozenset({"sudo", "env", "exec", "nohup", "command", "time", "source", ".", "then", "do"})
_PART = re.compile(
    r"""(?s)(?P<quoted>"(?:[^"\\]++|\\.)*+"|'[^']*+')|\\.|(?P<pipe>(?<!\|)\|(?!\|)&?)|(?P<end>[;\n]+|&&+|\|\|+)"""
)
_COMMENT = re.compile(r"(?m)^[ \t]*+#.*+$")
_QUOTES = "\"'`"
# How deep quotes in quotes are followed: sh -c "bash -c 'eval \"…\"'".
_DEPTH = 3


class Download(NamedTuple):
    """`position` is where it begins in the script."""

    position: int
    text: str


class _Command(NamedTuple):
    start: int
    text: str
    is_piped: bool
    quoted: list[tuple[int, str]]


def runs_a_download(command: str) -> bool:
    return next(downloads_run_in(command), None) is not None


def downloads_run_in(script: str) -> Iterator[Download]:
    """The places where a script does so, comments left out."""
    if _FETCH.search(script):
        script = _COMMENT.sub(lambda match: " " * len(match[0]), script).replace("\\\n", "  ")
        yield from _downloads(script, 0, _DEPTH)


def _downloads(script: str, offset: int, depth: int) -> Iterator[Download]:
    fetched_from: int | None = None
    stored: set[str] = set()
    for command in _commands(script):
        if not command.is_piped:
            fetched_from = None
        if fetched_from is not None and _reads_program(command.text):
            yield Download(offset + fetched_from, script[fetched_from : command.start + len(command.text)])
        elif _evaluates_fetched(command.text) or _runs_one_of(command.text, stored):
            yield Download(offset + command.start, command.text)
        if _FETCH.search(command.text):
            fetched_from = command.start if fetched_from is None else fetched_from
            stored |= _stored_as(command.text)
        for start, quoted in command.quoted if depth else ():
            if _FETCH.search(quoted):
                yield from _downloads(quoted, offset + start, depth - 1)


def _commands(script: str) -> Iterator[_Command]:
    """Split at pipes, semicolons, && and ends of lines, wherever they are not quoted."""
    start, is_piped = 0, False
    quoted: list[tuple[int, str]] = []
    for part in _PART.finditer(script):
        if part["quoted"]:
            quoted.append((part.start() + 1, part["quoted"][1:-1]))
        elif part["pipe"] or part["end"]:
            yield _Command(start, script[start : part.start()], is_piped, quoted)
            start, is_piped, quoted = part.end(), bool(part["pipe"]), []
    yield _Command(start, script[start:], is_piped, quoted)


def _reads_program(command: str) -> bool:
    """Whether its standard input is a program: `sh -s`, `python3 -`; but not `python3 -m json.tool`."""
    if _POWERSHELL_EVALUATES.match(command):
        return True
    runner = _RUNS.match(command)
    if runner is None:
        return False
    given = "c" if _SHELL.fullmatch(runner[1]) else "cmepnr"
    for word in command[runner.end() :].split():
        word = word.strip(_QUOTES + "(){}")
        if word in ("-", "/dev/stdin") or word.startswith("-s"):
            return True
        if word.startswith("--eval") or (word[:1] == "-" and word[1:2].lower() in given and word[1:2]):
            return False
        if word and word[0] not in "-<>0123456789&":
            return word == "run"
    return True


def _evaluates_fetched(command: str) -> bool:
    """`sh -c "$(curl …)"`, `bash <(curl …)`, `iex (iwr …)`."""
    if _POWERSHELL_EVALUATES.match(command) and _FETCH.search(command):
        return True
    return bool(_EVALUATES.search(command))


def _stored_as(command: str) -> set[str]:
    """Names of the files that it fetches."""
    names = {match[1].strip(_QUOTES) for match in _STORED_AS.finditer(command)}
    if not names:
        names = {match[1] for match in _LAST_OF_ADDRESS.finditer(command)}
    return {name.removeprefix("./") for name in names} - {"-", "/dev/null", "/dev/stdout"}


def _runs_one_of(command: str, stored: set[str]) -> bool:
    if not stored:
        return False
    words = [word.strip(_QUOTES + "(){}").removeprefix("./") for word in command.split(maxsplit=8)[:8]]
    program = next((at for at, word in enumerate(words) if word not in _BEFORE_PROGRAMS), len(words))
    rest = words[program:]
    if rest and _RUNS.match(rest[0]):
        rest = [word for word in rest[1:] if not word.startswith("-")]
    return bool(rest) and rest[0] in stored
