"""Which provider answers, by the settings."""

from django.conf import settings

from telemetry.ask.errors import AskNotSetUp
from telemetry.ask.providers.anthropic_messages import AnthropicMessages
from telemetry.ask.providers.draft import Provider
from telemetry.ask.providers.openai_chat import OpenAIChat

OPENAI = "openai"


def provider() -> Provider:
    """Raises AskNotSetUp before anything else happens where the key is missing."""
    if settings.ASK_PROVIDER == OPENAI:
        return OpenAIChat(settings.ASK_MODEL, settings.ASK_API_KEY, settings.ASK_BASE_URL)
    if not settings.ANTHROPIC_API_KEY:
        raise AskNotSetUp("Ask is not set up: set ANTHROPIC_API_KEY.", "docs/ASK.md says how.")
    return AnthropicMessages(settings.ASK_MODEL, settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL)
