"""Letters as pages of a PDF: vector code, embedded fonts, page boxes for the cut; one after the other."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from reportlab.graphics.barcode import qrencoder
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from kizuna.paper import fonts
from kizuna.paper.address import PostalAddress
from kizuna.paper.code import show
from kizuna.paper.logo import picture
from kizuna.paper.sheet import Box, Sheet
from kizuna.paper.wrap import Line, height, lay_out, leading

MM = 72 / 25.4
MOST_PAGES = 10  # of one letter
MOST_SIGNS = 60_000  # more are not even tried
MARK, MARK_GAP = 4.0, 3.0  # mm: the length of a crop mark, and its distance from the cut, at least the bleed
SMALL, ADDRESS = 6.5, 10.5  # points
THICK = 0.035  # the line around signs that are to be bold, of their size
FILL, FILL_AND_STROKE = 0, 2  # how PDF draws text


class Letter(Struct, frozen=True, kw_only=True):
    """What one receiver gets. `url` is what the QR code leads to."""

    address: PostalAddress
    subject: str | None
    text: str
    code: str
    url: str
    logo: str = ""  # as `logo.picture` reads it


class Stationery(Struct, frozen=True, kw_only=True):
    """What all letters of a batch have in common."""

    sheet: Sheet
    home: str = ""  # the country, in two letters, which is not named in addresses
    sender: str = ""  # the return address, in one line
    imprint: str = ""


def pages_of(subject: str | None, text: str, sheet: Sheet) -> list[list[Line]] | None:
    """The lines of each page; None where they do not fit."""
    whole = f"# {subject}\n\n{text}" if subject else text
    if len(whole) > MOST_SIGNS or _is_far_too_long(whole, sheet):
        return None
    size = sheet.size
    while True:
        lines = lay_out(whole, sheet.body.width * MM, size, fonts.width)
        pages = _paged(lines, sheet)
        if len(pages) <= (1 if sheet.following is None else MOST_PAGES):
            return pages
        if size <= sheet.smallest:
            return None
        size = max(sheet.smallest, size - 0.5)


def _is_far_too_long(text: str, sheet: Sheet) -> bool:
    """Whether its signs alone would fill twice the room there is: to lay that out would only take time."""
    boxes = [sheet.body] if sheet.following is None else [sheet.body, *[sheet.following] * (MOST_PAGES - 1)]
    rows = sum(box.height * MM / leading(sheet.smallest) for box in boxes)
    return fonts.width("".join(text.split()), sheet.smallest) > 2 * rows * sheet.body.width * MM


def _paged(lines: Sequence[Line], sheet: Sheet) -> list[list[Line]]:
    pages: list[list[Line]] = [[]]
    room = sheet.body.height * MM
    for line in lines:
        needed = line.before + leading(line.size)
        if needed > room and pages[-1]:
            pages.append([])
            room = (sheet.following or sheet.body).height * MM
        room -= needed
        pages[-1].append(line)
    return pages


def write_pdf(letters: Iterable[Letter], stationery: Stationery) -> bytes:
    """All letters in their order. The same letters make the same bytes: no date, no random id."""
    file = io.BytesIO()
    pen = _Pen(file, stationery)
    for letter in letters:
        pen.write(letter)
    pen.canvas.save()
    return file.getvalue()


class _Pen:
    """Draws in millimetres from the upper left corner of the cut sheet."""

    def __init__(self, file: io.BytesIO, stationery: Stationery) -> None:
        sheet = stationery.sheet
        self.stationery, self.sheet = stationery, sheet
        self.logos: dict[str, Any] = {}
        self.edge = sheet.bleed and MARK_GAP + MARK + 1  # between paper and cut
        size = ((sheet.width + 2 * self.edge) * MM, (sheet.height + 2 * self.edge) * MM)
        font = fonts.faces()[0].name  # one that is embedded, instead of the library's own
        options: dict[str, Any] = {"pageCompression": 1, "invariant": 1, "initialFontName": font}
        self.canvas: Any = Canvas(file, pagesize=size, **options)
        self.canvas.setTitle("Letters")
        self.canvas.setTrimBox(self._around(0))
        self.canvas.setBleedBox(self._around(sheet.bleed))

    def _around(self, more: float) -> tuple[float, float, float, float]:
        low, sheet = (self.edge - more) * MM, self.sheet
        return low, low, (self.edge + sheet.width + more) * MM, (self.edge + sheet.height + more) * MM

    def write(self, letter: Letter) -> None:
        sheet = self.sheet
        pages = pages_of(letter.subject, letter.text, sheet) or [[]]
        self._envelope(letter)
        if sheet.is_address_apart:
            self._end_page()
        for number, lines in enumerate(pages):
            if number:
                self._end_page()
            self._lines(lines, sheet.following if number and sheet.following else sheet.body)
            if number == 0:
                self._logo(letter.logo)
                self._code(letter)
                self._small(self.stationery.imprint, sheet.imprint)
        self._end_page()

    def _envelope(self, letter: Letter) -> None:
        sheet = self.sheet
        self._small(self.stationery.sender, sheet.sender)
        size = ADDRESS
        room = sheet.address.width * MM
        shown = letter.address.lines(self.stationery.home)
        widest = max((fonts.width(line, size) for line in shown), default=0)
        size = max(6.0, size * min(1, room / widest)) if widest else size
        lines = [Line(line, size, 0) for line in shown]
        fits = min(1.0, sheet.address.height * MM / height(lines)) if lines else 1.0
        self._lines([Line(line.text, line.size * fits, 0) for line in lines], sheet.address)

    def _small(self, text: str, box: Box) -> None:
        self._lines(lay_out(text, box.width * MM, SMALL, fonts.width), box)

    def _lines(self, lines: Sequence[Line], box: Box) -> None:
        top = box.top * MM
        for line in lines:
            top += line.before + leading(line.size)
            self._text(line.text, box.left * MM + line.indent, top - leading(line.size) * 0.28, line.size)

    def _text(self, text: str, left: float, baseline: float, size: float) -> None:
        """In points from the upper left corner of the cut."""
        runs = fonts.runs(text)
        if any(run.is_thick for run in runs):
            self.canvas.setLineWidth(size * THICK)
        said = self.canvas.beginText(self.edge * MM + left, (self.edge + self.sheet.height) * MM - baseline)
        is_thick = False
        for run in runs:
            if run.is_thick != is_thick:
                is_thick = run.is_thick
                said.setTextRenderMode(FILL_AND_STROKE if is_thick else FILL)
            said.setFont(run.font, size)
            said.textOut(run.text)
        if is_thick:
            said.setTextRenderMode(FILL)
        self.canvas.drawText(said)

    def _logo(self, said: str) -> None:
        """A picture that several letters bear is in the file once."""
        if not said:
            return
        image = self.logos.get(said) or self.logos.setdefault(said, ImageReader(picture(said)))
        box, (across, down) = self.sheet.logo, image.getSize()
        scale = min(box.width / across, box.height / down)
        width, height = across * scale, down * scale
        left = box.left + (0 if self.sheet.is_logo_left else box.width - width)
        low = self.sheet.height - box.top - height
        self.canvas.drawImage(image, (self.edge + left) * MM, (self.edge + low) * MM, width * MM, height * MM)

    def _code(self, letter: Letter) -> None:
        """Dark squares side by side are one rectangle: no seams, and a small file."""
        matrix = qr_matrix(letter.url)
        box, side = self.sheet.code, self.sheet.code.width * MM / len(matrix)
        left = (self.edge + box.left) * MM
        upper = (self.edge + self.sheet.height - box.top) * MM
        path = self.canvas.beginPath()
        for row, cells in enumerate(matrix):
            for start, length in _dark(cells):
                path.rect(left + start * side, upper - (row + 1) * side, length * side, side)
        self.canvas.drawPath(path, stroke=0, fill=1)
        shown = show(letter.code)
        size = 8.0
        indent = max(0.0, (box.width * MM - fonts.width(shown, size)) / 2)
        self._text(shown, box.left * MM + indent, (box.top + box.height) * MM + 11, size)

    def _end_page(self) -> None:
        if self.sheet.bleed:
            self._marks()
        self.canvas.showPage()

    def _marks(self) -> None:
        """Where to cut, outside of what is printed."""
        self.canvas.setLineWidth(0.25)
        begin, end = MARK_GAP, MARK_GAP + MARK
        for left, out_x in ((self.edge, -1), (self.edge + self.sheet.width, 1)):
            for low, out_y in ((self.edge, -1), (self.edge + self.sheet.height, 1)):
                self.canvas.line((left + out_x * begin) * MM, low * MM, (left + out_x * end) * MM, low * MM)
                self.canvas.line(left * MM, (low + out_y * begin) * MM, left * MM, (low + out_y * end) * MM)


def qr_matrix(text: str) -> list[list[bool]]:
    """The squares of a QR code, level M: 15 % of it may be lost."""
    made: Any = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    made.addData(text)
    made.make()
    side = range(made.getModuleCount())
    return [[bool(made.isDark(row, column)) for column in side] for row in side]


def _dark(cells: Sequence[bool]) -> Iterable[tuple[int, int]]:
    """(start, length) of the dark stretches of a row."""
    start = None
    for place, is_dark in enumerate((*cells, False)):
        if is_dark and start is None:
            start = place
        elif not is_dark and start is not None:
            yield start, place - start
            start = None
