"""Downloads of transcripts as HTTP answers."""

from contextlib import ExitStack, closing

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse

from accounts.models import User
from accounts.streaming import streamed
from telemetry.places import place
from telemetry.sessions.downloading import start_download
from telemetry.sessions.zipping import start_zip

TRANSCRIPT, ZIP = "application/x-ndjson", "application/zip"


def answer_transcript(request: HttpRequest, user_id: int, session_file: str) -> StreamingHttpResponse:
    """Raises SessionUnknown and TranscriptLost, before anything is sent."""
    assert isinstance(request.user, User)
    with ExitStack() as held:
        download = held.enter_context(closing(start_download(user_id, session_file, actor=request.user)))
        headers = {} if download.size is None else {"Content-Length": str(download.size)}
        return streamed(
            request,
            download,
            held.pop_all(),
            content_type=TRANSCRIPT,
            file_name=download.file_name,
            headers=headers,
        )


def answer_all(request: HttpRequest, person: User) -> StreamingHttpResponse:
    """Raises ExportsBusy, before anything is sent."""
    assert isinstance(request.user, User)
    with ExitStack() as held:
        held.enter_context(place())
        zipped = held.enter_context(closing(start_zip(person, actor=request.user)))
        return streamed(request, zipped, held.pop_all(), content_type=ZIP, file_name=zipped.file_name)


def download_url(user_id: int, session_file: str) -> str:
    return reverse("api:download_transcript", args=[user_id, session_file])


def download_all_url(user_id: int) -> str:
    return reverse("api:download_all", args=[user_id])
