"""A customer's record: sections by slice, decoded when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

encode_section: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode


class Section(Struct, array_like=True, kw_only=True):
    """A slice's part of a record. `wake_at` is the earliest instant at which it asks to be woken; 0 is never."""

    wake_at: int = 0


S = TypeVar("S", bound=Section)


class StoredRecord(Struct, frozen=True, array_like=True):
    """A record as the state keeps it; `sections` are in the order of the folds, None where a slice has nothing."""

    id: bytes
    partition: int
    created_at: int
    seen_at: int
    alarm: int
    sections: tuple[bytes | None, ...]


class Sections(dict[str, Any]):
    """Sections by slice name. What was not asked for stays as bytes: most events concern few slices."""

    __slots__ = ("_codec", "_raw")

    def __init__(self, codec: Codec, raw: dict[str, bytes]) -> None:
        super().__init__()
        self._codec = codec
        self._raw = raw

    def __missing__(self, name: str) -> Any:
        raw = self._raw.pop(name, None)
        made = self[name] = self._codec.kinds[name]() if raw is None else self._codec.decoders[name](raw)
        return made


class Record:
    """A customer: sections by slice name, owned by one batch at a time."""

    __slots__ = (
        "alarm", "created_at", "id", "is_new", "partition", "program", "sections", "seen_at", "stored", "touched",
        "wake_at",
    )  # fmt: skip

    def __init__(self, profile: bytes, partition: int, sections: dict[str, Any], *, is_new: bool) -> None:
        self.id = profile
        self.partition = partition
        self.sections = sections
        self.is_new = is_new
        self.touched: set[str] = set()
        self.created_at = 0
        self.seen_at = 0  # the latest event time of what the customer did
        self.wake_at = 0
        self.alarm = 0  # what the state keeps of `wake_at`: never later
        self.stored: tuple[int, int] = (0, 0)  # seen_at and alarm as the state has them
        self.program = 0  # the program version that rules now

    def __getitem__(self, name: str) -> Any:
        return self.sections[name]

    def get(self, name: str) -> Any:
        """A section, asleep or not; None where no slice of that name takes part."""
        try:
            return self.sections[name]
        except KeyError:
            return None

    def touch(self, name: str) -> None:
        """Say that a section changed and must be written."""
        self.touched.add(name)


def decoder_of(kind: type[S]) -> Callable[[bytes], S]:
    """Reads sections as they are written now, and as they were before their newest fields came.

    New fields stand after the others, and `wake_at` last of all: in an older section it is where they are now.
    """
    decode = msgspec.msgpack.Decoder(kind).decode
    fields = len(kind.__struct_fields__)
    begins = msgspec.msgpack.encode([None] * fields)[:-fields]

    def read(body: bytes) -> S:
        if body.startswith(begins):
            return decode(body)
        *known, wake_at = _decode_fields(body)
        section = decode(msgspec.msgpack.encode(known))
        section.wake_at = msgspec.msgpack.decode(wake_at, type=int)
        return section

    return read


_decode_fields = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


class Codec:
    """Turns stored records into live ones; knows the slices' types, nothing of their meaning."""

    def __init__(self, kinds: Mapping[str, type[Section]]) -> None:
        self.kinds = dict(kinds)
        self.decoders: dict[str, Callable[[bytes], Any]] = {name: decoder_of(kind) for name, kind in kinds.items()}

    def fresh(self, profile: bytes, partition: int) -> Record:
        return Record(profile, partition, Sections(self, {}), is_new=True)

    def read(self, stored: StoredRecord) -> Record:
        raw = {name: body for name, body in zip(self.kinds, stored.sections, strict=True) if body is not None}
        sections = Sections(self, raw)
        for name in [name for name, body in raw.items() if not _sleeps(body)]:
            sections[name]  # decodes it: its timer counts
        record = Record(stored.id, stored.partition, sections, is_new=False)
        record.created_at, record.seen_at, record.alarm = stored.created_at, stored.seen_at, stored.alarm
        record.stored = (stored.seen_at, stored.alarm)
        return record


def _sleeps(section: bytes) -> bool:
    """Whether `wake_at`, which stands last, is surely 0; read without decoding. What may be the end of a longer number
    counts as awake."""
    if section[-1] != 0:
        return False
    size = len(section)
    return not any(size > back and section[-back] == mark for back, mark in _LONGER)


_LONGER = ((9, 0xCF), (5, 0xCE), (3, 0xCD), (2, 0xCC))  # where a number of 8, 4, 2 or 1 bytes would begin
