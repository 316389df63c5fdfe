"""What `doctor` asks of segments: sizes, rows and records agree, and no record is too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from kizuna.core import ids
from kizuna.engine.record import decoder_of
from kizuna.runtime.doctor import INSTALLATION, Check, Finding, Patient, Question
from kizuna.segments import store
from kizuna.segments.section import Segments

LARGEST = 64 << 10  # bytes of a section; beyond it each event of this customer costs many times more
SHOWN = 5
MEMBERS = "segment_members"

_decode = decoder_of(Segments)


def question() -> Question:
    return Question(
        name="memberships_differ",
        invariant=2,
        ask=differences,
        advice="profiles have rows of membership other than their record says",
    )


def differences(patient: Patient) -> Iterator[Finding]:
    for check in examine(patient.connection):
        if check.name == MEMBERS and not check.ok:
            yield Finding(INSTALLATION, "", check.found)


def examine(connection: Connection[Any]) -> list[Check]:
    """Three comparisons, each as of one moment."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        wrong_sizes = [f"{name}: {size} counted, {rows} rows" for name, size, rows in store.wrong_sizes(connection)]
        wrong_rows, large = list[str](), list[str]()
        for profile, section, rows in store.sections(connection):
            kept = _decode(section).member_of if section else {}
            if kept != rows:
                wrong_rows.append(ids.show("prf", profile))
            if len(section or b"") > LARGEST:
                large.append(f"{ids.show('prf', profile)}: {len(section or b'') >> 10} kB")
    return [
        _check("segment_sizes", wrong_sizes, "segments have a size that is not their number of members"),
        _check(MEMBERS, wrong_rows, "profiles have rows of membership other than their record says"),
        _check("segments_large", large, f"profiles keep more than {LARGEST >> 10} kB for segments: shorten windows"),
    ]


def _check(name: str, wrong: list[str], advice: str) -> Check:
    named = ", ".join(wrong[:SHOWN])
    return Check(name, ok=not wrong, message=f"{len(wrong)} {advice} ({named})" if wrong else "none", found=len(wrong))
