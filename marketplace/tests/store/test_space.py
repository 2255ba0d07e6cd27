"""What an upload takes on the disk, beside what is kept of it."""

import os
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from marketplace.guardrails import limits
from marketplace.tests.store.conftest import Person, skill
from telemetry.files.storage import DurableFileSystemStorage

MB = 1_000_000
pytestmark = pytest.mark.django_db
NOISE = random.Random(1).randbytes(MB)


def bytes_on_disk() -> int:
    """In the data folder, and in files without a name that this process has open."""
    named = sum(path.stat().st_size for path in Path(settings.DATA_DIR).rglob("*") if path.is_file())
    return named + sum(nameless())


def nameless() -> list[int]:
    sizes = []
    for path in Path("/proc/self/fd").glob("*"):
        try:
            target, status = os.readlink(path), path.stat()
        except OSError:
            continue
        if "(deleted)" in target and target.startswith(tempfile.gettempdir()):
            sizes.append(status.st_size)
    return sizes


class MeasuringStorage(DurableFileSystemStorage):
    """Saving is when an upload takes the most: all of it is there, and nothing is tidied up yet."""

    measured = 0

    def _save(self, name: str, content: Any) -> str:
        name = super()._save(name, content)
        type(self).measured = bytes_on_disk()
        return name


@pytest.fixture
def measuring(settings: Any) -> type[MeasuringStorage]:
    default = {**settings.STORAGES["default"], "BACKEND": f"{__name__}.MeasuringStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    MeasuringStorage.measured = 0
    return MeasuringStorage


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="This system does not list open files.")
def test_an_upload_lies_on_the_disk_once_and_its_pack_once(as_bob: Person, measuring: Any):
    before = bytes_on_disk()
    assert as_bob.upload({**skill("noisy"), "noise.bin": NOISE}).status_code == 201
    assert 2 * MB < measuring.measured - before < 2.1 * MB


def test_the_largest_upload_and_the_largest_pack_are_less_than_100_mb():
    """The child that packs cannot write a larger file than UNPACKED_BYTES."""
    assert limits.UPLOAD_BYTES + limits.UNPACKED_BYTES < 100 * MB
