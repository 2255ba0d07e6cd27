"""The `---` block: what it is, what YAML it holds, how it is rescued, and hostile ones."""

from time import process_time

import pytest

from marketplace.plugins.front_matter import split_front_matter
from marketplace.plugins.values import as_bool, as_description, as_text, as_words


def values(block):
    return split_front_matter(f"---\n{block}\n---\nBody")


def test_it_is_a_block_at_the_very_start():
    assert split_front_matter("---\nname: a\n---\nBody") == ({"name": "a"}, "Body", None)
    assert split_front_matter("---\r\nname: a\r\n---\r\nBody") == ({"name": "a"}, "Body", None)
    assert split_front_matter("---  \nname: a\n---") == ({"name": "a"}, "", None)
    assert split_front_matter("---\n---\nBody") == ({}, "Body", None)


@pytest.mark.parametrize(
    "text", ["", "Body", "\n---\nname: a\n---\n", " ---\nname: a\n---\n", "# A\n---\nname: a\n---\n"]
)
def test_anything_else_has_none(text):
    assert split_front_matter(text) == ({}, text, None)


def test_a_block_without_end_has_a_fault():
    assert split_front_matter("---\nname: a\n").fault == "its front matter has no end"


def test_values_inside_a_line_do_not_end_it():
    assert split_front_matter("---\nname: a --- b\nx: y\n---\n").values == {"name": "a --- b", "x": "y"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("description: Use when: a, b", "Use when: a, b"),
        ("description: [file] [--flag]", "[file] [--flag]"),
        ("description: {a} and {b}", "{a} and {b}"),
        ("description: *bold* text", "*bold* text"),
        ("description: &x: y", "&x: y"),
        ("description: !important: yes", "!important: yes"),
        ("description: @someone", "@someone"),
        ("description: `code`: it", "`code`: it"),
        ('description: say "hi": now', 'say "hi": now'),
        ('description: "quoted" then: more', '"quoted" then: more'),
        ("description: C:\\temp: x", "C:\\temp: x"),
        ("description: # hash: x", None),
    ],
)
def test_plain_values_that_yaml_stumbles_over_are_rescued(line, expected):
    read = values(f"name: a\n{line}")
    assert read.fault is None
    assert read.values == {"name": "a", "description": expected}


@pytest.mark.parametrize("char", ["\x07", "\x7f", "\x80", "\x9f", "\ufeff", "\ufffe", "\0"])
def test_a_control_character_costs_nothing_else(char):
    read = values(f"name: a\ndescription: b{char}c")
    assert read.fault is None
    assert read.values == {"name": "a", "description": "b\ufffdc"}


def test_a_block_of_text_survives_the_rescue():
    read = values("description: |\n  one: two\n  three\nhint: [a] [b]")
    assert read.values == {"description": "one: two\nthree\n", "hint": "[a] [b]"}


def test_what_cannot_be_rescued_is_empty_and_has_a_fault():
    read = values("name: a\n  b: c\n d: [")
    assert read.values == {}
    assert "not valid YAML" in str(read.fault)


@pytest.mark.parametrize("block", ["- a\n- b", "text", "7"])
def test_what_is_no_map_is_empty_and_has_a_fault(block):
    assert values(block).fault == "its front matter is not a map"


@pytest.mark.parametrize("block", ["", "# only a comment", "null", "{}"])
def test_nothing_is_an_empty_map(block):
    assert (values(block).values, values(block).fault) == ({}, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", "true"),
        ("yes", "yes"),
        ("on", "on"),
        ("7", "7"),
        ("007", "7"),
        ("1.0", "1"),
        ("1.5", "1.5"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("=", "="),
        ("<<", "<<"),
        ("null", None),
        ("~", None),
        ("", None),
        ("' '", None),
        ("[a, b]", None),
        ("{a: b}", None),
        ('"a\\0b"', "a\ufffdb"),
    ],
)
def test_a_scalar_is_text_as_it_was_meant(text, expected):
    assert as_text(values(f"name: {text}").values["name"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("yes", True),
        ("On", True),
        ("1", True),
        ("'true'", True),
        ("false", False),
        ("no", False),
        ("OFF", False),
        ("0", False),
        ("maybe", None),
        ("[]", None),
        ("", None),
    ],
)
def test_booleans_have_many_forms(text, expected):
    assert as_bool(values(f"x: {text}").values["x"]) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Read, Grep", ["Read", "Grep"]),
        ("Read Grep", ["Read", "Grep"]),
        ("[Read, 7, true]", ["Read", "7", "true"]),
        ("Bash(git add:*), Read", ["Bash(git add:*)", "Read"]),
        ("", []),
        ("{a: b}", []),
        ("7", ["7"]),
    ],
)
def test_lists_can_be_text(text, expected):
    assert as_words(values(f"x: {text}").values["x"]) == expected


def test_a_description_can_be_a_list():
    assert as_description(values("x: [a, 7, [b], true]").values["x"]) == "a, 7, true"


@pytest.mark.parametrize(
    "block",
    [
        "a: " + "[" * 60_000,
        "a: " + "{a: " * 15_000,
        "- " * 30_000,
        "? " * 30_000,
        "\n".join(" " * depth + "a:" for depth in range(340)),
        "a: [" + "x, " * 21_000 + "]",
        "a: !!python/object/apply:os.system [id]",
        "a: !!timestamp x",
        "a: !!bool x",
        "a: !!binary x",
        "a: " + "9" * 5000,
        "? [a]\n: b",
        "a: *missing",
        "a: b\n---\nc: d",
        "a: \x07",
        "a: \x00",
        "x" * 70_000,
    ],
)
def test_hostile_yaml_ends_quickly_and_never_raises(block):
    assert isinstance(values(block).values, dict)


def test_a_billion_laughs_stay_small():
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    read = values("\n".join([*lines, "name: *a9", "description: *a9", "tools: *a9", "hooks: {Stop: *a9}"]))
    assert read.values["name"] == "*a9"
    assert read.values["hooks"] == "{Stop: *a9}"


def test_aliases_count_as_what_they_stand_for():
    groups = f"x: &h {{type: command, command: x}}\ny: &l [{', '.join(['*h'] * 199)}]\nz: &g {{hooks: *l}}\n"
    read = values(f"{groups}g: &gs [{', '.join(['*g'] * 199)}]\nhooks: {{Stop: *gs}}")
    assert read.values["hooks"] == "{Stop: *gs}"
    assert values("a: &x [b, c]\nd: *x").values == {"a": ["b", "c"], "d": ["b", "c"]}


def test_spaces_inside_a_line_cost_no_time():
    started = process_time()
    read = values("a: b" + " " * 30_000 + ": c   ")
    assert process_time() - started < 2
    assert read.values["a"].endswith(": c")


def test_a_value_that_holds_itself_ends():
    read = values("name: &x [*x]\nhooks: &h {Stop: [*h]}")
    assert read.values == {"name": "&x [*x]", "hooks": "&h {Stop: [*h]}"}
    assert "holds itself" in str(values("&x\na: 1\nb:\n  - *x").fault)
