"""Object storage that speaks S3: one object a piece, put again under the same key if it must be.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any, ClassVar
from urllib.parse import quote

from msgspec import Struct

from kizuna.feeds import Later, Piece, Place, Taken
from kizuna.feeds.packing import name_of, packed
from kizuna.providers.http import Answer, Call, wait_of
from kizuna.providers.sigv4 import Signer, signed

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z", re.ASCII)


class Settings(Struct, frozen=True):
    """The bucket, and who may write to it. `endpoint` is for storage that is not Amazon's."""

    bucket: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
    endpoint: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        if not _BUCKET.match(self.bucket):
            raise ValueError("`bucket` is a name of 3 to 63 small letters, digits, dots and dashes")
        if self.endpoint and not self.endpoint.startswith(("https://", "http://")):
            raise ValueError("`endpoint` begins with https:// or http://")
        if self.prefix.startswith("/") or not self.prefix.isprintable():
            raise ValueError("`prefix` is like exports/kizuna/")


class ObjectStorage:
    name: ClassVar[str] = "object_storage"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"secret_access_key"})
    gathers: ClassVar[bool] = True

    def made(self) -> dict[str, Any]:
        return {}

    def carry(self, piece: Piece, settings: Settings, place: Place, done: set[str]) -> Taken | Later:
        endpoint = settings.endpoint.rstrip("/") or f"https://s3.{settings.region}.amazonaws.com"
        url = f"{endpoint}/{settings.bucket}/{quote(settings.prefix + name_of(piece), safe='/-_.~')}"
        body = packed(piece)
        headers = {"Content-Type": "application/gzip", "X-Amz-Content-Sha256": hashlib.sha256(body).hexdigest()}
        signer = Signer(settings.access_key_id, settings.secret_access_key, settings.region, "s3")
        answer = place.outside.ask(Call(url, body, signed(signer, "PUT", url, headers, body, time.time()), "PUT"))
        if not isinstance(answer, Answer):
            return Later(answer.reason)
        return Taken() if answer.status == 200 else Later(answer.said, wait_of(answer))


target = ObjectStorage()
