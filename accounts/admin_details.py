"""The detail pages of rows that are only looked at: figures and moments as the lists show them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User

Shown = Callable[[Any], SafeString | str | None]


def spaced(value: float) -> str:
    """`12 345`, with thin spaces."""
    return f"{value:,}".replace(",", "\u2009")


def number(value: int) -> SafeString:
    """`12 345`, with thin spaces, at the right of its column."""
    return format_html('<span class="number">{}</span>', spaced(value))


def shown(name: str, show: Callable[[Any], SafeString | str], label: str = "") -> Shown:
    """A field for an admin page, whose value is told by `show`; without a value it is a dash."""

    @admin.display(description=label or name.replace("_", " "))
    def field(row: Any) -> SafeString | str | None:
        value = getattr(row, name)
        return None if value is None else show(value) or None

    field.__name__ = name
    return field


def readable(model: type[models.Model], name: Any, moment: Callable[[datetime | None], Any]) -> Any:
    """The same field, but people called so, moments relative and figures with thin spaces; else as it is."""
    try:
        field = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return name
    if isinstance(field, models.ForeignKey) and field.related_model is User:
        return _person(field)
    if isinstance(field, models.DateTimeField):
        return shown(name, moment, str(field.verbose_name))
    if isinstance(field, models.IntegerField) and not (field.primary_key or field.choices):
        return shown(name, number, str(field.verbose_name))
    return name


def _person(field: models.ForeignKey[Any, Any]) -> Shown:
    @admin.display(description="person")
    def person(row: Any) -> SafeString | str | None:
        user_id = getattr(row, field.attname)
        email = User.objects.filter(pk=user_id).values_list("email", flat=True).first()
        # No constraint keeps the person of an extracted row.
        return email or f"user:{user_id}"

    person.__name__ = field.name
    return person
