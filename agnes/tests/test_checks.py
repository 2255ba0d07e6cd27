import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, run_checks

# Telemetry's checks ask the database.
pytestmark = pytest.mark.django_db
LONG = "x" * 40


def ids(*, deploy: bool = False) -> dict[str, CheckMessage]:
    messages = {str(message.id): message for message in run_checks(include_deployment_checks=deploy)}
    return {name: message for name, message in messages.items() if name.startswith("agnes.")}


@pytest.fixture(autouse=True)
def sound_settings(settings: Any) -> None:
    settings.TOKEN_PEPPER = LONG
    settings.LAKE_URL_IS_CHOSEN = True


class TestSystemChecks:
    def test_a_sound_installation_has_nothing_to_say(self):
        assert ids() == {}

    def test_e001_the_data_folder_is_not_writable(self, settings: Any, tmp_path: Path):
        (tmp_path / "file").touch()
        settings.DATA_DIR = tmp_path / "file" / "data"
        assert "AGNES_DATA_DIR" in str(ids()["agnes.E001"].hint)

    def test_e002_the_address_is_refused_by_the_server_itself(self, settings: Any):
        settings.AGNES_URL = "https://agnes.example"
        assert "ALLOWED_HOSTS" in str(ids()["agnes.E002"].hint)
        settings.ALLOWED_HOSTS = [".example"]
        assert "agnes.E002" not in ids()

    def test_an_ipv6_address_may_be_the_servers_own(self, settings: Any):
        settings.AGNES_URL, settings.ALLOWED_HOSTS = "http://[::1]:8000", ["[::1]"]
        assert ids() == {}

    def test_w001_the_pepper_is_short(self, settings: Any):
        settings.TOKEN_PEPPER = "x"
        assert "agnes.W001" in ids()
        settings.DEBUG = True
        assert ids() == {}

    def test_w002_others_may_look_into_the_data_folder(self, settings: Any, tmp_path: Path):
        settings.DATA_DIR = tmp_path / "our data"
        settings.DATA_DIR.mkdir()
        (settings.DATA_DIR / "agnes.sqlite3").touch()
        settings.DATA_DIR.chmod(0o750)
        assert ids()["agnes.W002"].hint == f"Close it: `chmod -R go= '{settings.DATA_DIR}'`."
        settings.DATA_DIR.chmod(0o700)
        assert ids() == {}

    def test_w003_a_proxy_that_is_not_counted(self, settings: Any):
        settings.AGNES_URL, settings.ALLOWED_HOSTS = "https://agnes.example", ["agnes.example"]
        assert "AGNES_PROXIES=1" in str(ids()["agnes.W003"].hint)
        settings.PROXIES = 1
        assert ids() == {}

    def test_w004_a_lake_that_other_machines_do_not_see(self, settings: Any, monkeypatch: Any):
        settings.LAKE_URL_IS_CHOSEN = False
        for engine, warned in (("sqlite3", False), ("postgresql", True)):
            monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", f"django.db.backends.{engine}")
            assert ("agnes.W004" in ids()) == warned
        assert settings.LAKE_URL in str(ids()["agnes.W004"].hint)
        settings.LAKE_URL_IS_CHOSEN = True
        assert ids() == {}

    def test_w005_a_short_token_for_metrics(self, settings: Any):
        settings.METRICS_TOKEN = "guessed"
        assert "token_urlsafe" in str(ids()["agnes.W005"].hint)
        settings.METRICS_TOKEN = LONG
        assert ids() == {}

    def test_w006_passwords_in_clear(self, settings: Any):
        settings.AGNES_URL, settings.ALLOWED_HOSTS = "http://agnes.example", ["*"]
        assert "agnes.W006" not in ids()
        assert "TLS" in str(ids(deploy=True)["agnes.W006"].hint)
        settings.AGNES_URL = "http://[::1]:8000"
        assert "agnes.W006" not in ids(deploy=True)

    def test_w007_pages_without_styles(self, settings: Any):
        assert "collectstatic" in str(ids(deploy=True)["agnes.W007"].hint)
        (settings.STATIC_ROOT / "staticfiles.json").touch()
        assert "agnes.W007" not in ids(deploy=True)

    def test_w008_a_provider_without_tls(self, settings: Any):
        settings.OIDC_ISSUER = "http://keycloak.example"
        assert "agnes.W008" in ids()
        for issuer in ("https://keycloak.example", "http://localhost:8080"):
            settings.OIDC_ISSUER = issuer
            assert ids() == {}


def test_every_check_is_documented():
    page = (settings.BASE_DIR / "docs" / "MONITORING.md").read_text()
    code = (settings.BASE_DIR / "agnes" / "checks.py").read_text()
    assert set(re.findall(r"agnes\.[EW]\d{3}", code)) == set(
        re.findall(r"^\| `(agnes\.[EW]\d{3})`", page, re.M)
    )
