from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.edge.settle import read_position, read_wait


def test_positions_are_read_as_written() -> None:
    assert read_position("42") == 42
    for text in ("", "-1", "1.5", "٣", "9" * 19, "abc"):
        with pytest.raises(Invalid):
            read_position(text)


def test_a_wait_is_a_duration_of_at_most_a_minute() -> None:
    assert read_wait(None) == 5.0
    assert read_wait("2s") == 2.0
    assert read_wait("1h") == 60.0
    for text in ("1mo", "soon", "5"):
        with pytest.raises(Invalid):
            read_wait(text)
