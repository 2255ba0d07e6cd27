import logging
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from accounts.errors import SignInRefused
from accounts.oidc import answering
from accounts.oidc.provider import CameBack

log = logging.getLogger(__name__)


class SignInAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Where allauth asks what is to happen. Each answer ends its own way of signing in, with its pages."""

    def pre_social_login(self, request: HttpRequest, sociallogin: CameBack) -> NoReturn:
        try:
            response = answering.sign_in(request, sociallogin)
        except SignInRefused as refused:
            response = answering.refuse(request, refused)
        raise ImmediateHttpResponse(response)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> NoReturn:
        if error == AuthError.CANCELLED:
            messages.info(request, "You did not sign in.")
            raise ImmediateHttpResponse(redirect("admin:login"))
        log.warning("Signing in by the provider failed: %s", exception or error)
        raise ImmediateHttpResponse(answering.fail(request))
