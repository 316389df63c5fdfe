"""Records: a section that asks to be woken is never left asleep in its bytes."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from msgspec import field

from kizuna.engine.record import Codec, Section, StoredRecord, decoder_of, encode_section


class Sleeper(Section):
    seen: int = 0
    names: dict[str, int] = field(default_factory=dict)


CODEC = Codec({"one": Sleeper, "two": Sleeper})


def read(*sections: Section | None) -> dict[str, object]:
    bodies = tuple(None if each is None else encode_section(each) for each in sections)
    return CODEC.read(StoredRecord(bytes(16), 0, 1, 1, 0, bodies)).sections


def test_a_section_with_a_timer_is_awake_whatever_its_value() -> None:
    chance = random.Random(5)
    instants = [1, 127, 128, 255, 256, 65_535, 65_536, 1 << 32, 256 << 40, 1_795_000_000_000_000]
    instants += [chance.randrange(1, 1 << chance.randrange(1, 54)) for _ in range(3_000)]
    instants += [value << 8 for value in instants[:200]]  # ending in a zero byte
    for at in instants:
        assert "one" in read(Sleeper(wake_at=at), Sleeper()), at


def test_a_section_without_a_timer_stays_as_bytes_until_it_is_asked_for() -> None:
    sections = read(Sleeper(seen=1 << 40), None)
    assert not sections
    assert sections["one"].seen == 1 << 40  # type: ignore[attr-defined]
    assert sections["two"] == Sleeper()


class Before(Section):
    """`Sleeper` as an older Kizuna knew it."""

    seen: int = 0


def test_a_section_written_before_a_field_came_keeps_its_timer() -> None:
    for at in (0, 5, 1 << 8, 1_795_000_000_000_000):
        assert decoder_of(Sleeper)(encode_section(Before(seen=7, wake_at=at))) == Sleeper(seen=7, wake_at=at)
        assert decoder_of(Sleeper)(encode_section(Section(wake_at=at))) == Sleeper(wake_at=at)
        assert ("one" in read(Before(wake_at=at), None)) == bool(at)


def wide(fields: int) -> type[Section]:
    kind: Any = msgspec.defstruct("Wide", [(f"field{n}", int, n) for n in range(fields)], bases=(Section,))
    return kind


def test_a_section_of_many_fields_is_known_by_their_number() -> None:
    kind = wide(20)
    for older in (20, 18, 15, 14, 3):
        assert decoder_of(kind)(encode_section(wide(older)(wake_at=9))) == kind(wake_at=9)
