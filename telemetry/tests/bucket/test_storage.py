"""Django's storage in a bucket, on a local server that speaks S3, and on stores that fail."""

import io
import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import IO, Any, cast

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from telemetry.bucket.signing import Credentials, encoded_path, encoded_query, signed
from telemetry.bucket.storage import WHOLE_BYTES, BucketStorage
from telemetry.errors import StorageUnavailable

LARGE = random.Random(1).randbytes(WHOLE_BYTES + 3_000_000)


class NotSeekable:
    """As what comes out of an archive."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._content.read(size)


class TestFiles:
    @pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "large"])
    def test_what_is_written_is_read(self, storage: BucketStorage, bucket: Any, content: bytes):
        assert storage.save("transcripts/1/a.zst", ContentFile(content)) == "transcripts/1/a.zst"
        assert bucket.Object("some/prefix/transcripts/1/a.zst").get()["Body"].read() == content
        with storage.open("transcripts/1/a.zst") as file:
            assert file.read() == content
        assert storage.size("transcripts/1/a.zst") == len(content)
        age = datetime.now(UTC) - storage.get_modified_time("transcripts/1/a.zst")
        assert abs(age) < timedelta(minutes=5)

    def test_a_name_that_is_there_is_written_anew(self, storage: BucketStorage):
        for content in (b"old", b"new"):
            assert storage.save("name", ContentFile(content)) == "name"
        assert storage.open("name").read() == b"new"

    def test_what_can_be_read_once_is_taken_as_well(self, storage: BucketStorage, settings: Any):
        storage.save("name", File(cast(IO[bytes], NotSeekable(LARGE)), name="name"))
        assert storage.open("name").read() == LARGE
        assert list(settings.SPOOL_DIR.rglob("*")) == []

    @pytest.mark.parametrize("content", [LARGE[:1000], LARGE], ids=["small", "large"])
    def test_reading_may_jump(self, storage: BucketStorage, content: bytes):
        storage.save("name", ContentFile(content))
        with storage.open("name") as file:
            assert file.seek(0, os.SEEK_END) == len(content)
            assert file.read(1) == b""
            for position in (700, 10, 800, 0):
                assert file.seek(position) == position
                assert file.read(50) == content[position : position + 50]
            file.seek(-30, os.SEEK_END)
            assert file.read() == content[-30:]

    def test_names_of_all_kinds(self, storage: BucketStorage):
        for name in ("a b/c+d%20e", "ü/ß~x", "store/x=y&z?.zip"):
            storage.save(name, ContentFile(name.encode()))
            assert storage.open(name).read() == name.encode()
            assert storage.listdir(name.split("/")[0]) == ([], [name.split("/")[1]])

    def test_listing(self, storage: BucketStorage, monkeypatch: Any):
        monkeypatch.setattr("telemetry.bucket.client.LISTED_AT_ONCE", 2)
        names = [f"transcripts/1/{number}" for number in range(5)]
        for name in [*names, "transcripts/12/x", "store/y"]:
            storage.save(name, ContentFile(b"x"))
        assert storage.listdir("") == (["store", "transcripts"], [])
        assert storage.listdir("transcripts") == (["1", "12"], [])
        assert storage.listdir("transcripts/1") == ([], [str(number) for number in range(5)])
        assert storage.listdir("nothing") == ([], [])

    def test_deleting(self, storage: BucketStorage):
        storage.save("name", ContentFile(b"x"))
        storage.delete("name")
        storage.delete("name")
        assert not storage.exists("name")

    @pytest.mark.parametrize("act", ["open", "size", "get_modified_time"])
    def test_a_missing_file_is_told_as_a_folder_tells_it(self, storage: BucketStorage, act: str):
        with pytest.raises(FileNotFoundError):
            getattr(storage, act)("missing")

    def test_threads_share_it(self, storage: BucketStorage):
        storage.save("name", ContentFile(LARGE))
        read: list[bool] = []
        threads = [
            threading.Thread(target=lambda: read.append(storage.open("name").read() == LARGE))
            for _ in "12345"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert read == [True] * 5

    def test_a_forked_process_has_its_own_connections(self, storage: BucketStorage):
        storage.save("name", ContentFile(b"x"))
        child = os.fork()
        if not child:
            os._exit(0 if all(storage.open("name").read() == b"x" for _ in range(20)) else 1)
        assert all(storage.open("name").read() == b"x" for _ in range(20))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


ACTS: dict[str, Callable[[], Any]] = {
    "save": lambda: default_storage.save("name", ContentFile(b"x")),
    "open": lambda: default_storage.open("name"),
    "exists": lambda: default_storage.exists("name"),
    "delete": lambda: default_storage.delete("name"),
    "listdir": lambda: default_storage.listdir("name"),
}


class TestTrouble:
    @pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
    def test_a_store_that_does_not_answer(self, unreachable: None, act: Callable[[], Any]):
        with pytest.raises(StorageUnavailable, match=r"cannot be reached.*refused") as told:
            act()
        assert isinstance(told.value, OSError)
        assert "AGNES_STORAGE_URL" in told.value.hint

    @pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
    def test_a_bucket_that_is_missing_is_no_missing_file(self, bucket: Any, act: Callable[[], Any]):
        """Otherwise all that lies there would be called lost."""
        bucket.objects.all().delete()
        bucket.delete()
        with pytest.raises(StorageUnavailable, match="404 NoSuchBucket"):
            act()

    @pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
    def test_a_store_that_refuses(self, faulty: Any, act: Callable[[], Any]):
        faulty(lambda handler: handler.send_error(403))
        with pytest.raises(StorageUnavailable, match="the store answers 403"):
            act()

    def test_a_busy_store_is_asked_again(self, faulty: Any):
        asked: list[str] = []

        def answer(handler: Any) -> None:
            asked.append(handler.command)
            handler.send_response(503 if len(asked) < 3 else 200)
            handler.send_header("content-length", "0")
            handler.end_headers()

        faulty(answer)
        default_storage.save("name", ContentFile(b"x"))
        assert asked == ["PUT"] * 3

    def test_a_store_that_stays_busy_is_given_up(self, faulty: Any):
        faulty(lambda handler: handler.send_error(503))
        with pytest.raises(StorageUnavailable, match="503"):
            default_storage.delete("name")

    @pytest.mark.parametrize("promised", [100, 6], ids=["cut short", "no XML"])
    def test_a_list_that_cannot_be_read(self, faulty: Any, promised: int):
        def answer(handler: Any) -> None:
            handler.send_response(200)
            handler.send_header("content-length", str(promised))
            handler.end_headers()
            handler.wfile.write(b"<Lists")

        faulty(answer)
        with pytest.raises(StorageUnavailable):
            default_storage.listdir("name")

    def test_a_store_that_cannot_begin_in_the_middle(self, faulty: Any):
        """Its first bytes are not taken for those that are asked for."""

        def answer(handler: Any) -> None:
            handler.send_response(200)
            handler.send_header("content-length", str(len(LARGE)))
            handler.end_headers()
            handler.wfile.write(LARGE)

        faulty(answer)
        with default_storage.open("name") as file:
            file.seek(WHOLE_BYTES)
            with pytest.raises(StorageUnavailable, match="from the beginning only"):
                file.read()

    def test_reading_goes_on_where_the_connection_broke(self, faulty: Any):
        ranges: list[str | None] = []

        def answer(handler: Any) -> None:
            """Half of what it promises."""
            asked = handler.headers.get("range")
            ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            rest = LARGE[start:]
            handler.send_response(206 if asked else 200)
            handler.send_header("content-length", str(len(rest)))
            handler.end_headers()
            handler.wfile.write(rest[: max(len(rest) // 2, 1_000_000)])

        faulty(answer)
        with default_storage.open("name") as file:
            assert file.read() == LARGE
        assert len(ranges) > 2
        assert len(set(ranges)) == len(ranges)

    def test_what_always_ends_too_early_is_given_up(self, faulty: Any):
        def answer(handler: Any) -> None:
            handler.send_response(206 if handler.headers.get("range") else 200)
            handler.send_header("content-length", str(len(LARGE)))
            handler.end_headers()

        faulty(answer)
        with default_storage.open("name") as file, pytest.raises(StorageUnavailable):
            file.read()


class TestSignature:
    """Each is that of Amazon's own library."""

    @pytest.mark.parametrize(
        ("method", "path", "query", "body"),
        [
            ("GET", "/bucket/plain", {}, b""),
            ("PUT", "/bucket/a b/c+d%20e/ü~ß", {}, b"content"),
            ("GET", "/bucket", {"prefix": "a b/ü+/", "list-type": "2", "delimiter": "/"}, b""),
            ("DELETE", "/bucket/x=y&z?", {}, b""),
        ],
    )
    def test_it_is_right(self, method: str, path: str, query: dict[str, str], body: bytes, monkeypatch: Any):
        import hashlib

        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials as TheirCredentials

        at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
        url = f"http://store.example:9000{encoded_path(path)}"
        theirs: Any = AWSRequest(method, f"{url}?{encoded_query(query)}" if query else url, data=body)
        theirs.context["payload_signing_enabled"] = True
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *args, **kwargs: at)
        S3SigV4Auth(TheirCredentials("key", "secret/+"), "s3", "eu-west-1").add_auth(theirs)
        ours = signed(
            Credentials("key", "secret/+", "eu-west-1"),
            method,
            encoded_path(path),
            encoded_query(query),
            {"host": "store.example:9000"},
            sha256=hashlib.sha256(body).hexdigest(),
            at=at,
        )
        assert ours["authorization"] == theirs.headers["Authorization"]
        assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]

    def test_the_secret_is_not_shown(self):
        assert "hush" not in repr(Credentials("key", "hush", "us-east-1"))
