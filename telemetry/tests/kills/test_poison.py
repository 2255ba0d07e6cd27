"""A transcript that kills every worker that reads it, for real, must not take others along."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from telemetry.models import SessionProcessorClaim, SessionTranscript, UsageEvent
from telemetry.processors.attempts import DIED
from telemetry.processors.runner import run
from telemetry.tests.figures import upload
from telemetry.tests.kills.victim import POISON
from telemetry.tests.processing.test_runner import session, state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def die_of_poison(die: Callable[..., None]) -> Callable[[], None]:
    def die_once() -> None:
        _wait_until_claims_have_expired()
        die(POISON, "poison", "process")

    return die_once


def test_it_is_given_up_and_the_others_are_done(
    bob: User, charlie: User, alice: User, die_of_poison: Callable[[], None], client: Client
) -> None:
    upload(bob, session("before", calls=2, at=0))
    upload(bob, session("poison", calls=2, at=300))
    upload(bob, session("after", calls=2, at=600))
    upload(charlie, session("another", calls=2))
    die_of_poison()
    die_of_poison()
    # In their first attempt while the poison is in its last one.
    upload(bob, session("just-before", calls=2, at=299))
    upload(bob, session("long-after", calls=2, at=900))
    die_of_poison()
    assert state("just-before").processed_at
    assert state("just-before").attempts == 1

    report = run("usage", wait=True)
    assert (report.processed, report.failed) == (3, 0)
    assert not SessionTranscript.objects.pending("usage").exists()
    assert events() == dict.fromkeys(["before", "just-before", "after", "long-after", "another"], 2)
    given_up = state("poison")
    assert (given_up.processed_at, given_up.attempts, given_up.last_error) == (None, 3, DIED)
    assert_admin_shows_it(client, alice)


def events() -> dict[str, int]:
    names = list(UsageEvent.objects.values_list("session_id", flat=True))
    return {name: names.count(name) for name in names}


def assert_admin_shows_it(client: Client, admin: User) -> None:
    client.force_login(admin)
    page: Any = client.get(
        reverse("admin:telemetry_sessionprocessorstate_changelist"), {"state": "usage-given_up"}
    )
    assert DIED in page.content.decode()
    assert "poison" in page.content.decode()


def _wait_until_claims_have_expired() -> None:
    while SessionProcessorClaim.objects.filter(expires_at__gt=timezone.now()).exists():
        time.sleep(0.1)
