"""Records: a section that asks to be woken is never left asleep in its bytes."""

from __future__ import annotations

import random

from msgspec import field

from kizuna.engine.record import Codec, Section, StoredRecord, encode_section


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
