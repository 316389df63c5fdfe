"""Sheets: sizes, margins and where the window of an envelope is. Millimetres, from the upper left corner."""

from __future__ import annotations

from msgspec import Struct


class Box(Struct, frozen=True):
    left: float
    top: float
    width: float
    height: float


class Sheet(Struct, frozen=True, kw_only=True):
    """One kind of paper. `bleed` is printed beyond the cut; 0 where nothing is printed up to the edge."""

    width: float
    height: float
    address: Box  # the lines of the receiver
    sender: Box  # one small line
    body: Box  # of the first page of text
    following: Box | None  # of further pages; None: there are none
    code: Box  # the QR code, its text below
    imprint: Box
    logo: Box  # within which a logo is as large as it can be
    is_logo_left: bool = False  # else it stands at the right of its box
    size: float  # of the text, in points
    smallest: float  # to which a text is set smaller so that it fits
    bleed: float = 0
    is_address_apart: bool = False  # on a side of its own


def _a4(*, address: Box, sender: Box, body: Box, logo: Box) -> Sheet:
    return Sheet(
        width=210, height=297, address=address, sender=sender, body=body, following=Box(25, 25, 160, 215),
        code=Box(163, 244, 22, 22), imprint=Box(25, 250, 130, 22), logo=logo, size=10.5, smallest=10.5,
    )  # fmt: skip


SHEETS = {
    # DIN 5008, form B: a field of 85 x 45 at 20, 45, its upper part for the sender
    "a4-din": _a4(
        address=Box(25, 51, 78, 37), sender=Box(25, 46, 78, 4), body=Box(25, 103, 160, 132), logo=Box(125, 12, 60, 25)
    ),
    # long no. 3 (120 x 235), a window of 90 x 45 at 22, 12; the sheet is folded in three
    "a4-jp": _a4(
        address=Box(25, 16, 82, 38), sender=Box(25, 61, 160, 4), body=Box(25, 78, 160, 157), logo=Box(125, 16, 60, 25)
    ),
    "postcard": Sheet(
        width=100, height=148, bleed=3, is_address_apart=True, size=9.5, smallest=7,
        address=Box(18, 45, 70, 50), sender=Box(8, 8, 84, 4), body=Box(9, 10, 82, 92), following=None,
        code=Box(71, 108, 20, 20), imprint=Box(9, 118, 58, 20), logo=Box(9, 104, 55, 12), is_logo_left=True,
    ),
}  # fmt: skip
