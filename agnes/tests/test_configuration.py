"""docs/CONFIGURATION.md names every environment variable with its default, and none that is not read."""

import ast
import re

from django.conf import settings

from agnes import env

ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", re.MULTILINE)
ROWS = ROW.findall((settings.BASE_DIR / "docs" / "CONFIGURATION.md").read_text())
DOCUMENTED = dict(ROWS)


def test_every_variable_is_documented():
    assert env.KNOWN - set(DOCUMENTED) == set()


def test_every_documented_variable_is_read():
    assert set(DOCUMENTED) - env.KNOWN == set()


def test_no_variable_stands_there_twice():
    assert len(ROWS) == len(DOCUMENTED)


def test_the_defaults_of_numbers_and_switches_are_the_real_ones():
    real = defaults_in_code("integer") | defaults_in_code("boolean")
    assert len(real) > 5
    for name, default in real.items():
        assert DOCUMENTED[name].startswith(f"`{default}`".lower()), name


def test_no_setting_is_read_after_the_mistakes_were_told():
    *_, last = ast.parse((settings.BASE_DIR / "agnes" / "settings.py").read_text()).body
    assert ast.unparse(last) == "env.refuse_mistakes()"


def defaults_in_code(reader: str) -> dict[str, object]:
    """The defaults that settings.py gives to `env.<reader>`, by variable."""
    calls = [
        node
        for node in ast.walk(ast.parse((settings.BASE_DIR / "agnes" / "settings.py").read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"env.{reader}"
    ]
    return {ast.literal_eval(call.args[0]): eval(ast.unparse(call.args[1])) for call in calls}
