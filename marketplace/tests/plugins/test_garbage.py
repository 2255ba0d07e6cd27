"""Whatever a repository holds: parsing ends, and raises nothing but its named errors."""

import json
from dataclasses import asdict

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.plugins import parse_marketplace, parse_plugin
from marketplace.plugins.component_fields import COMPONENT_FIELDS
from marketplace.plugins.errors import PluginError
from marketplace.plugins.exploding import rows_of_plugin
from marketplace.plugins.trees.memory_tree import MemoryTree
from marketplace.tests.plugins.helpers import MARKETPLACE

PARTS = st.sampled_from(
    [
        *("kit", "skills", "commands", "agents", "hooks", "workflows", "output-styles", "themes", "monitors"),
        *("SKILL.md", "hooks.json", ".mcp.json", ".lsp.json", "a.md", "B.MD", "x.js", ".claude-plugin"),
        *(
            "plugin.json",
            "monitors.json",
            "README.md",
            "..",
            ".",
            "",
            "a\0b",
            "c\\d",
            "\ud800",
            "ü :",
            "link",
        ),
    ]
)
PATHS = st.one_of(
    st.sampled_from(
        [
            *("kit/.claude-plugin/plugin.json", ".claude-plugin/plugin.json", "plugin.json"),
            *("kit/skills/a/SKILL.md", "kit/commands/x/y.md", "kit/agents/a.md", "kit/hooks/hooks.json"),
            *(
                "kit/.mcp.json",
                "kit/.lsp.json",
                "kit/workflows/w.js",
                "kit/monitors/monitors.json",
                "SKILL.md",
            ),
        ]
    ),
    st.lists(PARTS, min_size=1, max_size=4).map("/".join),
)
TEXTS = st.one_of(
    PATHS.map(lambda path: f"./{path}"),
    PATHS,
    st.sampled_from(
        ["./", ".", "./kit", "kit", "a b", "github", "command", "\0", "\ud800", "x" * 400, "kit:a", "a:b"]
    ),
    st.text(max_size=5),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
KEYS = st.sampled_from(
    [
        *(*COMPONENT_FIELDS, "name", "source", "strict", "version", "description", "author", "keywords"),
        *("repo", "url", "path", "package", "command", "content", "args", "env", "dependencies", "monitors"),
        *("themes", "PreToolUse", "Stop", "matcher", "type", "metadata", "pluginRoot", "owner", "renames"),
    ]
)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)
MANIFESTS = st.fixed_dictionaries(
    {"name": st.just("acme") | SCALARS}, optional=dict.fromkeys(COMPONENT_FIELDS, ANY)
)
ENTRIES = st.fixed_dictionaries(
    {"name": st.sampled_from(["kit", "b", "c"]) | SCALARS, "source": st.sampled_from(["./kit", "./"]) | ANY},
    optional={**dict.fromkeys(COMPONENT_FIELDS, ANY), "strict": st.booleans() | SCALARS, "author": ANY},
)
YAML = st.text("ab:-[]{}#&*!|>'\"%@`?,\n\t \\~<", max_size=60)
CONTENT = st.one_of(
    st.binary(max_size=40),
    (ANY | MANIFESTS).map(lambda value: json.dumps(value).encode()),
    YAML.map(lambda block: f"---\n{block}\n---\nBody".encode()),
    st.tuples(KEYS, ANY).map(lambda pair: f"---\n{pair[0]}: {json.dumps(pair[1])}\n---\n".encode()),
    YAML.map(lambda code: f"export const meta = {{{code}".encode()),
)
FILES = st.dictionaries(PATHS, CONTENT, max_size=8)
LINKS = st.dictionaries(PATHS, PATHS | st.sampled_from(["../..", ".", "..", "/etc"]), max_size=3)
MARKETPLACES = st.fixed_dictionaries(
    {"name": st.just("shop") | SCALARS, "plugins": st.lists(ENTRIES | ANY, max_size=3) | ANY},
    optional={"owner": ANY, "metadata": ANY, "renames": ANY | st.dictionaries(TEXTS, TEXTS | st.none())},
)


def check(record):
    """It can be stored as it is: as JSON, in UTF-8, without NUL."""
    content = asdict(record)
    json.dumps(content, allow_nan=False, ensure_ascii=False).encode()
    assert not any("\0" in text for text in texts_in(content))


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts_in([*value.keys(), *value.values()])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)


@settings(max_examples=100, deadline=None)
@given(content=MARKETPLACES.map(lambda value: json.dumps(value).encode()) | CONTENT, files=FILES, links=LINKS)
def test_any_marketplace(content, files, links):
    try:
        record = parse_marketplace(MemoryTree({**files, MARKETPLACE: content}, links), commit="0" * 40)
    except PluginError:
        return
    check(record)
    rows = [row for plugin in record.plugins for row in rows_of_plugin(plugin)]
    assert all(row.value for row in rows)
    assert len({(row.plugin, row.match_kind, row.kind, row.value) for row in rows}) == len(rows)


@settings(max_examples=100, deadline=None)
@given(files=FILES, links=LINKS, name=TEXTS)
def test_any_plugin(files, links, name):
    try:
        record = parse_plugin(MemoryTree(files, links), name)
    except PluginError:
        return
    check(record)
    rows_of_plugin(record)
