from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from accounts import shown_once, tokens
from accounts.admin_base import NextStep, chip, moment
from accounts.models import AccessToken, Scope, User

STATE_CHIPS = {"usable": "good", "expired": "look", "revoked": ""}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state) for state in STATE_CHIPS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        unrevoked = queryset.filter(revoked_at=None)
        match self.value():
            case "usable":
                return unrevoked.exclude(expires_at__lte=timezone.now())
            case "expired":
                return unrevoked.filter(expires_at__lte=timezone.now())
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


class NewTokenForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, initial=[Scope.UPLOAD, Scope.READ], widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        initial=90,
        label="Valid for days",
        help_text="Empty: until it is revoked.",
    )

    class Meta:
        model = AccessToken
        fields = ["user", "name", "scopes"]


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens are issued and revoked, never changed or deleted."""

    form = NewTokenForm
    autocomplete_fields = ["user"]
    list_display = ["token", "user", "name", "scope_list", "state", "ends", "used"]
    list_filter = [StateFilter]
    list_select_related = ["user"]
    search_fields = ["user__email", "name", "key_id"]
    fields = ["token", "user", "name", "scope_list", "state", "made", "ends", "used", "revoked"]
    actions = ["revoke_tokens"]
    next_step = NextStep(
        "A client needs one to upload. Make it here or by",
        "manage.py createtoken you@example.com --name laptop --scope upload",
    )

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_accesstoken")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A token acts as its person: only a superuser makes one for somebody else."""
        if obj:
            return self.fields
        return [*(["user"] if request.user.is_superuser else []), "name", "scopes", "days"]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        one_button = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**(extra_context or {}), **one_button})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        days = form.cleaned_data["days"]
        issued, obj.plain = tokens.issue(
            obj.user if request.user.is_superuser else request.user,
            name=obj.name,
            scopes=obj.scopes,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        obj.pk, obj.key_id, obj.user = issued.pk, issued.key_id, issued.user

    def get_urls(self) -> list[URLPattern]:
        views = {"issued": self.issued_view, "revoke": self.revoke_view}
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"accounts_accesstoken_{name}",
            )
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Another page shows the secret, so that reloading it makes no second token."""
        page = reverse("admin:accounts_accesstoken_issued", args=[obj.pk])
        response = redirect(page)
        shown_once.send(response, request, obj, obj.plain, page)
        return response

    @method_decorator(require_GET)
    def issued_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The secret, once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        token = self._find(request, object_id)
        plain = shown_once.take(request, token)
        if plain is None:
            return self._nothing_more_to_show(request, token)
        context = {
            **self.admin_site.each_context(request),
            "title": "Access token made",
            "opts": self.opts,
            "token": token,
            "plain": plain,
        }
        response = TemplateResponse(request, "admin/accounts/accesstoken/issued.html", context)
        shown_once.forget(response, request.path)
        return response

    def _nothing_more_to_show(self, request: HttpRequest, token: AccessToken) -> HttpResponse:
        self.message_user(request, shown_once.gone(token), messages.WARNING)
        if self.has_view_permission(request, token):
            return redirect("admin:accounts_accesstoken_change", token.pk)
        return redirect("admin:index")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may = {"may_revoke": self.has_revoke_permission(request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **may})

    @method_decorator(require_POST)
    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button of the detail page."""
        if not (self.has_view_permission(request) and self.has_revoke_permission(request)):
            raise PermissionDenied
        token = self._find(request, object_id)
        self.revoke_tokens(request, AccessToken.objects.filter(pk=token.pk))
        return redirect("admin:accounts_accesstoken_change", token.pk)

    def _find(self, request: HttpRequest, object_id: str) -> AccessToken:
        token: AccessToken | None = self.get_object(request, unquote(object_id))
        if token is None:
            raise Http404("There is no such token.")
        return token

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        assert isinstance(request.user, User)
        selected = list(queryset.filter(revoked_at=None))
        for token in selected:
            tokens.revoke(token, by=request.user)
        self.message_user(
            request, f"Revoked {len(selected)} access token{pluralize(len(selected))}.", messages.SUCCESS
        )

    @admin.display(description="token", ordering="key_id")
    def token(self, token: AccessToken) -> str:
        return str(token)

    @admin.display(description="scopes")
    def scope_list(self, token: AccessToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="made")
    def made(self, token: AccessToken) -> SafeString | str:
        return moment(token.created_at)

    @admin.display(description="revoked", empty_value="no")
    def revoked(self, token: AccessToken) -> SafeString | str | None:
        return moment(token.revoked_at) or None

    @admin.display(description="expires", ordering="expires_at", empty_value="never")
    def ends(self, token: AccessToken) -> SafeString | str | None:
        return moment(token.expires_at) or None

    @admin.display(description="last used", ordering="last_used_at", empty_value="never")
    def used(self, token: AccessToken) -> SafeString | str | None:
        return moment(token.last_used_at) or None

    @admin.display(description="state")
    def state(self, token: AccessToken) -> SafeString:
        return chip(token.state, STATE_CHIPS[token.state])
