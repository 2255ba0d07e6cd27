"""A folder of the disk as a tree."""

import os

import pytest

from marketplace.plugins import parse_marketplace, parse_plugin
from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.trees.folder_tree import FolderTree
from marketplace.plugins.trees.tree import EntryKind
from marketplace.tests.plugins.helpers import ids, messages, names


def write(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_it_lists_files_and_symlinks_and_follows_none(tmp_path):
    write(tmp_path, commands__a_md="A.")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text("")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    entries = sorted(FolderTree(tmp_path).entries())
    assert [(entry.path, entry.kind, entry.target) for entry in entries] == [
        ("commands/a.md", EntryKind.FILE, ""),
        ("loop", EntryKind.SYMLINK, "."),
    ]


def test_it_reads_no_more_than_it_is_asked_for(tmp_path):
    write(tmp_path, a_md="12345")
    assert FolderTree(tmp_path).read("a.md", 3) == b"123"


def test_it_reads_no_symlink_and_waits_for_no_pipe(tmp_path):
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "missing", "nul\0"):
        with pytest.raises(FileUnreadable):
            FolderTree(tmp_path).read(name, 10)
    assert FolderTree(tmp_path).read("pipe", 10) == b""


def test_a_missing_folder_is_an_error_without_its_path(tmp_path):
    with pytest.raises(FileUnreadable) as error:
        list(FolderTree(tmp_path / "missing").entries())
    assert "missing" not in str(error.value)


def test_what_leads_out_of_the_folder_does_not_exist(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/SKILL.md").write_text("secret")
    root = tmp_path / "root"
    write(root, skills__a__SKILL_md="A.")
    (root / "skills/out").symlink_to("../../secret")
    (root / "skills/abs").symlink_to(tmp_path / "secret")
    assert ids(parse_plugin(FolderTree(root), "kit"), "skill") == ["kit:a"]


def test_a_name_that_is_no_text_is_read_and_shown(tmp_path):
    folder = os.fsencode(tmp_path) + b"/skills/b\xffd"
    os.makedirs(folder)
    with open(folder + b"/SKILL.md", "w") as file:
        file.write("---\nname: bad\n---\n")
    kit = parse_plugin(FolderTree(tmp_path), "kit")
    assert ids(kit, "skill") == ["kit:b\ufffdd"]
    assert names(kit, "skill") == ["bad"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_warning(tmp_path):
    write(tmp_path, commands__a_md="A.")
    (tmp_path / "commands/a.md").chmod(0)
    assert "cannot be read" in messages(parse_plugin(FolderTree(tmp_path), "kit"), "warning")


def test_a_file_that_vanished_is_a_warning(tmp_path):
    class Vanishing(FolderTree):
        def read(self, path, limit):
            raise FileUnreadable("The file cannot be read: No such file or directory.")

    write(tmp_path, commands__a_md="A.")
    kit = parse_plugin(Vanishing(tmp_path), "kit")
    assert ids(kit, "command") == ["kit:a"]
    assert "cannot be read" in messages(kit, "warning")


def test_a_marketplace_on_disk(tmp_path):
    (tmp_path / ".claude-plugin").mkdir()
    (tmp_path / ".claude-plugin/marketplace.json").write_text(
        '{"name": "shop", "owner": {"name": "A"}, "plugins": [{"name": "kit", "source": "./kit"}]}'
    )
    write(tmp_path, kit__commands__a_md="A.")
    record = parse_marketplace(FolderTree(tmp_path))
    assert ids(record.plugins[0], "command") == ["kit:a"]
