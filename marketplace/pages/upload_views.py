"""The doors for uploads: the verdict stands on the page that the files were picked on."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import AgnesError
from accounts.people import person
from marketplace.guardrails import UploadedFile
from marketplace.pages.flea_views import own_entity
from marketplace.pages.forms import UploadForm
from marketplace.pages.paging import page_number
from marketplace.pages.upload_page import kept, refusal_of, upload_context, uploads_context
from marketplace.store.receiving import received_files
from marketplace.store.seeing import moderates
from marketplace.store.uploading import Uploaded, upload
from marketplace.store.versions import upload_version

Take = Callable[[Sequence[UploadedFile]], Uploaded]
UPLOAD_METHODS = require_http_methods(["GET", "HEAD", "POST"])


@UPLOAD_METHODS
@login_required
def upload_item(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, form=UploadForm(label_suffix=""))
    form = UploadForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _page(request, form=form, status=422)
    return _answer(request, lambda files: upload(files, by=person(request), **form.cleaned_data), form=form)


@UPLOAD_METHODS
@login_required
def upload_new_version(request: HttpRequest, entity_id: int) -> HttpResponse:
    entity = own_entity(person(request), entity_id)
    if request.method != "POST":
        return _page(request, entity=entity)
    return _answer(request, lambda files: upload_version(entity, files, by=person(request)), entity=entity)


@require_safe
@login_required
def uploads(request: HttpRequest) -> HttpResponse:
    user = person(request)
    context = uploads_context(user, page_number(request.GET.get("page", "")))
    return render(request, "marketplace/uploads.html", {**context, "moderates": moderates(user)})


def _answer(request: HttpRequest, take: Take, **page: Any) -> HttpResponse:
    """201 for what is published, 200 for what is held, else the status of what is wrong."""
    try:
        with received_files(request) as files:
            result = kept(take(files))
    except AgnesError as error:
        response = _page(request, **page, refusal=refusal_of(error), status=error.status)
        if error.retry_after is not None:
            response["Retry-After"] = str(error.retry_after)
        return response
    return _page(request, **page, kept=result, status=201 if result.is_published else 200)


def _page(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, "marketplace/upload.html", upload_context(**context), status=status)
