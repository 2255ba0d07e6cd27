import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.db import transaction
from django.db.models import Count, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import audit
from accounts.admin_base import AuditedAdmin, chip, moment
from accounts.models import AccessToken, User

PRIVILEGES = ["is_staff", "is_superuser", "groups", "user_permissions"]


def time_zones() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(zoneinfo.available_timezones())]


class PersonForm(UserChangeForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(choices=time_zones, help_text=User._meta.get_field("time_zone").help_text)

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}


class NewPersonForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, Any] = {}


class PersonPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        person: User = super().save(commit)
        audit.record("auth.password_change", target=f"user:{person.pk}")
        return person


@admin.register(User)
class PersonAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]
    audit_family = "user"
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = PersonPasswordForm
    list_display = ["email", "name", "state", "role", "signed_in"]
    list_filter = ["is_staff", "is_active", "groups"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    filter_horizontal = ["groups", "user_permissions"]
    readonly_fields = ["last_login", "date_joined", "access_tokens"]
    fieldsets = [
        (None, {"fields": ["email", "name", "time_zone", "password", "access_tokens"]}),
        ("Rights", {"fields": ["is_active", *PRIVILEGES]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["email", "name", "usable_password", "password1", "password2"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        tokens = AccessToken.objects.filter(user=OuterRef("pk")).order_by().values("user")
        counted = tokens.annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).annotate(token_count=Coalesce(Subquery(counted), 0))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """People are never deleted, only deactivated."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only a superuser changes others who have rights: whoever sets their password has them too. Nobody
        changes who was erased."""
        if not super().has_change_permission(request, obj):
            return False
        if isinstance(obj, User) and obj.erased_at:
            return False
        if not isinstance(obj, User) or request.user.is_superuser or obj.pk == request.user.pk:
            return True
        return not (obj.is_staff or obj.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody gives away, or takes for themselves, rights that only a superuser has."""
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else fields + PRIVILEGES

    @admin.display(description="state", ordering="is_active")
    def state(self, person: User) -> SafeString:
        return chip("active", "good") if person.is_active else chip("inactive", "look")

    @admin.display(description="role", ordering="is_staff")
    def role(self, person: User) -> SafeString | str:
        if person.is_superuser:
            return chip("superuser")
        return chip("staff") if person.is_staff else ""

    @admin.display(description="last signed in", ordering="last_login")
    def signed_in(self, person: User) -> SafeString | str:
        return moment(person.last_login)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        person: Any = super().get_object(request, object_id, from_field)
        if person is not None:
            person.may_get_token = request.user.has_perm("accounts.add_accesstoken")
        return person

    @admin.display(description="access tokens")
    def access_tokens(self, person: Any) -> SafeString:
        count: int = person.token_count
        url = reverse("admin:accounts_accesstoken_changelist")
        link = format_html(
            '<a href="{}?user__id__exact={}">{} token{}</a>', url, person.pk, count, pluralize(count)
        )
        if not person.may_get_token:
            return link
        url = reverse("admin:accounts_accesstoken_add")
        return format_html('{} · <a href="{}?user={}">Add a token</a>', link, url, person.pk)
