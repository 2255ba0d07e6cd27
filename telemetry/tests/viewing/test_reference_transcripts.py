"""Every reference transcript opens, on every page, and its turns add up to what extraction counts."""

from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from telemetry.intake.storing import store_transcript
from telemetry.models import SessionTranscript
from telemetry.tests.test_corpus import CASES
from telemetry.tests.test_corpus import real_folder as real_folder
from telemetry.tests.viewing.conftest import Read, address
from telemetry.transcripts.extracting import extract
from telemetry.viewing.index_files import open_index
from telemetry.viewing.pages import read_page
from telemetry.viewing.parts import parts_of

pytestmark = pytest.mark.django_db


def store_all(owner: User, folder: Path) -> list[SessionTranscript]:
    stored = {
        store_transcript(owner, [path.read_bytes()]).transcript.pk for path in sorted(folder.rglob("*.jsonl"))
    }
    return list(SessionTranscript.objects.filter(pk__in=stored))


def turns_add_up(transcript: SessionTranscript) -> bool:
    """Taken for itself, so that nothing in it is a copy, extraction finds the same messages and tokens."""
    parts = parts_of(transcript)
    counted = extract([part.read() for part in parts], agent_id=transcript.agent_id).figures
    with open_index(transcript, parts) as index:
        turns = [turn for page in range(index.about.pages + 1) for turn in index.turns(page)]
    return [sum(column) for column in zip(*turns, strict=True)][3:] == [
        counted.assistant_messages,
        counted.input_tokens,
        counted.output_tokens,
        counted.cache_read_tokens,
        counted.cache_creation_tokens,
    ]


@pytest.mark.parametrize("case", sorted(it.name for it in CASES.iterdir() if it.is_dir()))
def test_invented_ones(case: str, bob: User, read: Read):
    transcripts = store_all(bob, CASES / case)
    assert transcripts
    for transcript in transcripts:
        page = read(transcript)
        assert "Page 1 of 1" in page
        assert "<article" in page
        assert turns_add_up(transcript)


@pytest.mark.slow
def test_all_pages_of_real_ones(bob: User, reader: Client, real_folder: Path):
    transcripts = store_all(bob, real_folder)
    assert len(transcripts) > 100
    for transcript in transcripts:
        assert turns_add_up(transcript), transcript
        pages = read_page(transcript, 1).about.pages
        for number in range(1, pages + 1):
            answer = reader.get(address(transcript), {"page": number})
            assert answer.status_code == 200, (transcript, number)
