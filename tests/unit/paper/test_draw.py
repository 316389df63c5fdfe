"""Pages, read by a library that did not write them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from kizuna.paper import code, draw, fonts
from kizuna.paper.address import PostalAddress
from kizuna.paper.sheet import SHEETS

ADA = PostalAddress(name="Ada Lovelace", line1="Weg 1", city="München", postal_code="80331", country="DE")
TARO = PostalAddress(
    name="山田 太郎", line1="丸の内1-9-1", city="千代田区", region="東京都", postal_code="1000005", country="JP"
)
CODE = code.make(b"s", 1, b"m" * 16)
MM = 72 / 25.4


def read(sheet: str, *letters: tuple[PostalAddress, str]) -> PdfReader:
    made = [
        draw.Letter(address=who, subject=None, text=text, code=CODE, url=f"https://x.example/q/{CODE}")
        for who, text in letters
    ]
    stationery = draw.Stationery(sheet=SHEETS[sheet], home="DE", sender="Shop, Bonn", imprint="Shop GmbH")
    return PdfReader(io.BytesIO(draw.write_pdf(made, stationery)))


def fonts_of(page: Any) -> dict[str, bool]:
    """Whether each font of a page is embedded."""
    found = (font.get_object() for font in page["/Resources"]["/Font"].values())
    return {str(font["/BaseFont"]): "/FontFile2" in font["/FontDescriptor"] for font in found}


@pytest.fixture
def japanese() -> None:
    if fonts.missing("山田様〒"):
        pytest.skip(f"no Japanese font here: {fonts.ADVICE}")


def test_a_letter_has_its_window_text_and_code() -> None:
    (page,) = read("a4-din", (ADA, "Dear Ada")).pages
    text = page.extract_text()
    assert [
        line
        for line in ("Ada Lovelace", "Weg 1", "80331 München", "Dear Ada", code.show(CODE), "Shop GmbH")
        if line not in text
    ] == []
    places: dict[str, tuple[float, float]] = {}

    def note(said: str, _: Any, matrix: list[float], *__: Any) -> None:
        if said.strip():
            places.setdefault(said.strip(), (matrix[4] / MM, 297 - matrix[5] / MM))

    page.extract_text(visitor_text=note)
    left, below = places["Ada Lovelace"]
    assert 20 <= left <= 105
    assert 45 <= below <= 90
    assert all(fonts_of(page).values())


def test_the_second_letter_begins_on_a_page_of_its_own() -> None:
    long = "a word and another\n" * 120
    pages = read("a4-din", (ADA, long), (ADA, "short")).pages
    assert len(pages) == 5
    assert "short" in pages[-1].extract_text()
    assert code.show(CODE) not in pages[1].extract_text()


def test_a_postcard_is_cut_to_its_size(japanese: None) -> None:
    pages = read("postcard", (TARO, "いつもありがとうございます。")).pages
    assert len(pages) == 2
    for page in pages:
        assert [round(float(side) / MM) for side in (page.trimbox.width, page.trimbox.height)] == [100, 148]
        assert [round(float(side) / MM) for side in (page.bleedbox.width, page.bleedbox.height)] == [106, 154]
        assert page.mediabox.width > page.bleedbox.width
        assert all(fonts_of(page).values())
    assert "山田 太郎 様" in pages[0].extract_text().replace("\u3000", " ")
    assert "いつもありがとうございます。" in pages[1].extract_text()


def test_what_does_not_fit_on_a_postcard_is_set_smaller_or_refused() -> None:
    sheet = SHEETS["postcard"]
    (little,) = draw.pages_of(None, "word " * 20, sheet) or []
    (more,) = draw.pages_of(None, "word " * 300, sheet) or []
    assert little[0].size == sheet.size > more[0].size >= sheet.smallest
    assert draw.pages_of(None, "word " * 3000, sheet) is None


def test_printed_again_it_is_the_same() -> None:
    stationery = draw.Stationery(sheet=SHEETS["a4-jp"])
    letter = draw.Letter(address=ADA, subject="S", text="T", code=CODE, url="https://x.example")
    assert draw.write_pdf([letter], stationery) == draw.write_pdf([letter], stationery)


def test_bold_is_a_font_of_its_own_or_drawn_thick(japanese: None) -> None:
    plain, bold = (read("a4-jp", (ADA, text)).pages[0] for text in ("Dear Ada 様", "Dear **Ada** **様**"))
    assert "Dear Ada 様" in bold.extract_text()
    assert any("Bold" in name or "Bd" in name for name in fonts_of(bold))
    assert all(fonts_of(bold).values())
    assert len(fonts_of(bold)) > len(fonts_of(plain))
    drawn: Any = bold.get_contents()
    assert (b"2 Tr" in drawn.get_data()) == any(run.is_thick for run in fonts.runs("\x02様\x03"))


def test_the_code_is_of_squares() -> None:
    matrix = draw.qr_matrix(f"https://mail.example.com/q/{CODE}")
    assert len(matrix) in (29, 33)
    assert all(len(row) == len(matrix) for row in matrix)
    assert matrix[0][:8] == [True] * 7 + [False]  # a finder pattern
