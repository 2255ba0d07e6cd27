"""The requests to a bucket that Agnes needs. Knows no Django.

A request that gets no answer, or one that says "later", is sent again, and given up soon: whoever waits for
it is told, and processing tries again by itself.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import sleep
from typing import IO
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx

from telemetry.bucket.signing import SHA256_OF_NOTHING, Credentials, encoded_path, encoded_query, signed
from telemetry.errors import StorageUnavailable

# In seconds, of each step of a request. A store answers a put when all of it is on its disks.
TIMEOUT = httpx.Timeout(connect=5, read=60, write=20, pool=30)
# How long to wait before each further try, in seconds.
PAUSES = (0.2, 1.0)
TRANSIENT = {408, 429, 500, 502, 503, 504}
LISTED_AT_ONCE = 1000


@dataclass(frozen=True)
class Stat:
    """`size` in bytes."""

    size: int
    modified_at: datetime


@dataclass(frozen=True)
class Listing:
    """The names right below a folder."""

    folders: list[str]
    files: list[str]


class Bucket:
    """One bucket, and in it what is below `prefix`. Any number of threads may use it.

    Every method raises StorageUnavailable where the store does not answer, or refuses; those that need an
    object raise FileNotFoundError where there is none.
    """

    def __init__(self, url: str, credentials: Credentials, endpoint: str = "") -> None:
        """`url` as in s3://bucket/prefix; `endpoint` is the store's address, Amazon's if it is empty."""
        place = urlsplit(url)
        self._bucket = place.netloc
        self._prefix = f"{place.path.strip('/')}/".lstrip("/")
        self._endpoint = (endpoint or f"https://s3.{credentials.region}.amazonaws.com").rstrip("/")
        self._credentials = credentials
        self._client: tuple[int, httpx.Client] | None = None

    def put(self, key: str, content: IO[bytes], *, size: int, sha256: str) -> None:
        """All of `content`, a file on disk: it appears as a whole, or not at all. The store compares it with
        `sha256`."""
        with closing(self._request("PUT", key, content=content, size=size, sha256=sha256)) as response:
            self._require_success(response, key)

    def get(self, key: str, start: int = 0) -> httpx.Response:
        """Its bytes from `start` on, not yet read; the caller closes it."""
        response = self._request("GET", key, headers={"range": f"bytes={start}-"} if start else {})
        try:
            self._require_success(response, key)
            if start and response.status_code != HTTPStatus.PARTIAL_CONTENT:
                raise StorageUnavailable("the store gives a file from the beginning only")
        except BaseException:
            response.close()
            raise
        return response

    def stat(self, key: str) -> Stat:
        with closing(self._request("HEAD", key)) as response:
            if response.status_code == HTTPStatus.NOT_FOUND:
                # This answer does not say whether the object is missing, or the whole bucket.
                self.require_reachable()
            self._require_success(response, key)
            modified_at = parsedate_to_datetime(response.headers["last-modified"])
            return Stat(int(response.headers["content-length"]), modified_at)

    def delete(self, key: str) -> None:
        """Also where there is none."""
        with closing(self._request("DELETE", key)) as response:
            self._require_success(response, key)

    def list(self, folder: str) -> Listing:
        """Nothing, where there is no such folder."""
        prefix = f"{self._prefix}{folder.strip('/')}/" if folder.strip("/") else self._prefix
        listing = Listing([], [])
        for page in self._pages(prefix):
            for element in page.iter():
                name = _text(element, "Prefix" if _tag(element) == "CommonPrefixes" else "Key")
                if _tag(element) == "CommonPrefixes":
                    listing.folders.append(name.removeprefix(prefix).rstrip("/"))
                elif _tag(element) == "Contents" and name != prefix:
                    listing.files.append(name.removeprefix(prefix))
        return listing

    def require_reachable(self) -> None:
        """One cheap request, which needs the right to list."""
        next(self._pages(self._prefix, most=1))

    def _pages(self, prefix: str, most: int | None = None) -> Iterator[ElementTree.Element]:
        query = {
            "list-type": "2",
            "prefix": prefix,
            "delimiter": "/",
            "max-keys": str(most or LISTED_AT_ONCE),
        }
        while True:
            with closing(self._request("GET", None, query=query)) as response:
                self._require_success(response, prefix)
                page = _page(response)
            yield page
            further = _text(page, "NextContinuationToken")
            if not further:
                return
            query["continuation-token"] = further

    def _request(
        self,
        method: str,
        key: str | None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: IO[bytes] | None = None,
        size: int = 0,
        sha256: str = SHA256_OF_NOTHING,
    ) -> httpx.Response:
        """The answer, of which the body is not read. `key` None: the bucket itself."""
        path = encoded_path(f"/{self._bucket}" + ("" if key is None else f"/{self._prefix}{key}"))
        encoded = encoded_query(query or {})
        base = urlsplit(self._endpoint)
        plain = {"host": base.netloc, "accept-encoding": "identity", **(headers or {})}
        if content is not None:
            plain["content-length"] = str(size)
        for pause in (*PAUSES, None):
            if content is not None:
                content.seek(0)
            all_headers = signed(
                self._credentials, method, path, encoded, plain, sha256=sha256, at=datetime.now(UTC)
            )
            url = f"{self._endpoint}{path}" + (f"?{encoded}" if encoded else "")
            request = httpx.Request(
                method, url, headers=all_headers, content=content, extensions={"timeout": TIMEOUT.as_dict()}
            )
            try:
                response = self._connected().send(request, stream=True)
            except httpx.TransportError as error:
                if pause is None:
                    raise StorageUnavailable(f"{error or type(error).__name__}") from error
            else:
                if pause is None or response.status_code not in TRANSIENT:
                    return response
                response.close()
            sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _connected(self) -> httpx.Client:
        """Connections must not be shared with a process that this one was forked from."""
        if self._client is None or self._client[0] != os.getpid():
            self._client = (os.getpid(), httpx.Client(timeout=TIMEOUT))
        return self._client[1]

    def _require_success(self, response: httpx.Response, key: str) -> None:
        if response.is_success:
            return
        code = _error_code(response)
        if response.status_code == HTTPStatus.NOT_FOUND and code != "NoSuchBucket":
            raise FileNotFoundError(f"There is no {key} in the bucket.")
        raise StorageUnavailable(f"the store answers {response.status_code} {code}".strip())


def _page(response: httpx.Response) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(response.read())
    except (ElementTree.ParseError, httpx.TransportError) as error:
        raise StorageUnavailable(f"the store's list cannot be read: {error}") from error


def _error_code(response: httpx.Response) -> str:
    """The store's word for it, '' where it says none."""
    try:
        return _text(ElementTree.fromstring(response.read()), "Code")
    except (ElementTree.ParseError, httpx.TransportError):
        return ""


def _tag(element: ElementTree.Element) -> str:
    """Without the namespace, which not all stores write."""
    return element.tag.rpartition("}")[2]


def _text(element: ElementTree.Element, name: str) -> str:
    """That of its child with this name, '' where there is none."""
    return next((child.text or "" for child in element if _tag(child) == name), "")
