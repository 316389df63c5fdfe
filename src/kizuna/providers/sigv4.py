"""Signatures of requests to AWS, version 4. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import Struct

ALGORITHM = "AWS4-HMAC-SHA256"
DOMAINS = {"cn": "amazonaws.com.cn", "eusc": "amazonaws.eu"}  # of regions that begin so; else amazonaws.com


class Signer(Struct, frozen=True):
    """Who signs, and for which service where."""

    key: str
    secret: str
    region: str
    service: str


def endpoint(service: str, region: str) -> str:
    """Where a service answers in a region."""
    return f"https://{service}.{region}.{DOMAINS.get(region.partition('-')[0], 'amazonaws.com')}"


def signed(
    signer: Signer, method: str, url: str, headers: Mapping[str, str], body: bytes, now: float
) -> dict[str, str]:
    """The headers with `Host`, `X-Amz-Date` and `Authorization`; all but the last are signed. No query in `url`."""
    parts = urlsplit(url)
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    given = {"Host": parts.netloc, **headers, "X-Amz-Date": stamp}
    lower = dict(sorted((name.lower(), " ".join(value.split())) for name, value in given.items()))
    names = ";".join(lower)
    request = "\n".join(
        (method, parts.path or "/", "", *(f"{name}:{value}" for name, value in lower.items()), "", names, _hash(body))
    )
    scope = f"{stamp[:8]}/{signer.region}/{signer.service}/aws4_request"
    key = f"AWS4{signer.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    content = "\n".join((ALGORITHM, stamp, scope, _hash(request.encode())))
    signature = hmac.digest(key, content.encode(), "sha256").hex()
    credential = f"Credential={signer.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**given, "Authorization": f"{ALGORITHM} {credential}"}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
