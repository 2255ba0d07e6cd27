"""How a provider's refusals are told, by the HTTP status that they came with."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.errors import AgnesError
from telemetry.ask.errors import AskNotSetUp, ProviderFailed

UNUSABLE = "The model did not write a usable statement{}."
NO_MESSAGE = "it did not answer in the API's form"
ASK_AGAIN = "Ask again, or in other words."
TRY_LATER = "Try again in a minute."


@dataclass(frozen=True)
class Knobs:
    """Which settings an operator would check."""

    key: str
    base_url: str


ANTHROPIC = Knobs("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
OPENAI = Knobs("ASK_API_KEY", "ASK_BASE_URL")


def of_status(status: int, headers: Mapping[str, str], knobs: Knobs, request_id: str = "") -> AgnesError:
    if status in (401, 403):
        return AskNotSetUp("The provider refuses the key.", f"Ask an operator to check it: {knobs.key}.")
    if status == 402:
        return AskNotSetUp("The provider's account has no credit.", "Ask an operator to top it up.")
    if status == 404:
        return AskNotSetUp("The provider does not know the model.", "Ask an operator to correct ASK_MODEL.")
    if status == 429:
        seconds = retry_after(headers) or 60
        return ProviderFailed(
            "The provider takes no more requests now.",
            f"Try again in {seconds} s.",
            status=429,
            retry_after=seconds,
        )
    if status >= 500:
        return ProviderFailed("The provider is busy or broken.", TRY_LATER, status=503, retry_after=60)
    return ProviderFailed(f"The provider refused the request{_named(request_id)}.", ASK_AGAIN)


def retry_after(headers: Mapping[str, str]) -> int | None:
    """In how many seconds; None where the provider does not say it as a number."""
    value = headers.get("retry-after", "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else None


def timed_out() -> ProviderFailed:
    return ProviderFailed("The provider did not answer in time.", TRY_LATER, status=504)


def unreachable(knobs: Knobs) -> ProviderFailed:
    return ProviderFailed(
        "The provider cannot be reached, or breaks off.",
        f"Ask an operator to check {knobs.base_url}.",
        status=503,
    )


def unusable(reason: str = "") -> ProviderFailed:
    return ProviderFailed(UNUSABLE.format(f": {reason}" if reason else ""), ASK_AGAIN)


def _named(request_id: str) -> str:
    return f" ({request_id})" if request_id else ""
