from django.urls import path

from marketplace.pages import flea_views, stack_views, upload_views, views
from marketplace.pages.actions import ACTIONS

app_name = "marketplace"
ITEM = "flea/<int:entity_id>"
urlpatterns = [
    path("", views.item_list, name="list"),
    path("upload/", upload_views.upload_item, name="upload"),
    path("uploads/", upload_views.uploads, name="uploads"),
    path("stack/", stack_views.stack, name="stack"),
    path("stack/add/", stack_views.add, name="stack_add"),
    path("stack/remove/", stack_views.remove, name="stack_remove"),
    path(f"{ITEM}/", flea_views.item, name="flea_item"),
    path(f"{ITEM}/upload/", upload_views.upload_new_version, name="flea_upload"),
    path(f"{ITEM}/versions/<int:number>/", flea_views.version, name="flea_version"),
    *(
        path(f"{ITEM}/{name}/", flea_views.act, {"name": name}, name=f"flea_{name.replace('-', '_')}")
        for name in ACTIONS
    ),
    path("<slug:source>/<path:ref_id>/", views.item, name="item"),
]
