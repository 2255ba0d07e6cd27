from typing import Any

from django.utils.module_loading import import_string

from agnes import schedules


def test_marketplaces_are_synced_and_their_changes_followed(settings: Any):
    settings.SCHEDULER_MARKETPLACE_SYNC_INTERVAL = 7200
    minutes = {every.func: every.minutes for every in schedules.declared()}
    assert minutes["marketplace.tasks.sync_all"] == 120
    assert minutes["marketplace.tasks.reattribute"] == settings.SCHEDULER_USAGE_PROCESSOR_INTERVAL // 60


def test_what_is_scheduled_exists():
    assert all(callable(import_string(every.func)) for every in schedules.declared())
