import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from requests import RequestException

from accounts.oidc.answering import fail, safe_next
from accounts.oidc.provider import Adapter, provider

log = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]


def _if_configured(view: View) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        if not settings.OIDC_ISSUER:
            raise Http404
        try:
            return view(request)
        except (OAuth2Error, RequestException) as error:
            log.warning("The sign-in provider cannot be used: %s", error)
            return fail(request)

    return never_cache(require_safe(wrapped))


@_if_configured
def begin(request: HttpRequest) -> HttpResponse:
    """To the provider. A link is enough: whoever is made to follow it is signed in as themselves."""
    nonce = secrets.token_urlsafe(16)
    response: HttpResponse = provider(request).redirect(
        request,
        process=AuthProcess.LOGIN,
        next_url=safe_next(request),
        auth_params={"nonce": nonce},
        nonce=nonce,
    )
    return response


@_if_configured
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider."""
    view: Any = OAuth2CallbackView.adapter_view(lambda request: Adapter(request, settings.OIDC_ISSUER))
    response: HttpResponse = view(request)
    return response
