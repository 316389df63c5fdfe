"""Room on the disks that Kizuna writes to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kizuna.core.errors import KizunaError
from kizuna.runtime.doctor import INSTALLATION, Finding, Patient, Question
from kizuna.runtime.lake.place import root_of

LEAST_BYTES, LEAST_SHARE = 1 << 30, 0.03


def full(patient: Patient) -> Iterator[Finding]:
    if patient.place is None:
        return
    folders = {patient.place.data}
    with suppress(KizunaError):  # object storage is not ours to measure
        folders.add(root_of(patient.place))
    for folder in sorted(folders):
        if is_low(folder):
            yield Finding(INSTALLATION, str(folder))


def is_low(folder: Path) -> bool:
    try:
        room = shutil.disk_usage(folder)
    except FileNotFoundError:
        return False
    return room.free < LEAST_BYTES or room.free < LEAST_SHARE * room.total


QUESTIONS = [
    Question(
        name="disk_full",
        invariant=0,
        ask=full,
        advice="folders are on a disk that is almost full: make room before writes fail",
        is_watched=True,
    )
]
