"""An export as an HTTP answer."""

from contextlib import ExitStack, closing

from django.http import HttpRequest, StreamingHttpResponse

from accounts.models import User
from accounts.streaming import streamed
from telemetry.export.exporting import start_export
from telemetry.export.filters import Filters
from telemetry.places import place

AS_OF, ROWS = "X-Agnes-As-Of", "X-Agnes-Rows"


def answer(request: HttpRequest, filters: Filters) -> StreamingHttpResponse:
    """Raises ExportsBusy and what `start_export` raises, before anything is sent."""
    assert isinstance(request.user, User)
    with ExitStack() as held:
        held.enter_context(place())
        export = held.enter_context(closing(start_export(filters, actor=request.user)))
        headers = {ROWS: str(export.rows), **({AS_OF: export.as_of} if export.as_of else {})}
        return streamed(
            request,
            export,
            held.pop_all(),
            content_type=filters.format.content_type,
            file_name=filters.file_name,
            headers=headers,
        )
