"""The provider of the settings, and what it says of itself (discovery)."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from accounts.oidc.id_tokens import verified_claims

# What a provider says of itself changes rarely, and everybody may have us ask.
KEPT_SECONDS = 3600
UID_LENGTH = 191
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def provider(request: HttpRequest) -> "Provider":
    app = SocialApp(
        provider=Provider.id,
        # A person's id means something at this provider only.
        provider_id=settings.OIDC_ISSUER[:200],
        name=settings.OIDC_NAME,
        client_id=settings.OIDC_CLIENT_ID,
        secret=settings.OIDC_CLIENT_SECRET,
        settings={
            "server_url": settings.OIDC_ISSUER,
            "scope": settings.OIDC_SCOPES,
            "oauth_pkce_enabled": True,
        },
    )
    return Provider(request, app=app)


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    def get_oauth2_adapter(self, request: HttpRequest) -> "Adapter":
        return Adapter(request, self.app.provider_id)


class CameBack(SocialLogin):  # type: ignore[misc]
    """Somebody whom the provider knows; `claims` is what it says of them."""

    claims: Mapping[str, Any]

    def lookup(self) -> None:
        """Who that is here is decided in people.py. allauth would replace what is noted of them."""


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """How allauth speaks with the provider."""

    def get_provider(self) -> Provider:
        return provider(self.request)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """The one that is registered at the provider, by whatever name the browser came."""
        return f"{settings.AGNES_URL}{reverse('oidc_callback')}"

    @property
    def openid_config(self) -> dict[str, Any]:
        """Raises OAuth2Error, RequestException."""
        key = f"oidc:{settings.OIDC_ISSUER}"
        config: dict[str, Any] | None = cache.get(key)
        if config is None:
            config = fetch_json(self.get_provider().server_url)
            _check(config)
            cache.set(key, config, KEPT_SECONDS)
        return config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **more: Any) -> CameBack:
        """Who it is, as the provider signed it. Raises OAuth2Error, RequestException."""
        id_token = more["response"].get("id_token")
        if not id_token:
            raise OAuth2Error("The provider sent no id_token.")
        claims = verified_claims(id_token, self.openid_config, client_id=app.client_id)
        login = CameBack(
            account=SocialAccount(provider=app.provider_id, uid=_uid(claims["sub"]), extra_data={}),
            provider=self.get_provider(),
        )
        login.claims = _together(claims, self._further_claims(token.token, claims["sub"]))
        return login

    def _further_claims(self, access_token: str, subject: str) -> dict[str, Any]:
        """Some providers tell e-mail and groups only here."""
        url = self.openid_config.get("userinfo_endpoint")
        if not url:
            return {}
        told = fetch_json(url, headers={"Authorization": f"Bearer {access_token}"})
        if told.get("sub") != subject:
            raise OAuth2Error("The provider told of another person than it signed.")
        return told


def _together(signed: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What is signed counts more. That an address is verified is said of the one beside it alone."""
    claims = {**told, **signed}
    if claims.get("email") != told.get("email") and "email_verified" not in signed:
        claims.pop("email_verified", None)
    return claims


def _check(config: Mapping[str, Any]) -> None:
    if str(config.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
        raise OAuth2Error("The provider says that it is another issuer than OIDC_ISSUER.")
    if missing := [name for name in NEEDED if not config.get(name)]:
        raise OAuth2Error(f"The provider does not say its {missing[0]}.")


def _uid(subject: str) -> str:
    """As the column takes it."""
    return subject if len(subject) <= UID_LENGTH else hashlib.sha256(subject.encode()).hexdigest()


def fetch_json(url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Raises RequestException, OAuth2Error."""
    with get_adapter().get_requests_session() as session:
        response = session.get(url, headers=headers)
        response.raise_for_status()
        answer = response.json()
    if not isinstance(answer, dict):
        raise OAuth2Error(f"{urlsplit(url).hostname} did not answer with an object.")
    return answer
