"""How figures and links look on telemetry's admin pages."""

from decimal import Decimal
from urllib.parse import urlencode

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_details import number as number
from accounts.admin_details import spaced
from telemetry.transcripts.figures import TOOL_ERROR_KINDS

LONG = 48
# Enough of an identifier to tell it from others on a page.
SHORT = 12
# As much of an e-mail address as a column has room for.
EMAIL = 30
# A name in a list that has many columns.
NARROW = 20


def large_number(value: int) -> SafeString:
    """`12.4 k`, with the full number as title."""
    return format_html('<span class="number" title="{}">{}</span>', spaced(value), _short(value))


def file_size(value: int) -> SafeString:
    return format_html(
        '<span class="number" title="{} bytes">{}</span>', spaced(value), filesizeformat(value)
    )


def duration(seconds: Decimal | float) -> SafeString:
    """`3 h 12 min`."""
    return format_html('<span class="number" title="{} s">{}</span>', seconds, _duration(int(seconds)))


def words(name: str) -> str:
    """`unknown_key` in words."""
    return name.replace("_", " ")


def error_chip(error_kind: str) -> str:
    """The class of a chip: only what failed by itself is an error, not what somebody refused or stopped."""
    return "chip-bad" if error_kind in TOOL_ERROR_KINDS else "chip-look"


def cut(text: str, length: int = LONG) -> SafeString | str:
    """The text, or its beginning with the whole as title: names come from uploads and may be long."""
    if len(text) <= length:
        return text
    return format_html('<span title="{}">{}…</span>', text, text[:length])


def list_link(model: str, text: SafeString | str, **query: object) -> SafeString:
    """A link to telemetry's list of `model`, filtered."""
    return format_html('<a href="{}">{}</a>', list_url(model, **query), text)


def list_url(model: str, **query: object) -> str:
    return f"{reverse(f'admin:telemetry_{model}_changelist')}?{urlencode(query)}"


def transcript_link(session_file: str) -> SafeString:
    return list_link("sessiontranscript", cut(session_file, SHORT), q=session_file)


def _short(value: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.1f}\u2009{unit}"
    return str(value)


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds}\u2009s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}\u2009h {minutes}\u2009min" if hours else f"{minutes}\u2009min"
