from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from telemetry.models import SessionTranscript

Read = Callable[..., str]


@pytest.fixture
def reader(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def read(reader: Client) -> Read:
    """`read(transcript, page=2)` is the text of that page of it."""

    def text(transcript: SessionTranscript, **query: int) -> str:
        answer = reader.get(address(transcript), query)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    return text


def address(transcript: SessionTranscript) -> str:
    return f"/admin/telemetry/sessiontranscript/{transcript.session_file}/read/"
