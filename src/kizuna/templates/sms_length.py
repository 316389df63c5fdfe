"""How many segments an SMS is sent, and paid, as: by the alphabet that its text needs (GSM 03.38, else UCS-2). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

GSM_7, UCS_2 = "GSM-7", "UCS-2"
_ALONE = {GSM_7: 160, UCS_2: 70}  # units in a text of one segment
_JOINED = {GSM_7: 153, UCS_2: 67}  # in each of several: a header says how they go together
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # two units each: an escape, and the character


class Length(Struct, frozen=True):
    segments: int
    encoding: str  # GSM-7 or UCS-2
    units: int  # septets of GSM-7, 16-bit units of UCS-2


def length_of(text: str) -> Length:
    """No character is cut in two: neither an escape and what follows, nor a pair of surrogates."""
    is_gsm = all(each in _BASIC or each in _EXTENDED for each in text)
    encoding = GSM_7 if is_gsm else UCS_2
    widths = [2 if (each in _EXTENDED if is_gsm else ord(each) > 0xFFFF) else 1 for each in text]
    units = sum(widths)
    segments = 1 if units <= _ALONE[encoding] else _packed(widths, _JOINED[encoding])
    return Length(segments, encoding, units)


def _packed(widths: Iterable[int], room: int) -> int:
    segments, filled = 1, 0
    for width in widths:
        if filled + width > room:
            segments, filled = segments + 1, 0
        filled += width
    return segments


def warnings_of(length: Length) -> list[str]:
    """Each segment is paid for, so more than one is said."""
    return [f"{length.segments} segments ({length.encoding})"] if length.segments > 1 else []
