"""Write the tables of docs/CONFIGURATION.md anew, from agnes/settings.py.

make docs   (python -m scripts.configuration_page)

What a variable means stands in the settings, in the lines that begin with `#:` above where it is read. If
they begin `Default: …`, that is the default where the code does not show it, and else added in brackets. The
page's prose stays; each table follows a line `<!-- settings: … -->`, which names sections of the settings.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "agnes" / "settings.py"
PAGE = ROOT / "docs" / "CONFIGURATION.md"

TABLE = re.compile(r"(<!-- settings: (.+?) -->\n\n)(?:\|.*\n)*")
SECTION = re.compile(r"# --- (.+?) -+$")
DEFAULT = re.compile(r"Default: (.+?)\. (.+)")
HEAD = "| Variable | Default | Meaning |\n|---|---|---|\n"
UNITS = {"GiB": 1024**3, "MiB": 1024**2}


@dataclass(frozen=True)
class Setting:
    name: str
    section: str
    default: str
    meaning: str

    def row(self) -> str:
        return f"| `{self.name}` | {self.default} | {self.meaning} |\n"


def main() -> None:
    PAGE.write_text(written_anew(PAGE.read_text(), settings_of(SETTINGS.read_text())))


def written_anew(page: str, settings: list[Setting]) -> str:
    def table(match: re.Match[str]) -> str:
        sections = match[2].split("; ")
        rows = [each.row() for section in sections for each in settings if each.section == section]
        return f"{match[1]}{HEAD}{''.join(rows)}"

    return TABLE.sub(table, page)


def settings_of(source: str) -> list[Setting]:
    """In the order in which they are read. Raises ValueError for one without a word about it."""
    lines = source.splitlines()
    found: dict[str, Setting] = {}
    for statement in ast.parse(source).body:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call) or (name := variable(node)) is None or name in found:
                continue
            words = words_above(lines, node.lineno) or words_above(lines, statement.lineno)
            if not words:
                raise ValueError(f"{name} has no line `#:` above it in {SETTINGS.name}.")
            stated = DEFAULT.fullmatch(words)
            meaning = stated[2] if stated else words
            default = default_of(node, stated[1] if stated else "")
            found[name] = Setting(name, section_at(lines, node.lineno), default, meaning)
    return list(found.values())


def variable(call: ast.Call) -> str | None:
    """The environment variable that `env.reader("NAME", …)` reads."""
    if not ast.unparse(call.func).startswith("env.") or not call.args:
        return None
    name = call.args[0]
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None


def words_above(lines: list[str], number: int) -> str:
    """Of the lines `#:` that end just above line `number`, counted from 1."""
    words: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#:"):
            break
        words.insert(0, line.strip().removeprefix("#:").strip())
    return " ".join(words)


def section_at(lines: list[str], number: int) -> str:
    return next(match[1] for line in reversed(lines[:number]) if (match := SECTION.match(line)))


def default_of(call: ast.Call, stated: str) -> str:
    """As the table shows it: the code's, with what is stated in brackets, or else what is stated."""
    try:
        value = eval(ast.unparse(call.args[1]), {}) if len(call.args) > 1 else None
    except NameError:  # it depends on other settings
        value = None
    if value is None:
        return stated or "none"
    brackets = stated or in_bytes(value)
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{shown}` ({brackets})" if brackets else f"`{shown}`"


def in_bytes(value: object) -> str:
    for unit, size in UNITS.items():
        if isinstance(value, int) and value and value % size == 0:
            return f"{value // size} {unit}"
    return ""


if __name__ == "__main__":
    main()
