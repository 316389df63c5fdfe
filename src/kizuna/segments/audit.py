"""Doctor's question about members: does each record say what its rows of `membership` say?"""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.core import ids
from kizuna.engine.record import decoder_of
from kizuna.runtime.doctor import Finding, Patient, Question
from kizuna.segments import store
from kizuna.segments.section import Segments

_decode = decoder_of(Segments)


def question() -> Question:
    return Question(
        name="memberships_differ",
        invariant=2,
        ask=differences,
        advice="profiles have rows of membership other than their record says",
    )


def differences(patient: Patient) -> Iterator[Finding]:
    with patient.connection.transaction():
        for workspace, profile, section, rows in store.sections(patient.connection):
            if (_decode(section).member_of if section else {}) != rows:
                yield Finding(workspace, ids.show("prf", profile))
