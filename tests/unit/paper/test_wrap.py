from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kizuna.paper.wrap import BOLD, PLAIN, height, lay_out


def measure(text: str, size: float) -> float:
    """Each sign is as wide as it is high, a bold one half as wide again."""
    width, sign_width = 0.0, 1.0
    for sign in text:
        if sign in (BOLD, PLAIN):
            sign_width = 1.5 if sign == BOLD else 1.0
        else:
            width += sign_width
    return width * size


def lines(text: str, room: int) -> list[str]:
    return [line.text for line in lay_out(text, room, 1, measure)]


def shown(text: str, room: int) -> list[str]:
    """Lines with `<` and `>` where bold begins and ends."""
    return [line.replace(BOLD, "<").replace(PLAIN, ">") for line in lines(text, room)]


def test_bold_words_are_wider_and_stay_bold_on_the_next_line() -> None:
    assert shown("a **b** c", 9) == ["a <b> c"]
    assert shown("aa **bb cc** dd", 6) == ["aa <bb", "<cc> dd"]
    assert shown("**abcdefgh** i", 6) == ["<abcd", "<efgh>", "i"]
    assert shown("あい**うえ**。お", 5) == ["あい<う", "<え>。お"]
    assert shown("**あ**。", 2) == ["<あ>", "。"]


def test_stars_that_enclose_nothing_are_stars() -> None:
    for text in ("2 ** 3 ** 4", "**", "****", "a**b", "** a **", "*a*"):
        assert shown(text, 99) == [text]
    assert shown("x\x02y", 99) == ["xy"]


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


@given(st.text(alphabet="aé 、。「」あ漢-*", max_size=60), st.integers(4, 12))
def test_nothing_is_lost_and_nothing_is_wider(text: str, room: int) -> None:
    said = " ".join(text.split())
    laid = lay_out(f"x{said}", room, 1, measure)
    signs = "".join(line.text for line in laid).translate({ord(BOLD): None, ord(PLAIN): None})
    assert signs.replace(" ", "").replace("*", "") == f"x{said}".replace(" ", "").replace("*", "")
    assert all(measure(line.text, line.size) <= room for line in laid)


@given(st.text(alphabet="aé 、。「」あ漢-", max_size=40), st.integers(4, 12))
def test_all_of_a_bold_paragraph_is_bold(text: str, room: int) -> None:
    laid = lay_out(f"**x{' '.join(text.split())}x**", room, 1, measure)
    assert all(line.text.startswith(BOLD) and PLAIN not in line.text.rstrip(PLAIN) for line in laid)


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
