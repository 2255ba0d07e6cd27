"""The page on which the telemetry is asked in plain language, and the button that leads there."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import AgnesError
from accounts.models import User
from accounts.spreadsheets import csv_text
from telemetry.ask.asking import QUESTION_CHARACTERS, Asked, ask, forget, run_again
from telemetry.ask.chart import chart_of
from telemetry.ask.providers.choosing import provider
from telemetry.ask.running import Answer
from telemetry.models import AskQuestion, UsageEvent
from telemetry.permissions import ASK_USAGE

EARLIER = 20
PAGE = "admin:telemetry_usageevent_ask"


class AskForm(forms.Form):
    question = forms.CharField(
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 2, "maxlength": QUESTION_CHARACTERS, "class": "vLargeTextField"}
        ),
    )


class AskButton(admin.ModelAdmin):  # type: ignore[type-arg]
    """For a list that has the page as `ask/`."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("ask/", view(ask_page), name="telemetry_usageevent_ask"),
            path("ask/forget/", view(forget_all), name="telemetry_usageevent_ask_forget_all"),
            path("ask/<int:pk>/forget/", view(forget_one), name="telemetry_usageevent_ask_forget"),
            path("ask/<int:pk>/csv/", view(download), name="telemetry_usageevent_ask_csv"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"may_ask": request.user.has_perm(ASK_USAGE)}
        return super().changelist_view(request, {**(extra_context or {}), **may})


@require_http_methods(["GET", "POST"])
def ask_page(request: HttpRequest) -> HttpResponse:
    user = _asker(request)
    if request.method == "GET":
        return _page(request, user, problem=_not_set_up(), status=200)
    question = request.POST.get("question", "")
    try:
        asked = ask(question, actor=user)
    except AgnesError as error:
        return _page(request, user, question=question, problem=error, status=error.status)
    return _page(request, user, question=question, asked=asked)


@require_POST
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows of a kept question as they are now."""
    user = _asker(request)
    kept = _kept(user, pk)
    if kept.verdict != AskQuestion.Verdict.ANSWERED:
        raise Http404
    try:
        answer = run_again(kept, actor=user)
    except AgnesError as error:
        return _page(request, user, question=kept.question, problem=error, status=error.status)
    return HttpResponse(
        csv_text([answer.columns, *answer.rows]),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="answer-{kept.pk}.csv"',
            "Cache-Control": "no-store",
        },
    )


@require_POST
def forget_one(request: HttpRequest, pk: int) -> HttpResponse:
    user = _asker(request)
    forget(_history(user).filter(pk=_kept(user, pk).pk), actor=user)
    messages.success(request, "The question was deleted.")
    return redirect(PAGE)


@require_POST
def forget_all(request: HttpRequest) -> HttpResponse:
    user = _asker(request)
    count = forget(_history(user), actor=user)
    messages.success(request, f"{count} {'question was' if count == 1 else 'questions were'} deleted.")
    return redirect(PAGE)


def _asker(request: HttpRequest) -> User:
    if not isinstance(request.user, User) or not request.user.has_perm(ASK_USAGE):
        raise PermissionDenied
    return request.user


def _history(user: User) -> QuerySet[AskQuestion]:
    """Of that person alone."""
    return AskQuestion.objects.filter(user=user).order_by("-asked_at", "-pk")


def _kept(user: User, pk: int) -> AskQuestion:
    kept = _history(user).filter(pk=pk).first()
    if kept is None:
        raise Http404
    return kept


def _not_set_up() -> AgnesError | None:
    try:
        provider()
    except AgnesError as error:
        return error
    return None


def _page(
    request: HttpRequest,
    user: User,
    *,
    question: str = "",
    asked: Asked | None = None,
    problem: AgnesError | None = None,
    status: int = 200,
) -> HttpResponse:
    earlier = list(_history(user)[: EARLIER + 1])
    answer = asked.answer if asked else None
    table = _cells(answer) if answer else []
    context = {
        **admin.site.each_context(request),
        "title": "Ask",
        "opts": UsageEvent._meta,
        "form": AskForm(initial={"question": question}),
        "asked": asked,
        "answer": answer,
        "as_of": parse_datetime(answer.as_of or "") if answer else None,
        "table": table,
        "headings": _headings(answer, table) if answer else [],
        "chart": chart_of(answer.columns, answer.rows) if answer else None,
        "problem": problem,
        "earlier": earlier[:EARLIER],
        "has_more": len(earlier) > EARLIER,
    }
    response = render(request, "admin/telemetry/ask.html", context, status=status)
    if problem and problem.retry_after and request.method == "POST":
        response["Retry-After"] = str(problem.retry_after)
    return response


def _cells(answer: Answer) -> list[list[tuple[Any, bool]]]:
    """Each value, and whether it is a number."""
    return [
        [(value, isinstance(value, int | float) and not isinstance(value, bool)) for value in row]
        for row in answer.rows
    ]


def _headings(answer: Answer, table: list[list[tuple[Any, bool]]]) -> list[tuple[str, bool]]:
    """Each name, and whether numbers stand below it."""
    numbers = [is_number for _, is_number in table[0]] if table else [False] * len(answer.columns)
    return list(zip(answer.columns, numbers, strict=True))
