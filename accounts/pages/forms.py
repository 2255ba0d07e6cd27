"""What the form for one's own access token takes."""

from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import AccessToken, Scope, User
from accounts.tokens import own_scopes

DAYS = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked")]
USUAL = {"scopes": [Scope.UPLOAD.value, Scope.READ.value], "days": "90"}


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=AccessToken._meta.get_field("name").max_length,
        help_text="Where it is used, e.g. “laptop”.",
    )
    scopes = forms.MultipleChoiceField(label="It may", widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(
        label="Valid for", choices=DAYS, required=False, coerce=int, empty_value=None
    )

    def __init__(
        self, user: User, data: QueryDict | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        self.fields["scopes"].choices = scopes_for(user)  # type: ignore[attr-defined]


def scopes_for(user: User) -> list[tuple[str, str]]:
    return [(scope.value, str(scope.label)) for scope in own_scopes(user)]


def asked_for(query: QueryDict) -> dict[str, Any]:
    """What a link to the form fills in, such as `?name=laptop&scopes=upload&scopes=read&days=365`."""
    asked = {"name": query.get("name"), "scopes": query.getlist("scopes"), "days": query.get("days")}
    return {**USUAL, **{name: value for name, value in asked.items() if value}}
