"""What the forms of the flea market's pages take."""

from django import forms

from accounts.models import User
from marketplace.guardrails.limits import DESCRIPTION_CHARACTERS
from marketplace.models import EntityKind
from marketplace.models.lengths import SLUG_LENGTH
from marketplace.store.deciding import REASON_CHARACTERS

EMAIL_CHARACTERS = User._meta.get_field("email").max_length
KINDS = [("", "Its files tell"), *((kind.value, kind.label.capitalize()) for kind in EntityKind)]


class UploadForm(forms.Form):
    """Beside the files, which marketplace/store/receiving.py takes."""

    name = forms.CharField(
        required=False,
        max_length=SLUG_LENGTH,
        help_text="Small letters, digits and hyphens. Empty: its files tell.",
    )
    kind = forms.ChoiceField(required=False, choices=KINDS)
    description = forms.CharField(
        required=False, max_length=DESCRIPTION_CHARACTERS, help_text="Empty: what its files say."
    )


class ConfirmedForm(forms.Form):
    """What cannot be undone by the same button asks first."""

    confirmed = forms.BooleanField(error_messages={"required": "Tick the box to say that you mean it."})


class DescribeForm(forms.Form):
    description = forms.CharField(required=False, max_length=DESCRIPTION_CHARACTERS)


class TransferForm(ConfirmedForm):
    email = forms.CharField(max_length=EMAIL_CHARACTERS)


class DecisionForm(forms.Form):
    """`version` is the number of the version that was looked at."""

    version = forms.IntegerField(min_value=1)


class RefusalForm(DecisionForm):
    reason = forms.CharField(max_length=REASON_CHARACTERS)


class TakeDownForm(forms.Form):
    reason = forms.CharField(max_length=REASON_CHARACTERS)
