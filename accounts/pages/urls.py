from django.urls import path

from accounts.pages import token_views

app_name = "accounts"
urlpatterns = [
    path("", token_views.own_tokens, name="tokens"),
    path("<int:token_id>/", token_views.issued, name="token_issued"),
    path("<int:token_id>/revoke/", token_views.revoke, name="token_revoke"),
]
