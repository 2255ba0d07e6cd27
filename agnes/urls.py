from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from accounts.admin.activity import activity_csv, activity_page
from accounts.oidc import views as oidc
from accounts.pages.connect_views import connect
from agnes.api import api, unknown_path
from agnes.health.views import livez, readyz
from agnes.metrics.views import metrics
from marketplace import git_views
from telemetry.admin.front_page import retry_failed

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="marketplace:list"), name="home"),
    path("livez", livez),
    path("readyz", readyz),
    path("metrics", metrics),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}agnes/logo.svg")),
    path("marketplace/", include("marketplace.pages.urls")),
    path("tokens/", include("accounts.pages.urls")),
    path("connect/", connect, name="connect"),
    re_path(r"^m/(?P<person>[0-9]+)\.git/info/refs$", git_views.advertise),
    re_path(r"^m/(?P<person>[0-9]+)\.git/git-upload-pack$", git_views.upload_pack),
    re_path(r"^m/(?P<person>[0-9]+)\.git/git-receive-pack$", git_views.receive_pack),
    re_path(r"^m(?:/|$)", git_views.nothing_here),
    path("sign-in/", oidc.begin, name="oidc_begin"),
    path("sign-in/callback/", oidc.callback, name="oidc_callback"),
    path("sign-out/", LogoutView.as_view(next_page="home"), name="sign_out"),
    path("api/", api.urls),
    re_path(r"^api(?:/|$)", unknown_path),
    path("admin/activity/", admin.site.admin_view(activity_page), name="activity"),
    path("admin/activity/activity.csv", admin.site.admin_view(activity_csv), name="activity_csv"),
    path("admin/retry-failed/", admin.site.admin_view(retry_failed), name="retry_failed"),
    path("admin/users/<int:object_id>/", RedirectView.as_view(pattern_name="admin:accounts_user_change")),
    path("admin/", admin.site.urls),
]

handler400 = "agnes.views.bad_request"
handler403 = "agnes.views.permission_denied"
handler404 = "agnes.views.page_not_found"
handler500 = "agnes.views.server_error"
