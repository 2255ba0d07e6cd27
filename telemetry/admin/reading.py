"""The pages that show what stands in a transcript, to who may read transcripts."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.numbers import whole_number
from accounts.slow_clients import lose_patience
from telemetry.errors import StorageUnavailable, StoredFileDamaged
from telemetry.files.storage import begun
from telemetry.models import SessionTranscript, UsageSessionSummary
from telemetry.permissions import READ_TRANSCRIPTS
from telemetry.viewing.index import Index, Place
from telemetry.viewing.index_files import open_index
from telemetry.viewing.pages import NoSuchPage, Page, read_page
from telemetry.viewing.parts import StoredPart, parts_of
from telemetry.viewing.reading import read_entry, read_line
from telemetry.viewing.timeline import stretches, timeline_svg
from telemetry.viewing.visible import visible

TEXT = "text/plain; charset=utf-8"
# What a stranger wrote, as text: whatever a browser takes it for, nothing in it runs or loads.
TEXT_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
PIECE_CHARACTERS = 64 * 1024
FIGURES = {
    "user_messages": "prompts",
    "assistant_messages": "messages",
    "tool_calls": "tool calls",
    "tool_errors": "errors",
    "skill_invocations": "skills",
    "subagent_dispatches": "subagents",
    "input_tokens": "tokens in",
    "output_tokens": "tokens out",
    "cache_read_tokens": "cache read",
    "cache_creation_tokens": "cache written",
}


class TranscriptReading(admin.ModelAdmin):  # type: ignore[type-arg]
    """For the admin of transcripts: their pages to be read, as `<session_file>/read/`."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = [
            path("<str:session_file>/read/", wrap(read_view), name="telemetry_sessiontranscript_read"),
            path(
                "<str:session_file>/read/line/<str:line>/",
                wrap(line_view),
                name="telemetry_sessiontranscript_line",
            ),
        ]
        return [*pages, *super().get_urls()]


@require_safe
def read_view(request: HttpRequest, session_file: str) -> HttpResponse:
    transcript = _find(request, session_file)
    number = _number(request.GET.get("page", "1"))
    page: Page | None = None
    problem: StoredFileDamaged | StorageUnavailable | None = None
    try:
        page = read_page(transcript, number)
    except NoSuchPage as error:
        raise Http404("The transcript has no such page.") from error
    except SessionTranscript.DoesNotExist as error:
        raise Http404("There is no such transcript.") from error
    except (StoredFileDamaged, StorageUnavailable) as error:
        problem = error
    for shown in page.shown if page else [transcript]:
        audit.record("session.view", target=shown.audit_target, params={"page": number})
    context = {
        **admin.site.each_context(request),
        **_about(transcript, page),
        "title": "Transcript",
        "opts": SessionTranscript._meta,
        "page": page,
        "problem": problem,
        "may_see_details": request.user.has_perm("telemetry.view_sessiontranscript"),
        "may_see_findings": request.user.has_perm("telemetry.view_verificationfinding"),
    }
    status = 503 if isinstance(problem, StorageUnavailable) else 200
    return render(request, "admin/telemetry/sessiontranscript/read.html", context, status=status)


@require_safe
def line_view(request: HttpRequest, session_file: str, line: str) -> HttpResponse | StreamingHttpResponse:
    """The bytes of one line; with `?entry=n` the whole text of one entry of it, with visible marks."""
    transcript = _find(request, session_file)
    parts = parts_of(transcript)
    try:
        with open_index(transcript, parts) as index:
            place = index.place(_number(line))
            if place is None:
                raise Http404("No page shows such a line.")
            pieces = begun(_pieces(request, transcript, parts, index, place))
    except (StoredFileDamaged, SessionTranscript.DoesNotExist) as error:
        raise Http404(str(error)) from error
    except StorageUnavailable as error:
        return HttpResponse(error.text, content_type=TEXT, status=503)
    audit.record("session.view", target=transcript.audit_target, params={"line": place.line})
    lose_patience(request)
    answer = StreamingHttpResponse(pieces, content_type=TEXT)
    answer["Content-Security-Policy"] = TEXT_POLICY
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _pieces(
    request: HttpRequest, transcript: SessionTranscript, parts: list[StoredPart], index: Index, place: Place
) -> Iterator[bytes]:
    asked = request.GET.get("entry")
    if asked is None:
        return read_line(parts, place)
    in_agent_file = bool(transcript.agent_id)
    entry = read_entry(parts, index, place, _number(asked), in_agent_file=in_agent_file)
    if entry is None:
        raise Http404("The line has no such entry.")
    return _text_pieces(entry.text)


def _text_pieces(text: str) -> Iterator[bytes]:
    for start in range(0, len(text), PIECE_CHARACTERS):
        yield visible(text[start : start + PIECE_CHARACTERS]).encode()


def _find(request: HttpRequest, session_file: str) -> SessionTranscript:
    """Who may not read transcripts is not told which there are."""
    if request.user.has_perm(READ_TRANSCRIPTS):
        found = SessionTranscript.objects.select_related("owner").filter(session_file=session_file).first()
        if found is not None:
            return found
    raise Http404("There is no such transcript.")


def _number(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise Http404("There is no such page.")
    return number


def _about(transcript: SessionTranscript, page: Page | None) -> dict[str, Any]:
    """What stands above the entries."""
    summary = UsageSessionSummary.objects.filter(session_file=transcript.session_file).first()
    main = SessionTranscript.objects.of(transcript.owner_id).filter(
        session_id=transcript.session_id, agent_id=""
    )
    has_marks = page is not None and any(page.about.marks.values())
    return {
        "transcript": transcript,
        "summary": summary,
        "figures": [(words, getattr(summary, name)) for name, words in FIGURES.items()] if summary else [],
        "main": main.first() if transcript.agent_id else None,
        "timeline": timeline_svg(page.about) if page and has_marks else "",
        "stretches": stretches(page.about) if page and has_marks else [],
    }
