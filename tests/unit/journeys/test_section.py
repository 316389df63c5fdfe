from __future__ import annotations

import msgspec

from kizuna.engine.record import encode_section
from kizuna.journeys.run import Run
from kizuna.journeys.section import Ended, Journeys, Watched


def test_a_section_comes_back_as_it_was_written() -> None:
    section = Journeys(
        wake_at=5,
        open=[Run(id=b"r" * 16, journey="j", version=2, entered_at=1, began=1, data=b'{"price": 1.50}', sent={"m": 2})],
        ended=[Ended("j", "k", b"r" * 16, 1, "s", 1, 2, "goal")],
        watched=[Watched(b"r" * 16, "j", 1, "", "s", 1, 2)],
    )
    again = msgspec.msgpack.decode(encode_section(section), type=Journeys)
    assert encode_section(again) == encode_section(section)
    assert again.open[0].data == b'{"price": 1.50}'


def test_the_later_entry_of_a_key_is_remembered() -> None:
    section = Journeys()
    for entered_at in (5, 9, 7):
        section.remember(Ended("j", "k", b"", 1, "s", entered_at, 10, "goal"))
    section.remember(Ended("j", "other", b"", 1, "s", 1, 10, "goal"))
    assert [(each.key, each.entered_at) for each in section.ended] == [("k", 9), ("other", 1)]
