"""What a printing house gets of a batch: pages, and a table of all receivers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from psycopg import Connection

from kizuna.core.cell import cell
from kizuna.core.errors import NotFound
from kizuna.letters import store
from kizuna.letters.batch import PART, Batch
from kizuna.letters.store import Printed
from kizuna.paper.address import PostalAddress, of_text
from kizuna.providers.letters import Settings

BOM = "\ufeff"  # by which spreadsheets know UTF-8
COLUMNS = ("number", "code", "url", *PostalAddress.__struct_fields__, "subject", "text", "message")

Url = Callable[[str], str]  # of a code


def pdf(connection: Connection[Any], workspace: int, number: int, part: int, url: Url) -> bytes:
    """One part of a batch: at most `PART` letters."""
    from kizuna.paper.draw import Letter, Stationery, write_pdf  # heavy, and seldom

    with connection.cursor() as cursor:
        batch = _batch(cursor, workspace, number)
        if not 1 <= part <= batch.parts:
            raise NotFound(f"batch {number} has {batch.parts} parts, counted from 1")
        letters = store.printed(cursor, workspace, number, (part - 1) * PART + 1, PART)
        logos = store.logos(cursor, workspace, letters)
    settings = msgspec.convert(batch.settings, Settings)
    stationery = Stationery(
        sheet=settings.sheet, home=settings.country.upper(), sender=settings.sender, imprint=settings.imprint
    )
    pages = (
        Letter(
            address=of_text(each.address), subject=each.subject, text=each.text, code=each.code, url=url(each.code),
            logo=logos.get((each.template, each.version), ""),
        )
        for each in letters
    )  # fmt: skip
    return write_pdf(pages, stationery)


def table(connection: Connection[Any], workspace: int, number: int, url: Url) -> Iterator[bytes]:
    """UTF-8 CSV in pieces."""
    with connection.cursor() as cursor:
        batch = _batch(cursor, workspace, number)
        yield (BOM + _rows([COLUMNS])).encode()
        for part in range(batch.parts):
            letters = store.printed(cursor, workspace, number, part * PART + 1, PART)
            yield _rows([_row(each, url) for each in letters]).encode()


def _row(each: Printed, url: Url) -> tuple[Any, ...]:
    address = of_text(each.address)
    parts = (getattr(address, part) for part in PostalAddress.__struct_fields__)
    return (each.place, each.code, url(each.code), *parts, each.subject, each.text, f"msg_{each.message.hex()}")


def _rows(rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[cell(value) for value in row] for row in rows])
    return text.getvalue()


def _batch(cursor: Any, workspace: int, number: int) -> Batch:
    batch = store.batch(cursor, workspace, number)
    if batch is None:
        raise NotFound(f"no batch {number} in this workspace; an open one has no number yet")
    return batch
