"""Signatures of requests to S3: "AWS Signature Version 4", as Amazon's S3 API reference describes it.

Knows no Django.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
# All but what the reference calls unreserved is percent-encoded.
UNRESERVED = "-_.~"
SHA256_OF_NOTHING = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class Credentials:
    key_id: str
    secret: str = field(repr=False)
    region: str


def encoded_path(path: str) -> str:
    return quote(path, safe=f"/{UNRESERVED}")


def encoded_query(query: Mapping[str, str]) -> str:
    """In the order that is signed."""
    encode = [(quote(name, safe=UNRESERVED), quote(value, safe=UNRESERVED)) for name, value in query.items()]
    return "&".join(f"{name}={value}" for name, value in sorted(encode))


def signed(
    credentials: Credentials,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    *,
    sha256: str,
    at: datetime,
) -> dict[str, str]:
    """The headers with those that sign them.

    `path` and `query` are encoded as above, `headers` has `host`, all names are in small letters, `sha256` is
    that of the body, and `at` is the time in UTC.
    """
    moment = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{credentials.region}/s3/aws4_request"
    all_headers = {**headers, "x-amz-content-sha256": sha256, "x-amz-date": moment}
    names = ";".join(sorted(all_headers))
    lines = "".join(f"{name}:{all_headers[name].strip()}\n" for name in sorted(all_headers))
    request = "\n".join((method, path, query, lines, names, sha256))
    to_sign = "\n".join((ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(_key(credentials, moment[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={credentials.key_id}/{scope}"
    authorization = f"{ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"
    return {**all_headers, "authorization": authorization}


def _key(credentials: Credentials, day: str) -> bytes:
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, credentials.region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
