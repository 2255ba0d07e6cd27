"""How figures look, for every admin template."""

from django import template

from accounts.admin_details import spaced

register = template.Library()
register.filter("spaced", spaced)
