"""Indexes are kept, made again when they are lost, and gone with their transcripts."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from telemetry.files import spool
from telemetry.models import SessionTranscript
from telemetry.tests.builders import assistant_line, user_line
from telemetry.tests.planting import store
from telemetry.tests.viewing.conftest import Read, address
from telemetry.viewing import index_files, indexing
from telemetry.viewing.index import Index
from telemetry.viewing.parts import parts_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def transcript(bob: User) -> SessionTranscript:
    return store(bob, user_line("Hello", uuid="first"), assistant_line("My secret answer"))


def indexes() -> list[Path]:
    return sorted(Path(settings.SPOOL_DIR).glob("index-*"))


class TestIndexes:
    def test_one_is_made_once(self, transcript: SessionTranscript, read: Read, monkeypatch):
        read(transcript)
        [made] = indexes()
        assert made.stat().st_mode & 0o077 == 0
        monkeypatch.setattr(index_files, "make_index", None)
        assert "My secret answer" in read(transcript)
        assert indexes() == [made]

    def test_it_has_no_words_of_the_transcript(self, transcript: SessionTranscript, read: Read):
        read(transcript)
        assert b"secret" not in indexes()[0].read_bytes()

    @pytest.mark.parametrize("damage", [b"", b"garbage", None])
    def test_one_that_is_lost_is_made_again(self, transcript, read: Read, damage: bytes | None):
        read(transcript)
        [made] = indexes()
        made.unlink() if damage is None else made.write_bytes(damage)
        assert "My secret answer" in read(transcript)
        with Index(made) as index:
            assert index.about.lines == 2

    def test_a_new_revision_has_its_own(self, transcript: SessionTranscript, bob: User, read: Read):
        read(transcript)
        [before] = indexes()
        content = b"".join(parts_of(transcript)[0].read())
        grown = store(bob, content.decode().rstrip("\n"), user_line("More"))
        assert grown.revision == 2
        assert "More</pre>" in read(grown)
        assert indexes() != [before]
        assert len(indexes()) == 1

    def test_it_goes_with_its_transcript(
        self, transcript, bob: User, read: Read, django_capture_on_commit_callbacks
    ):
        other = store(bob, user_line("Other", sessionId="other"))
        read(transcript)
        read(other)
        with django_capture_on_commit_callbacks(execute=True):
            SessionTranscript.objects.filter(pk=transcript.pk).delete()
        [left] = indexes()
        assert left.name.startswith(f"index-{other.pk}-")

    def test_one_of_a_transcript_that_is_deleted_meanwhile_does_not_stay(
        self, transcript: SessionTranscript, reader, monkeypatch
    ):
        make_index = indexing.make_index

        def slowly(*args, **kwargs):
            make_index(*args, **kwargs)
            SessionTranscript.objects.filter(pk=transcript.pk).delete()

        monkeypatch.setattr(index_files, "make_index", slowly)
        assert reader.get(address(transcript)).status_code == 404
        assert indexes() == []

    def test_it_is_gone_after_a_day(self, transcript: SessionTranscript, read: Read):
        read(transcript)
        spool.remove_leftovers()
        [made] = indexes()
        os.utime(made, (0, 0))
        spool.remove_leftovers()
        assert indexes() == []
