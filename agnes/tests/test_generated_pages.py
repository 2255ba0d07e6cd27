"""The pages that are made from the code say what the code says: `make docs` would change nothing."""

import pytest
from django.conf import settings

from agnes import env
from scripts import api_page, configuration_page

DOCS = settings.BASE_DIR / "docs"
STALE = "It is stale: run `make docs`."
SETTINGS = configuration_page.settings_of(configuration_page.SETTINGS.read_text())


def test_the_settings_are_those_of_the_code():
    page = (DOCS / "CONFIGURATION.md").read_text()
    assert configuration_page.written_anew(page, SETTINGS) == page, STALE


def test_the_api_is_that_of_the_code():
    page = (DOCS / "API.md").read_text()
    assert api_page.written_anew(page) == page, STALE


def test_every_variable_that_is_read_has_words_of_its_own():
    assert {setting.name for setting in SETTINGS} == env.KNOWN
    assert all(setting.meaning.endswith((".", ")")) for setting in SETTINGS)


def test_a_setting_without_words_is_told():
    with pytest.raises(ValueError, match="DEBUG has no line"):
        configuration_page.settings_of('# --- Server ---\nDEBUG = env.boolean("DEBUG", False)\n')


def test_a_table_that_somebody_edited_is_written_anew():
    page = (DOCS / "CONFIGURATION.md").read_text()
    edited = page.replace("| `AGNES_WEB_THREADS` | `32` |", "| `AGNES_WEB_THREADS` | `33` |")
    assert edited != page
    assert configuration_page.written_anew(edited, SETTINGS) == page
