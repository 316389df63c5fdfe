from __future__ import annotations

import pytest

from kizuna.templates.sms_length import GSM_7, UCS_2, Length, length_of, warnings_of


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", Length(1, GSM_7, 0)),
        ("a" * 160, Length(1, GSM_7, 160)),
        ("a" * 161, Length(2, GSM_7, 161)),
        ("a" * 306, Length(2, GSM_7, 306)),
        ("a" * 307, Length(3, GSM_7, 307)),
        ("€" * 80, Length(1, GSM_7, 160)),
        ("€" * 80 + "a", Length(2, GSM_7, 161)),
        ("a" * 152 + "€" + "a" * 152, Length(3, GSM_7, 306)),  # the euro is not cut: the first segment stays one short
        ("a" * 151 + "€" + "a" * 153, Length(2, GSM_7, 306)),
        ("あ" * 70, Length(1, UCS_2, 70)),
        ("あ" * 71, Length(2, UCS_2, 71)),
        ("あ" * 134, Length(2, UCS_2, 134)),
        ("あ" * 135, Length(3, UCS_2, 135)),
        ("a" * 160 + "’", Length(3, UCS_2, 161)),  # one such apostrophe turns the whole text
        ("😀" * 35, Length(1, UCS_2, 70)),
        ("😀" * 36, Length(2, UCS_2, 72)),
        ("あ" * 66 + "😀" + "あ" * 66, Length(3, UCS_2, 134)),  # neither is a pair of surrogates
    ],
)
def test_segments_by_the_alphabet(text: str, length: Length) -> None:
    assert length_of(text) == length


def test_the_alphabet_has_its_128_and_10_characters() -> None:
    every = [chr(code) for code in range(0x3000)]
    gsm = [each for each in every if length_of(each).encoding == GSM_7] + ["€"] * (length_of("€").encoding == GSM_7)
    assert len(set(gsm)) == 127 + 10  # of the 128 one is the escape
    assert [each for each in sorted(set(gsm)) if length_of(each).units == 2] == sorted("\f^{}\\[~]|€")
    assert length_of("ç").encoding == UCS_2  # only the capital is there


def test_more_than_one_is_said() -> None:
    assert warnings_of(length_of("hi")) == []
    assert warnings_of(length_of("あ" * 135)) == ["3 segments (UCS-2)"]
