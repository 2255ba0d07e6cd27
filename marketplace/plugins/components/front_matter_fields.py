"""The settings of skills, commands and agents that a page shows, each as the type that was meant."""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.plugins.values import as_bool, as_description, as_text, as_words

Conversion = Callable[[Any], Any]

SKILL_FIELDS: Mapping[str, Conversion] = {
    "when_to_use": as_description,
    "argument-hint": as_description,
    "arguments": as_words,
    "allowed-tools": as_words,
    "disallowed-tools": as_words,
    "model": as_text,
    "effort": as_text,
    "disable-model-invocation": as_bool,
    "user-invocable": as_bool,
    "context": as_text,
    "agent": as_text,
    "background": as_bool,
    "paths": as_words,
}
AGENT_FIELDS: Mapping[str, Conversion] = {
    "tools": as_words,
    "disallowedTools": as_words,
    "model": as_text,
    "effort": as_text,
    "maxTurns": as_text,
    "skills": as_words,
    "memory": as_text,
    "background": as_bool,
    "isolation": as_text,
    "color": as_text,
}


def settings(values: Mapping[str, Any], fields: Mapping[str, Conversion]) -> dict[str, Any]:
    """The known fields that say something."""
    converted = {key: convert(values[key]) for key, convert in fields.items() if key in values}
    return {key: value for key, value in converted.items() if value not in (None, "", [])}
