from django.urls import path

from marketplace.pages import views

app_name = "marketplace"
urlpatterns = [
    path("", views.item_list, name="list"),
    path("<slug:source>/<path:ref_id>/", views.item, name="item"),
]
