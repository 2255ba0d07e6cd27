"""Names of a tree: symlinks, what is left out, limits."""

import pytest

from marketplace.plugins import limits
from marketplace.plugins.errors import TreeTooLarge
from marketplace.plugins.layout import Found, Layout
from marketplace.plugins.report import Report
from marketplace.plugins.trees.memory_tree import MemoryTree
from marketplace.tests.plugins.helpers import ids, markdown, marketplace, messages, plugin


def layout(*files, links=None):
    return Layout(MemoryTree(dict.fromkeys(files, b""), links), Report())


@pytest.mark.parametrize(
    ("target", "real"),
    [
        ("c.md", "a/c.md"),
        ("./c.md", "a/c.md"),
        ("../b/d.md", "b/d.md"),
        ("../a/../b/d.md", "b/d.md"),
        ("../folder/d.md", "b/d.md"),
        ("../../outside.md", None),
        ("/etc/passwd", None),
        ("/c.md", None),
        ("../../b/d.md", None),
        ("missing.md", None),
        ("link", None),
        ("../loop1", None),
        ("c.md/d.md", None),
        ("a\\b", None),
        ("", None),
        ("\0", None),
        ("x" * 5000, None),
    ],
)
def test_a_symlink_stays_in_the_tree(target, real):
    links = {"a/link": target, "folder": "b", "loop1": "loop2", "loop2": "loop1"}
    assert layout("a/c.md", "b/d.md", links=links).file("a/link") == real


def test_folders_can_be_symlinks():
    found = layout("b/c/d.md", links={"a": "b", "e": "a/c"})
    assert found.file("a/c/d.md") == "b/c/d.md"
    assert found.folder("e") == "b/c"
    assert found.names("e") == ["d.md"]
    assert found.walk("a") == [Found("c/d.md", "b/c/d.md")]


def test_a_walk_enters_a_folder_once_by_its_own_name():
    found = layout("top/z/a.md", links={"top/a": "z", "top/z/up": "../../top", "top/z/self": "."})
    assert found.walk("top") == [Found("z/a.md", "top/z/a.md")]


def test_many_symlinks_do_not_multiply():
    links = {f"top/{i}/{side}": f"../{i + 1}" for i in range(30) for side in "ab"}
    files = [f"top/{i}/x.md" for i in range(31)]
    assert len(layout(*files, links=links).walk("top")) == 31


@pytest.mark.parametrize(
    "path", ["/a", "../a", "a/../b", "a//b", "a/", "./a", "", "a\\b", "a\0b", "x/" * 100 + "a", "x" * 2000]
)
def test_a_path_that_is_none_is_left_out_with_a_warning(path):
    report = Report()
    found = Layout(MemoryTree({path: b"", "ok.md": b""}), report)
    assert found.names("") == ["ok.md"]
    assert "is left out" in report.findings[0].message


def test_junk_of_file_managers_is_left_out():
    assert layout("__MACOSX/commands/._a.md", "commands/.DS_Store", "commands/a.md").names("") == ["commands"]
    assert ids(plugin({"commands/__MACOSX/a.md": "", "commands/b.md": ""}), "command") == ["kit:b"]


def test_names_that_differ_in_case_are_a_warning():
    record = marketplace(files={"kit/Go.md": "", "kit/go.md": ""})
    assert "“Go.md” and “go.md” differ in case only" in messages(record, "warning")


def test_a_name_can_be_file_and_folder_without_harm():
    assert layout("a", "a/b").walk("") == [Found("a", "a"), Found("a/b", "a/b")]


def test_there_are_limits(monkeypatch):
    monkeypatch.setattr(limits, "ENTRIES", 3)
    with pytest.raises(TreeTooLarge, match="more than 3 files"):
        layout("a", "b", "c", "d")
    monkeypatch.setattr(limits, "VISITS", 20)
    with pytest.raises(TreeTooLarge, match="share more files"):
        marketplace(*({"name": f"p{i}", "source": "./"} for i in range(9)), files={"commands/a.md": ""})


def test_json_is_limited_in_all_plugins_together(monkeypatch):
    monkeypatch.setattr(limits, "ALL_JSON_BYTES", 1000)
    files = {"kit/.claude-plugin/plugin.json": {"name": "kit", "description": "x" * 200}}
    assert len(marketplace({"name": "a", "source": "./kit"}, files=files).plugins) == 1
    with pytest.raises(TreeTooLarge, match="more JSON"):
        marketplace(*({"name": f"p{i}", "source": "./kit"} for i in range(9)), files=files)


def test_a_symlink_that_leads_nowhere_is_none():
    assert layout("a/b.md", links={"a/link": ""}).resolve("a/link") is None


def test_components_are_limited(monkeypatch):
    files = {f"commands/{i}.md": "" for i in range(5)}
    monkeypatch.setattr(limits, "COMPONENTS_OF_A_PLUGIN", 3)
    kit = plugin(files)
    assert len(kit.components or ()) == 3
    assert "Only the first 3 components" in messages(kit, "error")
    monkeypatch.setattr(limits, "COMPONENTS", 5)
    with pytest.raises(TreeTooLarge, match="more than 5 components"):
        marketplace(*({"name": f"p{i}", "source": "./"} for i in range(2)), files=files)


def test_front_matter_is_limited(monkeypatch):
    files = {f"commands/{i}.md": markdown(description="x" * 100) for i in range(5)}
    monkeypatch.setattr(limits, "ALL_FRONT_MATTER_CHARACTERS", 500)
    with pytest.raises(TreeTooLarge, match="more front matter"):
        plugin(files)


def test_skills_can_be_symlinks_into_the_marketplace():
    links = {
        "kit/skills/shared": "../../shared/s",
        "kit/skills/file/SKILL.md": "../../../shared/s2/SKILL.md",
        "kit/skills/out": "../../../elsewhere",
        "kit/skills/abs": "/etc",
    }
    files = {"shared/s/SKILL.md": markdown(name="s"), "shared/s2/SKILL.md": "S.", "kit/README.md": ""}
    [kit] = marketplace({"name": "kit", "source": "./kit"}, files=files, links=links).plugins
    assert ids(kit, "skill") == ["kit:file", "kit:shared"]


def test_a_file_with_two_names_counts_once_under_its_own():
    links = {"kit/skills/a": "b", "kit/commands/a.md": "b.md", "kit/agents/a.md": "b.md"}
    files = {"skills/b/SKILL.md": "B.", "commands/b.md": "B.", "agents/b.md": "B."}
    kit = plugin(files, links=links)
    assert (ids(kit, "skill"), ids(kit, "command"), ids(kit, "agent")) == (["kit:b"], ["kit:b"], ["kit:b"])


def test_the_plugins_folder_can_be_a_symlink():
    [kit] = marketplace(
        {"name": "kit", "source": "./link"}, files={"real/commands/go.md": ""}, links={"link": "real"}
    ).plugins
    assert ids(kit, "command") == ["kit:go"]


def test_findings_are_limited():
    report = Report()
    for number in range(limits.FINDINGS + 7):
        report.note(f"{number}")
    assert len(report.findings) == limits.FINDINGS + 1
    assert report.findings[-1].message == "7 more findings are left out."
