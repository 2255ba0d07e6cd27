"""What people do meanwhile: upload until it is acknowledged, and ask for the rest again and again."""

import io
import time
import zipfile
from contextlib import suppress

import httpx

from agnes.tests.chaos.world import Cast, Sent

PATIENCE_SECONDS = 180
ACKNOWLEDGED = {200, 201}
TIMEOUT_SECONDS = 20


class Clients:
    def __init__(self, cast: Cast, url: str) -> None:
        self.cast = cast
        # One for all threads: to make one takes longer than to upload.
        self.client = httpx.Client(base_url=f"{url}/api/", verify=False, timeout=TIMEOUT_SECONDS)

    def are_answered(self) -> bool:
        """Whether the web server does."""
        try:
            self.client.get("../livez")
        except httpx.TransportError:
            return False
        return True

    def upload(self, sent: Sent) -> None:
        """As a client does: again and again until it is acknowledged."""
        owner = self.cast.uploaders[sent.whose]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = self._ask("POST", "upload/sessions", owner.pk, content=sent.content)
                if answer.status_code in ACKNOWLEDGED:
                    return
            time.sleep(0.2)
        raise TimeoutError(f"{sent.session_id} was never acknowledged")

    def provoke(self, family: str) -> None:
        """Have the server do what it may die of. What it answers, if it does, is not asked."""
        person = self.cast.uploaders[0].pk
        method, path = {
            "prune": ("POST", "admin/usage/prune"),
            "reprocess": ("POST", "admin/usage/reprocess"),
            "zip": ("GET", f"admin/users/{person}/sessions/download-all"),
            "export": ("GET", "admin/usage/export"),
        }[family]
        with suppress(httpx.TransportError):
            self._ask(method, path, self.cast.alice.pk)

    def zip_of(self, whose: int) -> dict[str, bytes]:
        """The files in the zip of all of a person's transcripts, by name."""
        path = f"admin/users/{self.cast.uploaders[whose].pk}/sessions/download-all"
        answer = self._ask("GET", path, self.cast.alice.pk).raise_for_status()
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def exported_rows(self) -> int:
        answer = self._ask("GET", "admin/usage/export?format=ndjson", self.cast.alice.pk).raise_for_status()
        return len(answer.text.splitlines())

    def _ask(self, method: str, path: str, person: int, content: bytes | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.cast.tokens[person]}"}
        return self.client.request(method, path, headers=headers, content=content)
