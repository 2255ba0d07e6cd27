"""What a form of the admin changed, as the audit log keeps it: names, ids, flags, never what was typed."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import BooleanField, ManyToManyField
from django.forms import ModelForm


def changes_of(form: "ModelForm[Any]", *, is_new: bool) -> dict[str, Any]:
    """The names of the changed fields, the new values of flags, and which rights were given and taken."""
    changes: dict[str, Any] = {"fields": sorted(form.changed_data)} if form.changed_data else {}
    for field in form._meta.model._meta.get_fields():
        if field.name not in form.changed_data:
            continue
        if isinstance(field, BooleanField):
            changes[field.name] = form.cleaned_data[field.name]
        elif isinstance(field, ManyToManyField) and field.related_model in (Group, Permission):
            before = set() if is_new else _names(form.initial[field.name])
            changes |= _difference(field.name, before, _names(form.cleaned_data[field.name]))
    return changes


def _difference(field_name: str, before: set[str], after: set[str]) -> dict[str, list[str]]:
    both = {f"{field_name}_added": sorted(after - before), f"{field_name}_removed": sorted(before - after)}
    return {name: rights for name, rights in both.items() if rights}


def _names(rights: Iterable[Group | Permission]) -> set[str]:
    """`group:3`, as audit rows name it everywhere, and `accounts.view_user`."""
    return {
        f"group:{right.pk}"
        if isinstance(right, Group)
        else f"{right.content_type.app_label}.{right.codename}"
        for right in rights
    }
