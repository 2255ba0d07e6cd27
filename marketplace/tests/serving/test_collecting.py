"""Repositories that nobody uses go, and those that somebody reads stay."""

import os
import time
from threading import Event, Lock, Thread

import pytest

from marketplace.serving import building, repositories, shown
from marketplace.serving.building import build
from marketplace.serving.repositories import UNUSED_SECONDS, collect, held_repository, repository_of_view
from marketplace.serving.stack import add_to_stack, remove_from_stack
from marketplace.serving.view import view_of
from marketplace.tasks import collect_served

pytestmark = pytest.mark.django_db


def later() -> float:
    return time.time() + UNUSED_SECONDS + 60


def test_unused_ones_go_after_a_week(kits, bob):
    view = view_of(bob)
    with repository_of_view(view) as path:
        pass
    assert collect() == 0
    assert collect(now=later()) == 1
    assert not path.exists()
    with repository_of_view(view) as path:
        assert path.exists()


def test_one_that_is_read_stays(kits, bob):
    with repository_of_view(view_of(bob)) as path:
        assert collect(now=later()) == 0
        assert (path / "HEAD").exists()


def test_one_that_goes_while_somebody_comes_is_built_again(kits, bob):
    view = view_of(bob)
    with repository_of_view(view):
        pass
    collect(now=later())
    with held_repository(view.key) as nothing:
        assert nothing is None
    with repository_of_view(view) as path:
        assert (path / "HEAD").exists()


def test_what_killed_builders_left_goes(kits, bob, data_folder):
    left = data_folder / "served/tmp-0123"
    (left / "objects/pack").mkdir(parents=True)
    (left / "objects/pack/x.pack").write_bytes(b"x")
    assert collect() == 0
    assert collect(now=time.time() + 3700) == 1
    assert not left.exists()


def test_those_that_were_read_long_ago_make_room(kits, bob, data_folder, settings):
    """A person who changes their stack over and over does not fill the disk."""
    with repository_of_view(view_of(bob)) as path:
        settings.SERVED_MAX_BYTES = 2 * sum(each.stat().st_size for each in path.rglob("*"))
    long_ago = time.time() - 60
    os.utime(path / "agnes-hold", (long_ago, long_ago))
    add_to_stack(bob, "curated", "kits/tidy")
    with repository_of_view(view_of(bob)) as read:
        add_to_stack(bob, "curated", "kits/rows")
        with repository_of_view(view_of(bob)) as newest:
            pass
        settings.SERVED_MAX_BYTES = 1
        assert read.exists()
    remove_from_stack(bob, "curated", "kits/tidy")
    with repository_of_view(view_of(bob)) as last:
        assert last.exists()
    assert [it for it in (path, read, newest) if it.exists()] == []


def test_a_view_does_not_wait_for_another_ones_builder(kits, bob, charlie, monkeypatch):
    """That may wait for a git host."""
    add_to_stack(charlie, "curated", "kits/tidy")
    slow, quick = view_of(bob), view_of(charlie)
    begun, ready = Event(), Event()

    def waits(view, folder):
        begun.set()
        assert ready.wait(30)
        build(view, folder)

    monkeypatch.setattr(repositories, "build", waits)
    builder = Thread(target=lambda: repositories._build(slow))
    builder.start()
    assert begun.wait(30)
    monkeypatch.setattr(repositories, "build", build)
    with repository_of_view(quick) as path:
        assert path.exists()
    ready.set()
    builder.join()


def test_a_builder_that_fails_leaves_nothing(kits, bob, data_folder, monkeypatch):
    add_to_stack(bob, "curated", "kits/tidy")
    monkeypatch.setattr(building, "_finish", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), repository_of_view(view_of(bob)):
        pass
    assert list((data_folder / "served").iterdir()) == []


def test_two_builders_at_once_are_harmless(kits, bob, data_folder, monkeypatch):
    """As two processes have it: each builds, one of them comes second."""
    view = view_of(bob)
    begun, ready = Event(), Event()

    def slow(view, folder):
        build(view, folder)
        begun.set()
        assert ready.wait(30)

    monkeypatch.setattr(repositories, "build", slow)
    first = Thread(target=lambda: repositories._build(view))
    first.start()
    assert begun.wait(30)
    monkeypatch.setattr(repositories, "build", build)
    monkeypatch.setattr(repositories, "_building", [Lock()])
    repositories._build(view)
    ready.set()
    first.join()
    assert [path.name for path in (data_folder / "served").iterdir()] == [f"{view.key}.git"]


def test_the_task_forgets_what_was_shown(kits, bob, data_folder):
    shown.note(bob, "a" * 40, "k")
    assert shown.key_of(bob, "a" * 40) == "k"
    [note] = (data_folder / "served/shown").glob("*/*")
    long_ago = time.time() - shown.SECONDS - 1
    os.utime(note, (long_ago, long_ago))
    assert shown.key_of(bob, "a" * 40) is None
    assert collect_served() == {"removed": 0}
    assert not note.exists()
