from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from agnes.api import api, unknown_path

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="marketplace:list"), name="home"),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}agnes/logo.svg")),
    path("marketplace/", include("marketplace.pages.urls")),
    path("sign-out/", LogoutView.as_view(next_page="home"), name="sign_out"),
    path("api/", api.urls),
    re_path(r"^api(?:/|$)", unknown_path),
    path("admin/activity/", RedirectView.as_view(pattern_name="admin:accounts_auditlog_changelist")),
    path("admin/users/<int:object_id>/", RedirectView.as_view(pattern_name="admin:accounts_user_change")),
    path("admin/", admin.site.urls),
]

handler400 = "agnes.views.bad_request"
handler403 = "agnes.views.permission_denied"
handler404 = "agnes.views.page_not_found"
handler500 = "agnes.views.server_error"
