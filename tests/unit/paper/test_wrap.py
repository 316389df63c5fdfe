from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kizuna.paper.wrap import height, lay_out


def measure(text: str, size: float) -> float:
    """Each sign is as wide as it is high."""
    return len(text) * size


def lines(text: str, room: int) -> list[str]:
    return [line.text for line in lay_out(text, room, 1, measure)]


def test_words_stay_whole() -> None:
    assert lines("one two three", 7) == ["one two", "three"]
    assert lines("incomprehensible", 6) == ["incomp", "rehens", "ible"]


def test_japanese_breaks_anywhere_but_not_before_a_full_stop() -> None:
    assert lines("あいうえお", 3) == ["あいう", "えお"]
    assert lines("あいう。え", 3) == ["あい", "う。え"]
    assert lines("あい「うえ」お", 3) == ["あい", "「う", "え」お"]


def test_paragraphs_headings_and_items() -> None:
    laid = lay_out("# Big\n\nfirst\n\n- item", 100, 10, measure)
    assert [(line.text, line.size > 10, line.indent) for line in laid] == [
        ("Big", True, 0), ("first", False, 0), ("• item", False, 10)
    ]  # fmt: skip
    assert laid[1].before > 0
    assert height(laid) > sum(line.size for line in laid)


@given(st.text(alphabet="aé 、。「」あ漢-", max_size=60), st.integers(4, 12))
def test_nothing_is_lost_and_nothing_is_wider(text: str, room: int) -> None:
    said = " ".join(text.split())
    laid = lay_out(f"x{said}", room, 1, measure)
    assert "".join(line.text for line in laid).replace(" ", "") == f"x{said}".replace(" ", "")
    assert all(measure(line.text, line.size) <= room for line in laid)


def test_a_word_without_end_takes_no_longer_than_many_words() -> None:
    """Each sign is looked at for its own line alone: counted, for time tells nothing on a busy machine."""
    looked = 0

    def counting(text: str, size: float) -> float:
        nonlocal looked
        looked += len(text)
        return len(text) * size

    for sign in "x。「":
        looked = 0
        assert len(lay_out(sign * 20_000, 20, 1, counting)) == 1_000
        assert looked < 100_000
