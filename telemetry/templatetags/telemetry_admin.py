"""How figures and moments look, for telemetry's admin templates."""

from django import template

from accounts.admin_base import moment
from telemetry.admin.formats import file_size, number, words

register = template.Library()
register.filter("moment", moment)
register.filter("number", number)
register.filter("file_size", file_size)
register.filter("words", words)
