"""How figures and moments look, for telemetry's admin templates."""

from datetime import timedelta

from django import template
from django.utils.safestring import SafeString

from accounts.admin_base import moment
from accounts.admin_details import spaced
from telemetry.admin.formats import cut, duration, error_chip, file_size, large_number, number, words
from telemetry.viewing.visible import visible

register = template.Library()
register.filter("moment", moment)
register.filter("duration", duration)
register.filter("error_chip", error_chip)
register.filter("large", large_number)
register.filter("number", number)
register.filter("cut", cut)
register.filter("file_size", file_size)
register.filter("words", words)
register.filter("visible", visible)
register.filter("spaced", spaced)


@register.filter
def lasting(span: timedelta) -> SafeString:
    """`3 h 12 min`."""
    return duration(span.total_seconds())
