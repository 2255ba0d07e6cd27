"""marketplace.json: what it must hold, entries, renames, names of its own."""

import pytest

from marketplace.plugins import limits, parse_marketplace
from marketplace.plugins.errors import MarketplaceInvalid
from marketplace.plugins.records import Person
from marketplace.plugins.reserved_names import is_reserved
from marketplace.tests.plugins.helpers import MARKETPLACE, marketplace, messages, tree

KIT = {"name": "kit", "source": "./kit"}
KIT_FILES = {"kit/commands/go.md": "Go."}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "no readable .claude-plugin/marketplace.json"),
        ({"marketplace.json": {"name": "shop", "plugins": []}}, "no readable"),
        ({MARKETPLACE: "{"}, "not valid JSON: .* in line 1"),
        ({MARKETPLACE: '// my shop\n{"name": "shop", "plugins": []}'}, "not valid JSON"),
        ({MARKETPLACE: '{"name": NaN, "plugins": []}'}, "it holds NaN"),
        ({MARKETPLACE: "[" * 100_000}, "nested too deeply"),
        ({MARKETPLACE: '{"name": "shop", "plugins": ' + "[" * 90 + "]" * 90 + "}"}, "nested too deeply"),
        ({MARKETPLACE: " " * 5_000_000}, "larger than"),
        ({MARKETPLACE: '{"a": ' + "9" * 5000 + "}"}, "not valid JSON"),
        ({MARKETPLACE: "version https://git-lfs.github.com/spec/v1\n"}, "Git LFS pointer"),
        ({MARKETPLACE: []}, "not a JSON object"),
        ({MARKETPLACE: {"plugins": []}}, "`name` .* is missing"),
        ({MARKETPLACE: {"name": "my shop", "plugins": []}}, "holds a space"),
        ({MARKETPLACE: {"name": 7, "plugins": []}}, "is no text"),
        ({MARKETPLACE: {"name": "shop"}}, "`plugins` .* not a list"),
        ({MARKETPLACE: {"name": "shop", "plugins": {}}}, "`plugins` .* not a list"),
    ],
)
def test_it_says_why_there_is_no_marketplace(files, reason):
    with pytest.raises(MarketplaceInvalid, match=reason):
        parse_marketplace(tree(files))


def test_it_reads_the_marketplaces_own_fields():
    record = marketplace(
        description="All of it",
        version="2.0",
        owner={"name": "Ada", "email": "ada@example.com"},
        allowCrossMarketplaceDependenciesOn=["other"],
    )
    assert (record.name, record.description, record.version) == ("shop", "All of it", "2.0")
    assert record.owner == Person("Ada", "ada@example.com")
    assert record.cross_marketplace_dependencies == ("other",)
    assert record.findings == ()


def test_description_and_version_may_stand_under_metadata():
    record = marketplace(metadata={"description": "All of it", "version": "2.0"})
    assert (record.description, record.version) == ("All of it", "2.0")


def test_a_byte_order_mark_and_invalid_bytes_do_no_harm():
    content = b'\xef\xbb\xbf{"name": "shop", "owner": {"name": "Ad\xff"}, "plugins": []}'
    assert parse_marketplace(tree({MARKETPLACE: content})).owner.name == "Ad\ufffd"


def test_text_that_no_database_stores_is_replaced():
    record = marketplace({**KIT, "description": "a\0b\ud800c"}, files=KIT_FILES)
    assert record.plugins[0].description == "a\ufffdb\ufffdc"
    assert record.plugins[0].entry["description"] == "a\ufffdb\ufffdc"


def test_a_missing_owner_is_an_error_and_the_plugins_are_shown():
    record = marketplace(KIT, files=KIT_FILES, owner=None)
    assert "no `owner.name`" in messages(record, "error")
    assert len(record.plugins) == 1


def test_a_name_that_is_not_in_kebab_case_is_a_warning():
    assert "kebab case" in messages(marketplace(name="MyShop"), "warning")


@pytest.mark.parametrize("entry", [None, 7, "kit", [], {}, {"name": ""}, {"name": 5}, {"name": "x" * 300}])
def test_an_entry_without_a_usable_name_is_left_out(entry):
    record = marketplace(entry, KIT, files=KIT_FILES)
    assert [plugin.name for plugin in record.plugins] == ["kit"]
    assert "Entry 1 of `plugins` is left out" in messages(record, "error")


@pytest.mark.parametrize("name", ["a\nb", "a\x7f", "\x85", ".", "..", "a/../b"])
def test_an_entry_whose_name_no_address_holds_is_left_out(name):
    record = marketplace({**KIT, "name": name}, KIT, files=KIT_FILES)
    assert [plugin.name for plugin in record.plugins] == ["kit"]
    assert "Entry 1 of `plugins` is left out" in messages(record, "error")


@pytest.mark.parametrize("name", ["my kit", "a/b", "a\\b", "a..b"])
def test_a_name_that_claude_code_refuses_does_not_load(name):
    [refused] = marketplace({**KIT, "name": name}, files=KIT_FILES).plugins
    assert refused.does_not_load
    assert refused.components == ()


def test_of_two_entries_with_one_name_the_first_counts():
    record = marketplace(KIT, {**KIT, "description": "second"}, files=KIT_FILES)
    assert [plugin.description for plugin in record.plugins] == [""]
    assert "listed twice" in messages(record, "error")


def test_names_that_differ_in_case_are_both_kept_with_a_warning():
    record = marketplace(KIT, {**KIT, "name": "Kit"}, files=KIT_FILES)
    assert [plugin.name for plugin in record.plugins] == ["kit", "Kit"]
    assert "differ in case only" in messages(record, "warning")


def test_a_shared_namespace_is_noted():
    files = {**KIT_FILES, "kit/.claude-plugin/plugin.json": {"name": "acme"}}
    record = marketplace(KIT, {**KIT, "name": "other"}, files=files)
    assert "“acme” is shared by “kit”, “other”" in messages(record, "note")


def test_the_entry_is_kept_as_json():
    entry = {**KIT, "x-team": {"a": [1, None]}, "relevance": {"files": ["*.py"]}}
    assert marketplace(entry, files=KIT_FILES).plugins[0].entry == entry


def test_renames_are_followed_to_their_end():
    record = marketplace(renames={"a": "b", "b": "c", "gone": None, "x": "gone"})
    assert record.renames == {"a": "c", "b": "c", "gone": None, "x": None}


def test_renames_in_circles_and_of_wrong_types_are_ignored():
    record = marketplace(renames={"a": "b", "b": "a", "c": "a", "d": 7, "e": "f"})
    assert record.renames == {"e": "f"}
    assert messages(record).count("circles") == 3
    assert "“d” is ignored" in messages(record)
    assert "not an object" in messages(marketplace(renames=["a"]))


def test_long_chains_of_renames_end():
    chain = {f"n{i}": f"n{i + 1}" for i in range(limits.PLUGINS)}
    assert set(marketplace(renames=chain).renames.values()) == {f"n{limits.PLUGINS}"}


def test_renames_are_read_up_to_a_limit():
    record = marketplace(renames={f"n{i}": "kit" for i in range(limits.PLUGINS + 1)})
    assert len(record.renames) == limits.PLUGINS
    assert "Only the first" in messages(record, "error")


def test_renames_of_names_that_no_plugin_has_are_ignored():
    record = marketplace(renames={"a" * 256: "b", "b": "c" * 256, "d": "e"})
    assert record.renames == {"d": "e"}
    assert messages(record, "note").count("so long a name") == 2


@pytest.mark.parametrize(
    "name",
    [
        "claude-plugins-official",
        "healthcare",
        "agent-skills",
        "Claude_Plugins_Official",
        "claude.code.plugins",
        "official-claude-things",
        "anthropic-official",
        "cl\u0430ude-plugins",
    ],
)
def test_reserved_names_and_their_look_alikes(name):
    assert is_reserved(name)
    assert marketplace(name=name).has_reserved_name


@pytest.mark.parametrize(
    "name", ["acme", "superpowers-marketplace", "claude-tools-of-acme", "healthcare-acme"]
)
def test_other_names_are_free(name):
    assert not is_reserved(name)
