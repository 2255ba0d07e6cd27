from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from accounts import sign_in_limits
from accounts.signals import record_failed_login

MINUTES = int(sign_in_limits.PERIOD.total_seconds() // 60)
TOO_MANY = f"Too many failed sign-ins. Wait {MINUTES} minutes, then try again."


class SignInForm(AdminAuthenticationForm):
    """The one place to sign in, for pages outside the admin too, which itself lets in staff only.

    Does not even look at the password once there were too many failures.
    """

    def confirm_login_allowed(self, user: Any) -> None:
        AuthenticationForm.confirm_login_allowed(self, user)

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("username")
        if not email or not self.cleaned_data.get("password"):
            return super().clean()
        assert self.request is not None
        address = sign_in_limits.client_address(self.request)
        if not sign_in_limits.begin(email, address):
            record_failed_login({"username": email})
            raise ValidationError(TOO_MANY, code="too_many_failures")
        cleaned = super().clean()
        sign_in_limits.succeeded(email, address)
        return cleaned


admin.site.login_form = SignInForm
