"""How much memory a large upload takes: python -m telemetry.tests.intake.large_upload ENCODING MEGABYTES

Prints by how many MB the peak of this process grew over that of a small upload. A process of its own,
because a peak never falls.
"""

import io
import resource
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import django
import zstandard
from django.core.handlers.wsgi import WSGIHandler

MEGABYTE = 1024 * 1024


def main(encoding: str, megabytes: int) -> None:
    django.setup()
    token = _prepare()
    _upload(token, encoding, _transcript("small", MEGABYTE))
    before = _peak_mb()
    _upload(token, encoding, _transcript("large", megabytes * MEGABYTE))
    print(_peak_mb() - before)


def _prepare() -> str:
    from django.core.management import call_command

    from accounts import tokens
    from accounts.models import Scope, User

    call_command("migrate", verbosity=0)
    person = User.objects.create_user("bob@example.com")
    return tokens.issue(person, name="test", scopes=[Scope.UPLOAD])[1]


def _transcript(session_id: str, size: int) -> Iterator[bytes]:
    """As dense as real ones: about 300 lines in a megabyte."""
    from telemetry.tests.builders import transcript_bytes, user_line

    made = 0
    while made < size:
        raw = transcript_bytes([user_line("x" * 3000, sessionId=session_id) for _ in range(100)])
        made += len(raw)
        yield raw


def _upload(token: str, encoding: str, chunks: Iterator[bytes]) -> None:
    """Through the web server's door; the body is made while it is read and has no declared length."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/upload/sessions",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_CONTENT_ENCODING": encoding,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": _Body(_compressed(chunks, encoding)),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
    statuses: list[str] = []

    def start_response(status: str, *rest: Any) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda content: None

    content = b"".join(WSGIHandler()(environ, start_response))
    assert statuses[0].startswith("201"), content


def _compressed(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "identity":
        yield from chunks
        return
    compressor = (
        zstandard.ZstdCompressor().compressobj() if encoding == "zstd" else zlib.compressobj(wbits=31)
    )
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()


class _Body(io.BufferedIOBase):
    """A stream of which the server reads as much as it asks for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size
        while len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
