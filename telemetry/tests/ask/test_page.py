"""The Ask page of the admin."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditLog, User
from telemetry.ask.chart import chart_of
from telemetry.ask.turns import turn_of
from telemetry.charts.bars import STEP
from telemetry.models import AskQuestion
from telemetry.tests.admin.conftest import admin_client as admin_client
from telemetry.tests.ask.messages_api import Say, Server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lake")]
URL = "/admin/telemetry/usageevent/ask/"
AT = datetime(2026, 5, 1, tzinfo=UTC)
TOOLS = ["Bash", "Bash", "=1+1", "<b>Read</b>"]
EVENTS = [
    {"id": f"{number}", "occurred_at": AT + timedelta(days=number), "tool_name": tool}
    for number, tool in enumerate(TOOLS)
]
BY_TOOL = "SELECT tool_name, count(*) AS n FROM usage_events GROUP BY 1 ORDER BY n DESC, 1"
BY_DAY = "SELECT occurred_at::DATE AS day, count(*) AS n FROM usage_events GROUP BY 1 ORDER BY 1"


@pytest.fixture
def ask(admin_client: Client, server: Server) -> Any:
    def post(sql: str) -> str:
        server.says = [Say(sql)]
        return admin_client.post(URL, {"question": "Which tools?"}).content.decode()

    return post


class TestAnswer:
    def test_sql_table_and_what_was_sent(self, ask: Any) -> None:
        text = ask(BY_TOOL)
        assert BY_TOOL in text
        assert '<td><div>&lt;b&gt;Read&lt;/b&gt;</div></td><td class="figure">1</td>' in text
        assert "&lt;question&gt;Which tools?&lt;/question&gt;" in text
        assert "How many times was Bash invoked on 1 May 2026?" in text
        assert "because" in text

    def test_names_get_bars_and_days_columns(self, ask: Any) -> None:
        assert '<ul class="bars" aria-label="n by tool_name">' in ask(BY_TOOL)
        by_day = ask(BY_DAY)
        assert 'class="day-chart"' in by_day
        assert "<title>2026-05-01 1</title>" in by_day

    def test_nothing_found(self, ask: Any) -> None:
        assert "No row fits" in ask("SELECT 1 WHERE false")

    def test_a_download_is_safe_for_spreadsheets_and_audited(self, ask: Any, admin_client: Client) -> None:
        ask(BY_TOOL)
        answer = admin_client.post(f"{URL}{AskQuestion.objects.get().pk}/csv/")
        rows = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
        assert rows == [["tool_name", "n"], ["Bash", "2"], ["<b>Read</b>", "1"], ["'=1+1", "1"]]
        assert AuditLog.objects.get(action="usage.ask_download").result == "ok"


class TestRefusals:
    def test_a_rejected_statement_with_its_rule(self, ask: Any) -> None:
        text = ask("SELECT * FROM read_text('x')")
        assert "The rule that refused it: <code>table_function</code>" in text
        assert "SELECT * FROM read_text(&#x27;x&#x27;)" in text

    def test_not_set_up(self, admin_client: Client, settings: Any) -> None:
        settings.ANTHROPIC_API_KEY = ""
        assert "set ANTHROPIC_API_KEY" in admin_client.get(URL).content.decode()
        assert admin_client.post(URL, {"question": "How many?"}).status_code == 503

    def test_busy(self, admin_client: Client, alice: User, server: Server) -> None:
        with turn_of(alice.pk):
            answer = admin_client.post(URL, {"question": "How many?"})
        assert (answer.status_code, answer["Retry-After"]) == (429, "5")

    def test_the_permission_is_its_own(self, client: Client, dana: User, server: Server) -> None:
        client.force_login(dana)
        dana.user_permissions.set(Permission.objects.filter(codename="view_usageevent"))
        assert client.get(URL).status_code == client.post(URL).status_code == 403
        assert URL not in client.get("/admin/telemetry/usageevent/").content.decode()
        dana.user_permissions.add(Permission.objects.get(codename="ask_usage"))
        assert client.get(URL).status_code == 200
        assert URL in client.get("/admin/telemetry/usageevent/").content.decode()
        assert URL in client.get("/admin/").content.decode()


class TestHistory:
    @pytest.fixture
    def questions(self, alice: User, bob: User) -> list[AskQuestion]:
        return [
            AskQuestion.objects.create(user=user, question=text, provider="x", model="x")
            for user, text in ((alice, "One?"), (alice, "Two?"), (bob, "Three?"), (None, "Four?"))
        ]

    def test_ones_own_newest_first(self, admin_client: Client, questions: list[AskQuestion]) -> None:
        text = admin_client.get(URL).content.decode()
        assert text.index("Two?") < text.index("One?")
        assert "Three?" not in text
        assert "Four?" not in text

    def test_one_is_deleted(self, admin_client: Client, questions: list[AskQuestion]) -> None:
        assert admin_client.post(f"{URL}{questions[0].pk}/forget/").status_code == 302
        assert [it.question for it in AskQuestion.objects.order_by("pk")] == ["Two?", "Three?", "Four?"]

    def test_all_are_deleted(self, admin_client: Client, questions: list[AskQuestion]) -> None:
        admin_client.post(f"{URL}forget/")
        assert [it.question for it in AskQuestion.objects.order_by("pk")] == ["Three?", "Four?"]
        assert AuditLog.objects.get(action="usage.ask_forget").params == {"questions": 2}

    def test_those_of_others_are_nobodys(self, admin_client: Client, questions: list[AskQuestion]) -> None:
        for what in ("forget", "csv"):
            for other in questions[2:]:
                assert admin_client.post(f"{URL}{other.pk}/{what}/").status_code == 404
        assert AskQuestion.objects.count() == 4


class TestChart:
    @pytest.mark.parametrize(
        "rows",
        [
            [["a", 1]],
            [["a", 1], ["a", 2]],
            [["a", None], ["b", 2]],
            [["a", -1], ["b", 2]],
            [["a", 0], ["b", 0]],
            [["a", "1"], ["b", "2"]],
            [["a", True], ["b", False]],
            [["none", 1], [None, 2]],
            [["2026-05-01", 1], [None, 2]],
            [[1, 1], [2, 2]],
            [[f"{number}", 1] for number in range(40)],
            [[], []],
        ],
    )
    def test_what_invites_none(self, rows: list[list[Any]]) -> None:
        assert chart_of(["x", "n"][: len(rows[0])], rows) is None

    @pytest.mark.parametrize(
        "columns", [["name", "user_id"], ["name", "id"], ["name", "a", "b", "c", "n"]], ids=lambda it: it[-1]
    )
    def test_what_is_no_figure_or_one_of_many(self, columns: list[str]) -> None:
        assert chart_of(columns, [["a", *range(1, len(columns))], ["b", *range(1, len(columns))]]) is None

    @pytest.mark.parametrize(
        ("days", "places"),
        [
            (["2026-05-01", "2026-05-04", "2026-05-05"], [0, 3, 4]),
            (["2026-05-04T00:00:00+00:00", "2026-05-11T00:00:00+00:00"], [0, 1]),
            (["2026-05-01T09:00:00+00:00", "2026-05-01T10:00:00+00:00"], [0, 1]),
            (["2026-01-01", "2026-02-01", "2026-03-01"], [0, 1, 2]),
        ],
        ids=["a weekend between", "weeks", "hours", "months"],
    )
    def test_days_without_a_row_leave_a_gap(self, days: list[str], places: list[int]) -> None:
        chart = chart_of(["day", "n"], [[day, 1] for day in days])
        assert chart is not None
        at = re.findall(r'<rect class="series-0" x="(\d+)"', chart.columns)
        assert at == [str(place * STEP) for place in places]
        assert chart.first == days[0].removesuffix("T00:00:00+00:00")

    def test_what_only_looks_like_days(self) -> None:
        chart = chart_of(["day", "n"], [["2026-05-99", 1], ["2026-05-98", 2]])
        assert chart is not None
        assert not chart.by_day

    def test_a_row_without_a_name_is_called_as_in_the_table(self) -> None:
        chart = chart_of(["tool_name", "n"], [["Bash", 3], [None, 2], ["Read", 1]])
        assert chart is not None
        assert [(label, value) for label, _, value in chart.bars] == [
            ("Bash", "3"),
            ("none", "2"),
            ("Read", "1"),
        ]

    def test_one_without_a_day_stands_on_none(self) -> None:
        chart = chart_of(["day", "n"], [["2026-05-01", 3], [None, 2], ["2026-05-02", 1]])
        assert chart is not None
        assert (chart.by_day, chart.labels) == (True, ["2026-05-01", "2026-05-02"])

    def test_days_stand_in_their_order(self) -> None:
        chart = chart_of(["day", "who", "n"], [["2026-05-02", "b", 2], ["2026-05-01", "a", 1]])
        assert chart is not None
        assert (chart.by_day, chart.figure) == (True, "n")
        assert chart.columns.index("2026-05-01 1") < chart.columns.index("<title>2026-05-02 2")
