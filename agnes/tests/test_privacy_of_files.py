"""What Agnes writes is its own user's alone, whatever umask it was started with."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from agnes import env
from agnes.tests.server import environment_without_agnes


@pytest.fixture
def _careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def run(data: Path, *command: str) -> str:
    environment = {**environment_without_agnes(), "AGNES_DATA_DIR": str(data)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=environment,
        umask=0o022,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


class TestPrivacyOfFiles:
    def test_what_a_command_makes(self, tmp_path: Path):
        data = tmp_path / "fresh"
        run(data, "manage.py", "showmigrations", "accounts")
        assert {path.name for path in data.iterdir()} >= {"agnes.sqlite3", "secret_key", "token_pepper"}
        assert open_to_others(data) == []

    def test_an_empty_folder_made_beforehand_is_closed(self, tmp_path: Path):
        data = tmp_path / "made"
        data.mkdir()
        data.chmod(0o755)
        assert "W002" not in run(data, "manage.py", "check")
        assert open_to_others(data) == []

    def test_a_folder_that_holds_something_is_left_as_it_is(self, tmp_path: Path):
        (tmp_path / "file").touch()
        tmp_path.chmod(0o755)
        assert "W002" in run(tmp_path, "manage.py", "check")
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755

    def test_what_the_web_server_makes(self, tmp_path: Path):
        data = tmp_path / "fresh"
        write = "import agnes.wsgi; from django.conf import settings; (settings.DATA_DIR / 'new').touch()"
        run(data, "-c", write)
        assert (data / "new").exists()
        assert open_to_others(data) == []

    @pytest.mark.usefixtures("_careless_umask")
    def test_a_secret_is_never_open_not_even_for_a_moment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(path: Path, mode: int) -> None:
            raise AssertionError("It was made with other rights than it should have.")

        monkeypatch.setattr(Path, "chmod", refuse)
        monkeypatch.delenv("SECRET_KEY", raising=False)
        folder = tmp_path / "fresh"
        made = env.secret("SECRET_KEY", folder=folder, required=False)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
        assert env.secret("SECRET_KEY", folder=folder, required=False) == made
        assert [path.name for path in folder.iterdir()] == ["secret_key"]
