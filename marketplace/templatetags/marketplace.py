"""How figures and moments look on the marketplace's pages."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import moment
from accounts.admin_details import spaced
from accounts.models import User
from marketplace.serving.installing import install_lines
from telemetry.admin.formats import large_number

register = template.Library()
register.filter("spaced", spaced)
register.filter("large", large_number)
register.filter("moment", moment)


@register.filter
def percent(value: float) -> SafeString:
    """`12.5 %`, from a thousand on without decimals."""
    shown = f"{value:.1f}" if abs(value) < 1000 else spaced(round(value))
    return format_html("{}\u2009%", shown.replace("-", "\u2212"))


@register.filter
def line_with(user: User, token: str) -> str:
    """What this person pastes to add their marketplace to Claude Code, the token in its place."""
    return install_lines(user, token=token)[0]
