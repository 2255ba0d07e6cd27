"""Telemetry's part of the JSON API."""

from ninja import Router

from telemetry.api.admin import router as admin_router
from telemetry.api.datasets import router as datasets_router
from telemetry.api.own_sessions import router as own_sessions_router
from telemetry.api.private import router as private_router
from telemetry.api.uploads import router as uploads_router

router = Router(tags=["telemetry"])
router.add_router("", uploads_router)
router.add_router("/admin", admin_router)
router.add_router("", own_sessions_router)
router.add_router("", private_router)
router.add_router("", datasets_router)
