"""GET /api/datasets"""

import io
import shutil
from collections.abc import Callable
from typing import Any

import pyarrow.parquet
import pytest
from django.test import Client

from accounts.models import AuditLog, Scope, User
from telemetry.export.datasets import Dataset
from telemetry.tests.export import lakes
from telemetry.tests.export.conftest import build_events, event

pytestmark = pytest.mark.django_db

URL = "/api/datasets"
Get = Callable[..., Any]


@pytest.fixture
def get_as(client: Client, token_for: Callable[..., str]) -> Callable[..., Get]:
    """`get_as(bob)(“events”, tool="Bash")`; the answer's `body` are the bytes."""

    def make(user: User, *scopes: Scope) -> Get:
        token = token_for(user, *(scopes or (Scope.READ,)))

        def get(name: str = "", headers: dict[str, str] | None = None, **filters: Any) -> Any:
            answer = client.get(
                f"{URL}/{name}" if name else URL,
                filters,
                headers={"authorization": f"Bearer {token}", **(headers or {})},
            )
            if answer.streaming:
                answer.body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
            return answer

        return get

    return make


@pytest.fixture
def some_events(bob: User, charlie: User) -> None:
    build_events(
        event(0, user_id=bob.pk, tool_name="Bash"),
        event(1, user_id=charlie.pk, tool_name="Bash"),
        event(2, user_id=bob.pk, tool_name="Read", source="curated"),
        event(3, user_id=bob.pk, tool_name="Bash"),
    )


def rows(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code in (200, 206), answer.content
    return list(pyarrow.parquet.read_table(io.BytesIO(answer.body)).to_pylist())


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in rows(answer)]


class TestWhatOneSees:
    @pytest.mark.usefixtures("some_events")
    def test_ones_own_rows(self, get_as, bob: User, charlie: User):
        assert ids(get_as(bob)("events")) == ["id-00000", "id-00002", "id-00003"]
        assert ids(get_as(charlie)("events")) == ["id-00001"]

    @pytest.mark.usefixtures("some_events")
    def test_admins_see_everybodys_with_the_scope_and_their_own_on_demand(self, get_as, alice: User):
        assert len(ids(get_as(alice, Scope.READ, Scope.ADMIN)("events"))) == 4
        assert ids(get_as(alice, Scope.READ, Scope.ADMIN)("events", mine="1")) == []
        assert ids(get_as(alice)("events")) == []

    @pytest.mark.usefixtures("some_events")
    def test_the_filters_let_nobody_see_more(self, get_as, bob: User, charlie: User):
        answer = get_as(bob)("events", user_id=charlie.pk)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["user_id"])

    def test_the_list_says_what_there_is_for_whom(self, get_as, alice: User, bob: User):
        own = get_as(bob)().json()
        assert [(it["name"], it["whose"]) for it in own["items"]] == [
            ("events", "mine"), ("messages", "mine"), ("sessions", "mine"),
        ]  # fmt: skip
        [events, *_] = own["items"]
        assert (events["table"], events["moment"]) == ("usage_events", "occurred_at")
        assert [it["name"] for it in events["columns"]] == list(Dataset.EVENTS.table.columns)
        everything = get_as(alice, Scope.READ, Scope.ADMIN)().json()
        assert [it["name"] for it in everything["items"]] == list(Dataset)
        assert {it["whose"] for it in everything["items"]} == {"all"}

    def test_what_adds_people_up_is_not_for_everybody(self, get_as, alice: User, bob: User):
        lakes.build({Dataset.TOOL_DAILY: [{}]})
        assert get_as(bob)("tool_daily").status_code == 404
        assert len(rows(get_as(alice, Scope.READ, Scope.ADMIN)("tool_daily"))) == 1

    def test_who_may_not_at_all(self, get_as, dana: User, bob: User):
        assert get_as(bob, Scope.UPLOAD)("events").status_code == 403
        assert get_as(bob)("nonsense").status_code == 404
        build_events(event(0, user_id=bob.pk))
        # Staff without the permission.
        assert ids(get_as(dana, Scope.READ, Scope.ADMIN)("events")) == []


@pytest.mark.usefixtures("some_events")
class TestParts:
    def test_rows_and_columns_are_chosen_on_the_server(self, get_as, bob: User):
        get = get_as(bob)
        assert ids(get("events", tool="Bash")) == ["id-00000", "id-00003"]
        assert ids(get("events", source="curated")) == ["id-00002"]
        assert ids(get("events", since="2026-05-02", until="2026-05-02T10:00:00Z")) == ["id-00002"]
        assert ids(get("events", limit="2")) == ["id-00000", "id-00002"]
        assert get("events", limit="2")["X-Agnes-Rows"] == "2"
        assert rows(get("usage_events", columns="tool_name, id", limit="1")) == [
            {"id": "id-00000", "tool_name": "Bash"}
        ]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("columns", "id,secret"), ("columns", ""), ("limit", "0"), ("limit", "x"), ("limit", "-1"),
            ("tool", ""), ("tool", "x" * 300), ("since", "yesterday"), ("source", "x"), ("format", "csv"),
        ],
    )  # fmt: skip
    def test_a_wrong_value_is_named(self, get_as, bob: User, name: str, value: str):
        answer = get_as(bob)("events", **{name: value})
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [name])

    def test_a_filter_without_a_column_is_wrong(self, get_as, bob: User):
        assert get_as(bob)("messages", tool="Bash").status_code == 422


@pytest.mark.usefixtures("some_events")
class TestDownloads:
    def test_what_one_has_is_not_sent_again(self, get_as, bob: User, charlie: User, settings):
        first = get_as(bob)("events")
        again = get_as(bob)("events", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        for other in (get_as(bob)("events", limit="1"), get_as(charlie)("events")):
            assert other["ETag"] != first["ETag"]
        shutil.rmtree(settings.LAKE_URL)
        build_events(event(0, user_id=bob.pk), event(1, user_id=bob.pk))
        now = get_as(bob)("events", headers={"If-None-Match": first["ETag"]})
        assert ids(now) == ["id-00000", "id-00001"]

    def test_one_that_broke_off_goes_on(self, get_as, bob: User):
        get = get_as(bob)
        whole = get("events")
        middle = len(whole.body) // 2
        rest = get("events", headers={"Range": f"bytes={middle}-", "If-Range": whole["ETag"]})
        assert rest.status_code == 206
        assert rest["Content-Range"] == f"bytes {middle}-{len(whole.body) - 1}/{len(whole.body)}"
        assert whole.body[:middle] + rest.body == whole.body
        past = get("events", headers={"Range": f"bytes={len(whole.body)}-", "If-Range": whole["ETag"]})
        assert past.status_code == 416

    @pytest.mark.parametrize("condition", [{}, {"If-Range": '"another"'}])
    def test_what_has_changed_meanwhile_comes_whole(self, get_as, bob: User, condition: dict[str, str]):
        answer = get_as(bob)("events", headers={"Range": "bytes=10-", **condition})
        assert answer.status_code == 200
        assert len(ids(answer)) == 3

    def test_it_is_audited(self, get_as, bob: User):
        get = get_as(bob)
        etag = get("events", tool="Bash")["ETag"]
        get("events", tool="Bash", headers={"If-None-Match": etag})
        row = AuditLog.objects.get(action="usage.export")
        assert row.actor == bob.pk
        assert row.params == {
            "dataset": "events", "format": "parquet", "user_id": bob.pk, "tool": "Bash", "rows": 2,
        }  # fmt: skip

    def test_places_are_given_back(self, get_as, bob: User, settings):
        get = get_as(bob)
        etag = get("events")["ETag"]
        for _ in range(settings.EXPORTS_AT_ONCE + 1):
            assert get("events", headers={"Range": "bytes=99999999-", "If-Range": etag}).status_code == 416
        assert get("events").status_code == 200


def test_ones_own_sessions_are_listed(client: Client, bob: User, charlie: User, token_for):
    from telemetry.tests import planting
    from telemetry.tests.builders import user_line

    planting.store(bob, user_line("Hello", sessionId="mine"))
    planting.store(charlie, user_line("Hello", sessionId="theirs"))
    headers = {"authorization": f"Bearer {token_for(bob, Scope.READ)}"}
    told = client.get("/api/sessions", headers=headers).json()
    assert [(it["session_id"], it["state"]) for it in told["items"]] == [("mine", "waiting")]
    assert "download" not in told["items"][0]
