"""The backup file: a compressed tar whose last member lists all others with their hashes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

import msgspec
from msgspec import Struct

from kizuna.core.errors import Invalid

FORMAT = 1
LAST = "manifest.json"
PIECE = 1 << 20  # bytes read at once
LEVEL = 1  # the lake is compressed already, and the rest is mostly text

_DAMAGED = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, msgspec.MsgspecError, UnicodeDecodeError)


class Member(Struct, frozen=True, array_like=True):
    name: str
    size: int
    hash: str  # sha256


class Held(Struct, frozen=True):
    """What the copied lake of one workspace holds."""

    workspace: int
    offsets: dict[int, int]  # the newest log row, by partition


class Manifest(Struct, frozen=True, kw_only=True):
    """What the file says of itself, at its end: a file without it is not whole."""

    format: int
    kizuna: str
    schema: str  # the revision of the database
    taken_at: int
    tables: dict[str, list[str]]  # columns, in the order of the copied rows
    sequences: dict[str, tuple[int, bool]]  # last value, whether it was given out
    lakes: list[Held]
    has_secret: bool  # KIZUNA_SECRET was set: it is not in the file
    members: list[Member] = []


class Writer:
    """Writes members one after the other, to anything that takes bytes."""

    def __init__(self, out: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=LEVEL)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  # in `close`
        self.members: list[Member] = []

    def add(self, name: str, body: bytes) -> None:
        self._put(name, len(body), io.BytesIO(body))

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self._put(name, path.stat().st_size, file)

    def close(self, manifest: Manifest) -> None:
        """End the file with what it holds."""
        self.add(LAST, msgspec.json.encode(msgspec.structs.replace(manifest, members=list(self.members))))
        self._tar.close()
        self._gzip.close()

    def _put(self, name: str, size: int, body: IO[bytes]) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        hashed = Hashed(body)
        self._tar.addfile(info, cast("IO[bytes]", hashed))
        self.members.append(Member(name, size, hashed.hash))


class Hashed:
    """A stream that knows the hash of what was read from it."""

    def __init__(self, body: IO[bytes]) -> None:
        self._body = body
        self._hash = sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        found = self._body.read(size)
        self._hash.update(found)
        self.size += len(found)
        return found

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        while piece := self.read(PIECE):
            yield piece


def verify(path: Path) -> Manifest:
    """Read the whole file; raises `Invalid` in one line when a byte of it is missing or another one."""
    seen: list[Member] = []
    manifest: Manifest | None = None
    try:
        for name, body in _members(path):
            if manifest is not None:
                raise Invalid(f"{path} has something behind its end: it was changed since it was made")
            if name == LAST:
                manifest = msgspec.json.decode(b"".join(body.pieces()), type=Manifest)
                continue
            for _ in body.pieces():
                pass
            seen.append(Member(name, body.size, body.hash))
    except _DAMAGED as error:
        raise Invalid(f"{path} is no whole backup: it was cut short or changed ({_first_line(error)})") from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}") from None
    if manifest is None:
        raise Invalid(f"{path} is no whole backup: its end is missing")
    if manifest.format != FORMAT:
        raise Invalid(f"{path} has format {manifest.format}, this Kizuna reads {FORMAT}: install another version")
    if manifest.members != seen:
        raise Invalid(f"{path} does not hold what it says it holds: it was changed since it was made")
    return manifest


def read(path: Path, manifest: Manifest) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Name and body of each member, in order; raises `Invalid` when a body is not what `verify` saw."""
    known = {member.name: member for member in manifest.members}
    for name, body in _members(path):
        if name != LAST:
            yield name, _checked(path, body, known[name])


def _checked(path: Path, body: Hashed, member: Member) -> Iterator[bytes]:
    yield from body.pieces()
    if (body.size, body.hash) != (member.size, member.hash):
        raise Invalid(f"{path} changed while it was read: nothing was restored")


def _members(path: Path) -> Iterator[tuple[str, Hashed]]:
    with gzip.open(path, "rb") as plain:
        with tarfile.open(fileobj=cast("Any", plain), mode="r|") as tar:
            for info in tar:
                body = tar.extractfile(info)
                if body is None or not _is_inside(info.name):
                    raise Invalid(f"{path} holds {info.name!r}, which no backup of ours does")
                yield info.name, Hashed(body)
        while plain.read(PIECE):  # the checksum stands at the very end
            pass


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and not any(part in ("", ".", "..") for part in name.split("/"))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
