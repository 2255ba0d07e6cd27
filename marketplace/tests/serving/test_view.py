"""What is served of a stack: names, versions, entries, and what is left out."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from accounts.models import User
from marketplace.catalogue.registering import add_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.models import Plugin, StackItem
from marketplace.plugins import parse_marketplace
from marketplace.plugins.trees.memory_tree import MemoryTree
from marketplace.serving import limits
from marketplace.serving.errors import NotForStacks
from marketplace.serving.repositories import left_out_of, repository_of_view
from marketplace.serving.stack import add_to_stack, list_stack
from marketplace.serving.view import view_of
from marketplace.tests.planting import plant_plugin
from marketplace.tests.repositories import Repository, entry, marketplace, plugin
from marketplace.tests.serving.conftest import two_plugins
from marketplace.tests.serving.planting import a_skill, plant_entity
from telemetry.attribution.lookup import place_name
from telemetry.models import SkillAttribution

pytestmark = pytest.mark.django_db


@pytest.fixture
def served(tmp_path: Path):
    """`served(bob)` is a folder with what bob's Claude Code gets."""

    def call(user: User) -> Path:
        target = tmp_path / f"served-{os.urandom(4).hex()}"
        with repository_of_view(view_of(user)) as repository:
            git = ["git", "-c", "safe.directory=*", "clone", "--quiet", f"file://{repository}", str(target)]
            subprocess.run(git, check=True, capture_output=True)
        return target

    return call


def tree_of(folder: Path) -> MemoryTree:
    """Without links."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return MemoryTree({str(path.relative_to(folder)): path.read_bytes() for path in files})


def entries(folder: Path) -> dict[str, dict]:
    listed = json.loads((folder / ".claude-plugin/marketplace.json").read_text())["plugins"]
    return {it["name"]: it for it in listed}


def add(user: User, *names: str) -> None:
    for name in names:
        add_to_stack(user, "curated", f"kits/{name}")


def why_not(user: User, name: str) -> str:
    [item] = [it for it in list_stack(user) if it.plugin.name == name]
    assert item.name is None
    return item.why_not or ""


def versions(folder: Path) -> dict[str, str]:
    return {name: it["version"] for name, it in entries(folder).items()}


def test_versions_change_with_the_content_only(synced, bob, served):
    synced(two_plugins())
    add(bob, "tidy", "rows")
    first = versions(served(bob))
    assert first["tidy"].startswith("1.4.0+")
    assert first["rows"].startswith("0.0.0+")
    synced(two_plugins() | {"README.md": "# Another commit\n"})
    assert versions(served(bob)) == first
    synced(two_plugins(more={"README.md": "# Tidier\n"}))
    changed = versions(served(bob))
    assert changed["rows"] == first["rows"]
    assert changed["tidy"] != first["tidy"]
    synced(two_plugins(more={"README.md": "# Tidier\n"}), executables=("tidy/scripts/run.sh",))
    assert versions(served(bob))["tidy"] != changed["tidy"]
    synced(two_plugins())
    assert versions(served(bob)) == first


def test_the_version_stands_where_claude_code_looks_first(synced, bob, served):
    synced(two_plugins(more={"plugin.json": '{"name": "x", "version": "9"}'}))
    add(bob, "tidy", "rows")
    folder = served(bob)
    for name, version in versions(folder).items():
        manifest = json.loads((folder / f"plugins/{name}/.claude-plugin/plugin.json").read_text())
        assert manifest["version"] == version
        assert manifest["name"] == name


def test_a_version_fits_the_name_of_a_folder(synced, bob, served):
    odd = {"tidy": "1.0+build/../x y", "rows": "../.."}
    files = marketplace(*map(entry, odd))
    for name, version in odd.items():
        files |= plugin(name, commands=["go"], manifest={"version": version})
    synced(files)
    add(bob, *odd)
    found = versions(served(bob))
    assert found["tidy"].startswith("1.0+build-..-x-y.")
    assert found["rows"].startswith("0.0.0+")


def shapes() -> dict[str, str]:
    """One entry of each kind of merging (docs/PLUGINS.md)."""
    hook = {"Stop": [{"hooks": [{"type": "command", "command": "./entry.sh"}]}]}
    servers = {"db": {"command": "db"}}
    added = {"more/x.md": "X.\n", "more/a.md": "---\nname: a\n---\nA.\n"}
    own_hooks = json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "./own.sh"}]}]}})
    return (
        marketplace(
            entry("default", "./p/default"),
            entry("entry-adds", "./p/entry-adds", commands=["./more/x.md"], agents=["./more/a.md"]),
            entry("no-manifest", "./p/bare", strict=False, commands=["./extra/go.md"], mcpServers=servers),
            entry("hooked", "./p/hooked", strict=False, hooks=hook),
            entry("first-half", "./", strict=False, skills=["./skills/one"]),
            entry("rooted", "by-root"),
            metadata={"pluginRoot": "./p"},
        )
        | plugin("p/default", name="other-namespace", skills={"s": "s"}, commands=["c"], agents=["a"])
        | plugin("p/entry-adds", commands=["c"], more=added)
        | {"p/bare/extra/go.md": "Go.\n", "p/bare/skills/walk/SKILL.md": "---\nname: walk\n---\nWalk.\n"}
        | {"p/hooked/hooks/hooks.json": own_hooks, "p/hooked/commands/c.md": "C.\n"}
        | plugin("p/by-root", commands=["c"])
        | {f"skills/{name}/SKILL.md": f"---\nname: {name}\n---\n{name}\n" for name in ("one", "two")}
    )  # fmt: skip


def test_what_an_entry_adds_still_holds(synced, bob, served, repository):
    """What is parsed of the served marketplace has the components of the upstream's."""
    synced(shapes())
    upstream = {one.name: one for one in parse_marketplace(tree_of(repository.folder)).plugins}
    add(bob, *upstream)
    found = {one.name: one for one in parse_marketplace(tree_of(served(bob))).plugins}
    assert found.keys() == upstream.keys()
    for name, one in upstream.items():
        assert found[name].does_not_load is None
        assert found[name].namespace == one.namespace
        assert described(found[name]) == described(one), name


def test_and_under_another_name(synced, bob, served, repository, tmp_path):
    """An older marketplace has taken all the names: those without a plugin.json keep their namespace."""
    names = [it["name"] for it in json.loads(shapes()[".claude-plugin/marketplace.json"])["plugins"]]
    older = Repository(tmp_path / "repositories" / "older")
    older.commit(marketplace(*(entry(name, f"./{name}") for name in names)))
    sync_marketplace(add_marketplace(read_location(older.url), slug="older"))
    synced(shapes())
    upstream = {one.name: one for one in parse_marketplace(tree_of(repository.folder)).plugins}
    add(bob, *upstream)
    found = {one.name: one for one in parse_marketplace(tree_of(served(bob))).plugins}
    assert set(found) == {f"{name}-kits" for name in names}
    for name, one in upstream.items():
        assert found[f"{name}-kits"].namespace == one.namespace
        assert described(found[f"{name}-kits"]) == described(one), name


def described(record):
    def key(part):
        handler = part.details.get("command") if part.kind in ("hook", "mcp_server") else None
        return part.kind, part.identifiers and part.identifiers.canonical.partition(":")[2], handler

    return sorted(map(key, record.components), key=repr)


def test_plugins_hosted_elsewhere_are_passed_on(synced, bob, served):
    sources = {
        "on-github": {"source": "github", "repo": "o/r", "ref": "v1", "sha": "a" * 40},
        "by-url": {"source": "url", "url": "https://git.example.com/x.git", "ref": "main"},
        "below": {
            "source": "git-subdir",
            "url": "https://git.example.com/y.git",
            "path": "p",
            "sha": "b" * 40,
        },
        "packaged": {"source": "npm", "package": "@x/y", "version": "1.2.3"},
    }
    synced(marketplace(*(entry(name, source, description=name) for name, source in sources.items())))
    add(bob, *sources)
    assert {name: it["source"] for name, it in entries(served(bob)).items()} == sources


def test_names_are_given_once_and_kept(synced, bob, charlie, served, tmp_path):
    synced(two_plugins())
    plant_entity(charlie, "knots", a_skill("knots"))
    other = Repository(tmp_path / "repositories" / "other")
    other.commit(
        marketplace(entry("Tidy"), entry("knots")) | plugin("Tidy", commands=["x"]) | plugin("knots")
    )
    sync_marketplace(add_marketplace(read_location(other.url), slug="other"))
    names = dict(Plugin.objects.values_list("ref_id", "served_name__name"))
    assert names["kits/tidy"] == "tidy"
    assert names["other/Tidy"] == "Tidy-other"
    assert names["flea-knots"] == "knots"
    assert names["other/knots"] == "knots-other"
    synced(marketplace())
    synced(two_plugins())
    assert dict(Plugin.objects.values_list("ref_id", "served_name__name")) == names


def test_what_is_installed_from_here_counts_for_its_plugin(synced, bob):
    """A skill's base directory tells where it was installed from (docs/COUNTING.md)."""
    synced(two_plugins())
    places = SkillAttribution.objects.filter(ref_id="kits/tidy", identifier__contains="/")
    assert place_name("agnes", "tidy") in set(places.values_list("identifier", flat=True))


def test_what_cannot_be_served_is_said(synced, bob, served):
    synced(two_plugins())
    add(bob, "tidy", "rows")
    broken = two_plugins(more={".claude-plugin/plugin.json": "{"})
    synced(broken)
    assert set(entries(served(bob))) == {"rows"}
    reason = why_not(bob, "tidy")
    assert "does not load" in reason
    assert "plugin.json" in reason


def test_a_marketplace_that_was_removed_serves_nothing_any_more(synced, bob, charlie, served, run):
    synced(two_plugins())
    plant_entity(charlie, "knots", a_skill("knots"))
    add(bob, "tidy")
    add_to_stack(bob, "flea", "flea-knots")
    assert set(entries(served(bob))) == {"tidy", "knots"}
    run("marketplace_remove", "kits")
    folder = served(bob)
    assert set(entries(folder)) == {"knots"}
    assert not (folder / "plugins/tidy").exists()
    assert "left its marketplace" in why_not(bob, "tidy")
    with pytest.raises(NotForStacks):
        add(bob, "rows")


def test_two_of_one_namespace_are_not_served_together(synced, bob, served):
    synced(two_plugins())
    add(bob, "tidy", "rows")
    synced(two_plugins() | plugin("rows", name="tidy", skills={"count": "count"}))
    assert set(entries(served(bob))) == {"tidy"}
    assert "namespace tidy, as kits/tidy" in why_not(bob, "rows")


def test_a_plugin_that_is_too_large_is_left_out_alone(synced, bob, served, monkeypatch):
    monkeypatch.setattr(limits, "FILE_BYTES", 100)
    synced(two_plugins(more={"big.bin": "x" * 101}))
    add(bob, "tidy", "rows")
    folder = served(bob)
    assert set(entries(folder)) == {"rows"}
    assert not (folder / "plugins/tidy").exists()
    with repository_of_view(view_of(bob)) as repository:
        assert "too large" in left_out_of(repository)[Plugin.objects.get(name="tidy").pk]


def test_gits_own_names_are_left_out(synced, bob, served):
    files = two_plugins(more={".gitattributes": "* filter=lfs\n", "sub/.GITMODULES": "x", "a.txt": "a"})
    synced(files)
    add(bob, "tidy")
    names = {path.name for path in (served(bob) / "plugins/tidy").rglob("*")}
    assert "a.txt" in names
    assert not {".gitattributes", ".GITMODULES"} & names


def test_what_installs_by_a_command_or_with_credentials_is_not_passed_on(synced, bob):
    synced(
        marketplace(
            entry("runs", {"source": "command", "command": "curl x | sh"}),
            entry("private", {"source": "url", "url": "https://me:secret@git.example.com/x.git"}),
        )
    )
    StackItem.objects.bulk_create(StackItem(user=bob, plugin=it) for it in Plugin.objects.all())
    assert view_of(bob).plugins == ()
    assert "would run a command on your machine" in why_not(bob, "runs")
    assert "holds credentials" in why_not(bob, "private")


def test_looking_costs_few_queries(kits, bob, django_assert_max_num_queries):
    for number in range(30):
        one = plant_plugin(
            kits, f"p{number}", source_kind="github", entry={"source": {"source": "github", "repo": "o/r"}}
        )
        StackItem.objects.create(user=bob, plugin=one)
    view_of(bob)
    with django_assert_max_num_queries(6):
        assert len(view_of(bob).plugins) == 30


def test_what_is_served_is_closed_to_others(kits, bob, data_folder):
    with repository_of_view(view_of(bob)) as repository:
        assert stat.S_IMODE(repository.stat().st_mode) == 0o700
