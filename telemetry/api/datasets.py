"""Data sets for one's own machine, in the JSON API: one's own rows, and those of everybody for admins."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Schema

from accounts.api_auth import auth
from accounts.models import AccessToken, Scope, User
from telemetry.errors import WrongFilter
from telemetry.export import moments, resuming
from telemetry.export.formats import Format
from telemetry.export.parts import Reader
from telemetry.models import PublishingState, Source
from telemetry.permissions import EXPORT_USAGE

router = Router(tags=["data sets"])
reading = auth(Scope.READ)
PARQUET: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The rows.",
            "content": {Format.PARQUET.content_type: {"schema": {"type": "string", "format": "binary"}}},
        },
        206: {"description": "The rest of them, for `Range: bytes=N-` with `If-Range`."},
        304: {"description": "As for `If-None-Match`: the reader has them."},
        404: {},
        416: {},
    }
}
Mine = Annotated[bool, Query(description="one's own rows only, where one sees all")]


class Column(Schema):
    """`type` is that of DuckDB."""

    name: str
    type: str


class DatasetItem(Schema):
    """`table` is the view that queries name, `moment` the column that since and until compare; `whose` is
    mine or all."""

    name: str
    table: str
    description: str
    whose: str
    moment: str
    columns: list[Column]


class DatasetList(Schema):
    items: list[DatasetItem]
    total: int
    limit: int
    offset: int
    as_of: datetime | None


@router.get("/datasets", auth=reading, response=DatasetList, summary="List data sets")
def list_datasets(request: HttpRequest, mine: Mine = False) -> dict[str, Any]:
    """Those that you may see, and whose rows are in them."""
    reader = _reader(request, mine=mine)
    items = [
        {
            "name": it.value,
            "table": it.table.name,
            "description": it.row,
            "whose": "all" if reader.sees_all else "mine",
            "moment": it.moment,
            "columns": [{"name": name, "type": str(kind)} for name, kind in it.table.columns.items()],
        }
        for it in reader.datasets()
    ]
    as_of = PublishingState.objects.values_list("as_of", flat=True).first()
    return {"items": items, "total": len(items), "limit": len(items), "offset": 0, "as_of": as_of}


@router.get("/datasets/{name}", auth=reading, summary="Download a data set", openapi_extra=PARQUET)
def download_dataset(
    request: HttpRequest,
    name: str,
    mine: Mine = False,
    columns: Annotated[str | None, Query(description="some of them, with commas")] = None,
    since: Annotated[str | None, Query(description=f"inclusive: {moments.EXAMPLE}")] = None,
    until: Annotated[str | None, Query(description="exclusive")] = None,
    source: Annotated[str | None, Query(description=", ".join(Source.values))] = None,
    tool: Annotated[str | None, Query(description="the name of a tool")] = None,
    limit: Annotated[str | None, Query(description="at most so many rows, the first ones")] = None,
) -> HttpResponse | StreamingHttpResponse:
    """As Parquet, in the order of time and id. The same rows give the same bytes and the same `ETag`: with
    `If-None-Match` they are not sent again, and a download that broke off goes on with `Range` and
    `If-Range`.

    `X-Agnes-As-Of` says up to when the data is complete, `X-Agnes-Rows` how many rows there are.
    """
    if twice := [key for key, given in request.GET.lists() if len(given) > 1]:
        raise WrongFilter(dict.fromkeys(twice, "only once"))
    values = {key: str(value) for key, value in request.GET.items() if key != "mine"}
    return resuming.answer(request, _reader(request, mine=mine).part(name, values))


def _reader(request: HttpRequest, *, mine: bool) -> Reader:
    """A token sees what is everybody's with the scope `admin` only."""
    user, token = request.user, getattr(request, "auth", None)
    assert isinstance(user, User)
    in_scope = not isinstance(token, AccessToken) or Scope.ADMIN in token.scopes
    return Reader(user, in_scope and user.is_staff and user.has_perm(EXPORT_USAGE) and not mine)
