"""/metrics, as Prometheus asks for it."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Task
from prometheus_client.parser import text_string_to_metric_families

from accounts import audit
from accounts.models import Scope, User
from agnes.health import probes
from agnes.tests.server import free_port
from agnes.tests.test_logs import running_web_server
from telemetry import worker_heartbeat
from telemetry.models import PublishingState, SessionTranscript, UsageDirtyDay
from telemetry.tests.builders import transcript_bytes, user_line
from telemetry.tests.planting import plant_state, plant_transcript

TOKEN = "metrics-token-of-the-monitor"
Series = Callable[..., float | None]


@pytest.fixture
def with_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def monitor(with_token: None) -> Client:
    return Client(headers={"authorization": f"Bearer {TOKEN}"})


@pytest.fixture
def value(db: None, monitor: Client) -> Series:
    """`value("agnes_uploads_total", status="new")`: None where there is no such series."""

    def read(name: str, **labels: str) -> float | None:
        answer = monitor.get("/metrics")
        assert answer.status_code == 200, answer.content
        samples = [
            sample
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(sample.value for sample in samples) if samples else None

    return read


class TestAccess:
    def test_it_is_off_unless_configured(self, db: None, client: Client):
        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404

    @pytest.mark.parametrize(
        "authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
    )
    def test_a_wrong_token(self, with_token: None, client: Client, authorization: str):
        answer = client.get("/metrics", headers={"authorization": authorization})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json()["error"]["code"] == "not_authenticated"

    def test_a_session_does_not_open_it(self, with_token: None, client: Client, alice: User):
        client.force_login(alice)
        assert client.get("/metrics").status_code == 401

    def test_with_the_token_by_any_name(self, db: None, monitor: Client):
        answer = monitor.get("/metrics", headers={"host": "10.1.2.3:8000"})
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        assert monitor.post("/metrics").status_code == 405

    def test_an_address_of_its_own(self, tmp_path: Path):
        """Of a real server: which address a connection came to is known to gunicorn alone."""
        bind = f"127.0.0.1:{free_port()}"
        with running_web_server(tmp_path, AGNES_METRICS_BIND=bind) as server:
            there = httpx.get(f"http://{bind}/metrics")
            assert there.status_code == 200
            assert httpx.get(f"http://{bind}/livez").status_code == 200
            for path in ("/", "/admin/login/", "/api/docs", "/static/agnes/logo.svg"):
                assert httpx.get(f"http://{bind}{path}").status_code == 404, path
            forged = {"Host": bind, "X-Forwarded-Host": bind, "X-Forwarded-Port": bind.rpartition(":")[2]}
            assert httpx.get(f"{server.url}/metrics", headers=forged).status_code == 401
        assert 'agnes_check_ok{check="migrations"} 0.0' in there.text
        assert "agnes_queue_length" not in there.text


@pytest.mark.django_db
class TestCounters:
    def test_requests_by_route_and_status(self, value: Series, alice: User):
        client = Client()
        client.force_login(alice)
        name = "agnes_http_request_duration_seconds_count"
        page = {"route": "/admin/accounts/user/<path:object_id>/change/", "method": "GET", "status": "200"}
        none = {"route": "(none)", "method": "GET", "status": "404"}
        before, before_none = value(name, **page) or 0, value(name, **none) or 0
        client.get(f"/admin/accounts/user/{alice.pk}/change/")
        client.get("/nowhere")
        client.get("/nowhere/else")
        assert value(name, **page) == before + 1
        assert value(name, **none) == before_none + 2
        assert value(name, route="/metrics") is None

    def test_a_method_nobody_knows_is_no_series_of_its_own(self, value: Series, client: Client):
        client.generic("EVIL", "/nowhere")
        assert value("agnes_http_request_duration_seconds_count", method="EVIL") is None
        assert value("agnes_http_request_duration_seconds_count", method="other")

    def test_uploads(self, value: Series, bob: User, token_for, django_capture_on_commit_callbacks):
        raw = transcript_bytes([user_line("Hello")])
        headers = {"authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}"}
        client = Client(headers=headers)
        before, bytes_before = (
            value("agnes_uploads_total", status="new") or 0,
            value("agnes_uploaded_bytes_total"),
        )
        for _ in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                client.post("/api/upload/sessions", raw, content_type="application/x-ndjson")
        assert value("agnes_uploads_total", status="new") == before + 1
        assert value("agnes_uploaded_bytes_total") == (bytes_before or 0) + len(raw)

    def test_actions(self, value: Series, client: Client, django_capture_on_commit_callbacks):
        client.get("/nowhere")
        before = value("agnes_actions_total", action="usage.ask", result="ok") or 0
        with django_capture_on_commit_callbacks(execute=True):
            audit.record("usage.ask")
            audit.record("usage.ask", result="The model's provider said no.")
        assert value("agnes_actions_total", action="usage.ask", result="ok") == before + 1
        assert value("agnes_actions_total", action="usage.ask", result="other")


class TestGauges:
    def test_a_fresh_installation(self, value: Series):
        assert value("agnes_check_ok", check="database") == 1
        assert value("agnes_check_ok", check="worker") == 0
        assert value("agnes_worker_heartbeat_age_seconds") is None
        assert value("agnes_disk_free_bytes")
        for name in ("ingest_waiting", "ingest_failed", "publish_lag_seconds", "publish_failing"):
            assert value(f"agnes_{name}") == 0, name

    def test_what_waits_and_what_failed(self, value: Series, bob: User):
        plant_state(plant_transcript(bob, "s1"), processed_at=None, attempts=3)
        plant_transcript(bob, "s2")
        SessionTranscript.objects.update(updated_at=timezone.now() - timedelta(minutes=10))
        assert value("agnes_ingest_waiting") == 1
        assert value("agnes_ingest_oldest_waiting_seconds") == pytest.approx(600, abs=60)
        assert value("agnes_ingest_failed") == 1

    def test_publishing(self, value: Series):
        PublishingState.objects.create(pk=1, error="The bucket does not answer.")
        UsageDirtyDay.objects.create(marked_at=timezone.now() - timedelta(minutes=10))
        assert value("agnes_publish_lag_seconds") == pytest.approx(600, abs=60)
        assert value("agnes_publish_failing") == 1

    def test_the_worker_and_its_queue(self, value: Series):
        worker_heartbeat.beat("agnes:test")
        OrmQ.objects.create(key="agnes", payload="x")
        now = timezone.now()
        for number, age in enumerate((timedelta(hours=1), timedelta(days=2))):
            at = now - age
            Task.objects.create(id=f"t{number}", name="t", func="f", started=at, stopped=at, success=False)
        assert value("agnes_worker_heartbeat_age_seconds") == pytest.approx(0, abs=60)
        assert value("agnes_queue_length") == 1
        assert value("agnes_tasks_failed_recently") == 1

    def test_it_costs_few_queries(self, value: Series, django_assert_max_num_queries):
        value("x")
        with django_assert_max_num_queries(14):
            value("x")

    def test_without_a_database_the_rest_is_told(self, value: Series, monkeypatch: pytest.MonkeyPatch):
        def refuse() -> probes.Answer:
            raise DatabaseError("gone")

        broken = probes.Probe("database", refuse)
        monkeypatch.setattr(probes, "DATABASE", broken)
        monkeypatch.setattr(probes, "PROBES", (broken, *probes.PROBES[1:]))
        assert value("agnes_check_ok", check="database") == 0
        assert value("agnes_disk_free_bytes")
        assert value("agnes_queue_length") is None


def test_every_metric_is_documented(db: None, monitor: Client, value: Series):
    worker_heartbeat.beat("agnes:test")
    text = monitor.get("/metrics").content.decode()
    # Of a counter, the format also tells when it began.
    families = text_string_to_metric_families(text)
    named = {f"{it.name}_total" if it.type == "counter" else it.name for it in families}
    page = (settings.BASE_DIR / "docs" / "MONITORING.md").read_text()
    documented = set(re.findall(r"^\| `(agnes_\w+)` \|", page, re.MULTILINE))
    assert {name for name in named if name.startswith("agnes_") and "_created" not in name} == documented
