"""What the server answered, as JSON or as an error of ours."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from agnes.cli.errors import (
    ClientError,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    Refused,
    ServerAway,
    TooOld,
    Withheld,
)

if TYPE_CHECKING:
    import httpx

TEMPORARY = (408, 425, 429)
TOO_LARGE = 413
LOG_IN = "Run `agnes login`."
LATER = "Try again later; nothing is lost."


def check(response: "httpx.Response", server: str) -> None:
    """Raises ClientError where it is none that was hoped for."""
    status = response.status_code
    if status < 300 or status == 304:
        return
    told = _told(response)
    message = str(told.get("message") or "") or f"{server} answered {_named(status)}."
    hint = str(told.get("hint") or "")
    if status < 400:
        there = response.headers.get("Location", "another address")
        raise Refused(f"{server} leads to {there}.", "Log in with the address that it leads to.")
    raise _error(status, message, hint, told, response)


def not_agnes(server: str) -> Refused:
    """What answers there is something else, or something before it, such as a proxy."""
    return Refused(
        f"{server} did not answer as a server of Agnes does.", "Check the address with `agnes status`."
    )


def json_of(response: "httpx.Response", server: str) -> Any:
    if response.status_code == 204:
        return None
    try:
        return response.json()
    except ValueError:
        raise not_agnes(server) from None


def not_reached(server: str, error: "httpx.RequestError") -> ServerAway:
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return ServerAway(
            f"The certificate of {server} is not trusted here: {reason}.",
            "Name the authority's file in SSL_CERT_FILE, or ask an operator to mend the certificate.",
        )
    return ServerAway(f"{server} cannot be reached: {reason.rstrip('.')}.", LATER)


def _error(
    status: int, message: str, hint: str, told: dict[str, Any], response: "httpx.Response"
) -> ClientError:
    if status == 401:
        return NotLoggedIn(message, LOG_IN)
    if status == 403:
        return NotAllowed(message, hint)
    if status in (404, 405):
        return NotFound(message, hint)
    if status == 426:
        return TooOld(message, hint or "Upgrade the package agnes.")
    if status in TEMPORARY or status >= 500:
        pause = _retry_after(response)
        return ServerAway(message, hint or LATER, retry_after=pause, may_be_of_one=status == 500)
    kind = Withheld if status == 410 and told else Refused
    return kind(message, hint, code=_code(status, told), details=told)


def _code(status: int, told: dict[str, Any]) -> str:
    """Of the reason; '' where it is not Agnes that refuses. What is too large is so for a proxy as well."""
    return str(told.get("code") or (status if status == TOO_LARGE else ""))


def _told(response: "httpx.Response") -> dict[str, Any]:
    """The error as Agnes tells it; nothing where something else answered, such as a proxy."""
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _retry_after(response: "httpx.Response") -> float | None:
    """Of seconds, or a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
