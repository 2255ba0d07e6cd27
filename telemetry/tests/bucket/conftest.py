import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.files.storage import default_storage

from telemetry.bucket.storage import BucketStorage
from telemetry.tests.lake.bucket import BUCKET, S3Server, s3_server

Answer = Callable[[Any], None]


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def store_in(settings: Any, endpoint: str) -> None:
    options = {"url": f"s3://{BUCKET}/some/prefix", "endpoint": endpoint, "key_id": "key", "secret": "secret"}
    storage = {
        "BACKEND": "telemetry.bucket.storage.BucketStorage",
        "OPTIONS": {**options, "region": "us-east-1"},
    }
    settings.STORAGES = {**settings.STORAGES, "default": storage}


@pytest.fixture
def bucket(s3: S3Server, settings: Any) -> Any:
    """An empty one, in which all stored files lie from now on; as boto3 sees it."""
    import boto3

    s3.empty()
    store_in(settings, s3.endpoint)
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    return boto3.resource("s3", endpoint_url=s3.endpoint, region_name="us-east-1", **keys).Bucket(BUCKET)


@pytest.fixture
def unreachable(settings: Any, monkeypatch: Any) -> None:
    """Nobody listens there."""
    monkeypatch.setattr("telemetry.bucket.client.PAUSES", (0.0, 0.0))
    store_in(settings, "http://127.0.0.1:1")


@pytest.fixture
def storage(bucket: Any) -> BucketStorage:
    assert isinstance(default_storage, BucketStorage)
    return default_storage


@pytest.fixture
def faulty(settings: Any, monkeypatch: Any) -> Iterator[Callable[[Answer], None]]:
    """`faulty(answer)`: a store that answers every request with that function of its handler."""
    monkeypatch.setattr("telemetry.bucket.client.PAUSES", (0.0, 0.0))
    servers: list[ThreadingHTTPServer] = []

    def serve(answer: Answer) -> None:
        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                answer(self)

            do_GET = do_PUT = do_HEAD = do_DELETE = handle_any

            def log_message(self, *args: Any) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        store_in(settings, f"http://127.0.0.1:{server.server_port}")

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
