"""Whether an id_token is really the provider's, and meant for us.

allauth leaves out the signature where a token came straight from the provider over TLS. Here it is checked
always: the address may be one of the own network, without TLS.
"""

from collections.abc import Mapping
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.core.cache import cache

# Only those with a key for signing that is not also known to us.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
# Clocks differ.
LEEWAY_SECONDS = 60
KEPT_SECONDS = 3600
# Keys change now and then; unknown ones must not make us ask again and again.
ASKED_AGAIN_AFTER_SECONDS = 30


def verified_claims(id_token: str, config: Mapping[str, Any], *, client_id: str) -> dict[str, Any]:
    """Raises OAuth2Error, RequestException."""
    try:
        key = _key(str(config["jwks_uri"]), jwt.get_unverified_header(id_token).get("kid"))
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key,
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=config["issuer"],
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise OAuth2Error(f"The id_token is not valid: {error}") from error
    if claims.get("azp", client_id) != client_id:
        raise OAuth2Error("The id_token was made for another client.")
    return claims


def _key(url: str, key_id: str | None) -> jwt.PyJWK:
    """Raises OAuth2Error, RequestException."""
    keys = _keys(url)
    found = _find(keys, key_id)
    if found is None and cache.add(f"oidc:asked:{url}", True, ASKED_AGAIN_AFTER_SECONDS):
        cache.delete(f"oidc:keys:{url}")
        found = _find(_keys(url), key_id)
    if found is None:
        raise OAuth2Error("The provider signed with a key that it does not publish.")
    return found


def _keys(url: str) -> list[jwt.PyJWK]:
    key = f"oidc:keys:{url}"
    answer: dict[str, Any] | None = cache.get(key)
    if answer is None:
        with get_adapter().get_requests_session() as session:
            response = session.get(url)
            response.raise_for_status()
            answer = response.json()
        cache.set(key, answer, KEPT_SECONDS)
    return jwt.PyJWKSet.from_dict(answer).keys


def _find(keys: list[jwt.PyJWK], key_id: str | None) -> jwt.PyJWK | None:
    if key_id is None and len(keys) == 1:
        return keys[0]
    return next((key for key in keys if key.key_id == key_id), None)
