"""A logo is a small PNG or JPEG, and only its pixels are printed."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from kizuna.core.errors import Invalid
from kizuna.paper import draw
from kizuna.paper.address import PostalAddress
from kizuna.paper.logo import MOST_BYTES, picture
from kizuna.paper.sheet import SHEETS

ADA = PostalAddress(name="Ada", line1="Weg 1", city="Bonn", postal_code="53111", country="DE")
PDF = 72 / 25.4


def data(raw: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(raw).decode()}"


def file_of(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


RED = Image.new("RGB", (120, 60), "red")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pixels_are_taken_and_nothing_else(kind: str) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Author", "somebody")
    more = {"pnginfo": about} if kind == "PNG" else {"exif": b"Exif\0\0somebody"}
    drawn = picture(data(file_of(RED, kind, **more), kind.lower()))
    assert (drawn.size, drawn.mode, drawn.info) == ((120, 60), "RGB", {})
    red, green, blue = drawn.getpixel((5, 5))  # type: ignore[misc]  # three of RGB
    assert (red > 250, green < 5, blue < 5) == (True, True, True)


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "1", "LA", "CMYK"])
def test_whatever_colours_it_has_it_is_put_on_white(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0)) if mode == "RGBA" else Image.new(mode, (8, 8))
    drawn = picture(data(file_of(clear, kind), kind.lower()))
    assert drawn.mode == "RGB"
    if mode == "RGBA":
        assert drawn.getpixel((0, 0)) == (255, 255, 255)


def bomb() -> bytes:
    """A small file of very many pixels."""
    return file_of(Image.new("1", (3_000, 3_000)))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("logo.png", "invalid_logo"),
        ("https://shop.example/logo.png", "invalid_logo"),
        ("data:image/svg+xml;base64,AAAA", "invalid_logo"),
        ("data:image/png;base64,AAA", "invalid_logo"),
        ("data:image/png;base64,AAAA", "invalid_logo"),
        (data(file_of(RED, "GIF")), "invalid_logo"),
        (data(file_of(RED, "BMP")), "invalid_logo"),
        (data(file_of(RED)[:-30]), "invalid_logo"),
        (data(file_of(RED, "JPEG")[:200], "jpeg"), "invalid_logo"),
        (data(b"\0" * (MOST_BYTES + 1000)), "too_large"),
        (data(bomb()), "too_large"),
    ],
)
def test_what_is_none_is_refused(said: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        picture(said)
    assert error.value.code == code


@pytest.mark.parametrize("sheet", ["a4-din", "a4-jp", "postcard"])
def test_it_stands_in_its_box_and_is_in_the_file_once(sheet: str) -> None:
    from pypdf import PdfReader

    stationery = draw.Stationery(sheet=SHEETS[sheet])
    letters = [
        draw.Letter(address=ADA, subject=None, text="T", code="C", url="https://x.example", logo=data(file_of(RED)))
        for _ in range(2)
    ]
    made = draw.write_pdf(letters, stationery)
    assert made == draw.write_pdf(letters, stationery)
    read = PdfReader(io.BytesIO(made))
    pages = [page for page in read.pages if "/XObject" in page["/Resources"]]  # type: ignore[operator]  # a dictionary
    assert len(pages) == 2
    assert made.count(b"/Subtype /Image") == 1
    plain = draw.write_pdf([draw.Letter(address=ADA, subject=None, text="T", code="C", url="x")], stationery)
    assert b"/Subtype /Image" not in plain


@pytest.mark.parametrize("name", list(SHEETS))
def test_its_box_touches_nothing_else_that_is_printed(name: str) -> None:
    sheet = SHEETS[name]
    box = sheet.logo
    for other in (
        sheet.body,
        sheet.code,
        sheet.imprint,
        *(() if sheet.is_address_apart else (sheet.address, sheet.sender)),
    ):
        apart = (
            box.left + box.width <= other.left or other.left + other.width <= box.left
            or box.top + box.height <= other.top or other.top + other.height <= box.top
        )  # fmt: skip
        assert apart, other
    assert box.left >= 5
    assert box.left + box.width <= sheet.width - 5
