"""A personal marketplace, fetched by the real git from the real server."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketplace.serving.stack import add_to_stack, remove_from_stack
from marketplace.tests.repositories import entry, marketplace, plugin
from marketplace.tests.serving.clients import Clone
from marketplace.tests.serving.conftest import two_plugins
from marketplace.tests.serving.planting import a_skill, plant_entity, take_down

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_clones_curated_and_flea_plugins(kits, bob, charlie, git_of):
    plant_entity(charlie, "knots", a_skill("knots"), "skills/knots/go.sh")
    for source, ref_id in (("curated", "kits/tidy"), ("curated", "kits/rows"), ("flea", "flea-knots")):
        add_to_stack(bob, source, ref_id)
    clone = git_of(bob).clone()
    assert clone.marketplace["name"] == "agnes"
    assert clone.marketplace["owner"]["name"]
    assert sorted(clone.plugins) == ["knots", "rows", "tidy"]
    assert clone.plugins["rows"]["category"] == "data"
    assert clone.read("plugins/tidy/README.md") == "# Tidy\n"
    assert "Do it." in clone.read("plugins/knots/skills/knots/SKILL.md")
    clone.run("fsck", "--full", "--strict")


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_it_speaks_every_protocol_and_shallow(kits, bob, git_of, protocol):
    add_to_stack(bob, "curated", "kits/tidy")
    clone = git_of(bob).clone("clone", "--depth=1", protocol=protocol)
    assert sorted(clone.plugins) == ["tidy"]
    add_to_stack(bob, "curated", "kits/rows")
    clone.update(protocol)
    assert sorted(clone.plugins) == ["rows", "tidy"]
    clone.run("fsck", "--full", "--strict")


def test_modes_are_kept(kits, bob, charlie, git_of):
    plant_entity(charlie, "knots", a_skill("knots"), "skills/knots/go.sh")
    add_to_stack(bob, "curated", "kits/tidy")
    add_to_stack(bob, "flea", "flea-knots")
    clone = git_of(bob).clone()
    modes = {line.split("\t")[1]: line.split()[0] for line in clone.run("ls-files", "-s").splitlines()}
    runnable = {path for path, mode in modes.items() if mode == "100755"}
    assert runnable == {"plugins/tidy/scripts/run.sh", "plugins/knots/skills/knots/go.sh"}
    assert set(modes.values()) == {"100644", "100755"}


def test_content_stands_in_the_place_of_symlinks(synced, bob, git_of):
    links = {
        "tidy/shared": "../common",
        "tidy/same.sh": "scripts/run.sh",
        "tidy/circle": "../tidy",
        "tidy/out": "/etc/passwd",
        "tidy/nowhere": "nothing",
    }
    files = two_plugins() | {"common/lib/words.txt": "words\n"}
    synced(files, links)
    add_to_stack(bob, "curated", "kits/tidy")
    clone = git_of(bob).clone()
    assert clone.read("plugins/tidy/shared/lib/words.txt") == "words\n"
    assert clone.read("plugins/tidy/same.sh") == clone.read("plugins/tidy/scripts/run.sh")
    assert not any(path.is_symlink() for path in clone.path.rglob("*"))
    assert not (clone.path / "plugins/tidy/out").exists()
    assert not (clone.path / "plugins/tidy/circle").exists()
    before = clone.plugins["tidy"]["version"]
    synced(files | {"common/lib/words.txt": "other words\n"}, links)
    clone.update()
    assert clone.read("plugins/tidy/shared/lib/words.txt") == "other words\n"
    assert clone.plugins["tidy"]["version"] != before


def test_what_is_taken_down_vanishes(kits, bob, charlie, git_of):
    entity = plant_entity(charlie, "knots", a_skill("knots"))
    add_to_stack(bob, "flea", "flea-knots")
    add_to_stack(bob, "curated", "kits/tidy")
    clone = git_of(bob).clone()
    take_down(entity)
    clone.update()
    assert sorted(clone.plugins) == ["tidy"]
    assert not (clone.path / "plugins/knots").exists()


def test_what_left_its_marketplace_vanishes(synced, bob, git_of):
    synced(two_plugins())
    add_to_stack(bob, "curated", "kits/tidy")
    add_to_stack(bob, "curated", "kits/rows")
    clone = git_of(bob).clone()
    synced(marketplace(entry("rows")) | plugin("rows", skills={"count": "count"}))
    clone.update()
    assert sorted(clone.plugins) == ["rows"]


def test_a_renamed_plugin_is_served_under_its_new_name(synced, bob, git_of):
    synced(two_plugins())
    add_to_stack(bob, "curated", "kits/tidy")
    synced(marketplace(entry("neat"), renames={"tidy": "neat"}) | plugin("neat", commands=["sweep"]))
    clone = git_of(bob).clone()
    assert sorted(clone.plugins) == ["neat"]
    assert clone.marketplace["renames"] == {"tidy": "neat"}


def test_an_empty_stack_is_a_marketplace_without_plugins(kits, bob, git_of):
    assert git_of(bob).clone().marketplace["plugins"] == []


def test_equal_stacks_share_a_repository(kits, bob, charlie, git_of, data_folder):
    for person in (bob, charlie):
        for name in ("tidy", "rows") if person == bob else ("rows", "tidy"):
            add_to_stack(person, "curated", f"kits/{name}")
    first, second = git_of(bob).clone(), git_of(charlie).clone()
    assert first.commit == second.commit
    assert len(list((data_folder / "served").glob("*.git"))) == 1
    assert not list((data_folder / "served").glob("tmp-*"))


def test_a_machine_without_the_repositories_builds_them_again(kits, bob, git_of, data_folder):
    add_to_stack(bob, "curated", "kits/tidy")
    clone = git_of(bob).clone()
    shutil.rmtree(data_folder / "served")
    shutil.rmtree(data_folder / "marketplaces")
    assert git_of(bob).clone().commit == clone.commit


def test_a_marketplace_that_cannot_be_read_now_leaves_what_one_has(
    synced, bob, git_of, data_folder, repository
):
    synced(two_plugins())
    add_to_stack(bob, "curated", "kits/tidy")
    shutil.rmtree(data_folder / "marketplaces")
    repository.folder.rename(repository.folder.with_name("away"))
    git = git_of(bob)
    done = git.tried("clone", git.with_token)
    assert done.returncode != 0
    assert "503" in done.stderr
    assert not list((data_folder / "served").glob("tmp-*"))


def test_a_fetch_ends_with_the_view_that_it_began_with(kits, bob, git_of):
    """The stack changes after the commit was shown, and before it is asked for."""
    add_to_stack(bob, "curated", "kits/tidy")
    git = git_of(bob)
    shown = git.run("ls-remote", git.with_token, "HEAD").split()[0]
    add_to_stack(bob, "curated", "kits/rows")
    assert git.clone("now").commit != shown
    git.run("init", "--quiet", "then")
    git.run("fetch", "--quiet", git.with_token, shown, cwd=git.folder / "then")
    git.run("checkout", "--quiet", shown, cwd=git.folder / "then")
    assert (git.folder / "then/plugins/tidy").exists()


def test_what_was_shown_to_another_person_is_not_given(kits, bob, charlie, git_of):
    add_to_stack(bob, "curated", "kits/tidy")
    shown = git_of(bob).clone().commit
    git = git_of(charlie)
    git.run("init", "--quiet", "theirs")
    done = git.tried("fetch", git.with_token, shown, cwd=git.folder / "theirs")
    assert done.returncode != 0
    assert "400" in done.stderr


@pytest.mark.parametrize("clients", [8, pytest.param(30, marks=[pytest.mark.slow, pytest.mark.sample])])
def test_many_clients_fetch_while_stacks_change(kits, bob, charlie, git_of, clients):
    """Each gets one view or another, whole."""
    add_to_stack(bob, "curated", "kits/tidy")
    plant_entity(charlie, "knots", a_skill("knots"))
    git = git_of(bob)

    def fetch(number: int) -> tuple[int, str, set[str]]:
        options = ["--depth=1"] if number % 2 else []
        done = git.tried("clone", "--quiet", *options, git.with_token, f"c{number}", protocol=2 - number % 3)
        if done.returncode:
            return done.returncode, done.stderr, set()
        clone = Clone(git, git.folder / f"c{number}")
        clone.run("fsck", "--full", "--strict")
        folders = {path.name for path in (clone.path / "plugins").iterdir()}
        assert folders == set(clone.plugins)
        return 0, "", folders

    with ThreadPoolExecutor(clients) as pool:
        results = [pool.submit(fetch, number) for number in range(clients)]
        while not all(result.done() for result in results):
            add_to_stack(bob, "flea", "flea-knots")
            add_to_stack(bob, "curated", "kits/rows")
            remove_from_stack(bob, "flea", "flea-knots")
            remove_from_stack(bob, "curated", "kits/rows")
    failed = [result.result() for result in results if result.result()[0]]
    assert not failed
    assert all("tidy" in result.result()[2] for result in results)
