"""Doctor's question about rules: does the fold's reading agree with the lake's, for who is a member now?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

from kizuna.core import ids
from kizuna.core.errors import KizunaError
from kizuna.runtime.doctor import Finding, Patient, Question
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.views import some_profiles
from kizuna.segments import store
from kizuna.segments.rule import parse
from kizuna.segments.sql import compile_sql

SEGMENTS = 3  # chosen anew each time
LOOKS = 3  # life goes on between the readings: what they disagree about each time is a fault
PAUSE = 0.3  # seconds
SECONDS = 10  # of one question to the lake


def question() -> Question:
    return Question(
        name="segments_disagree",
        invariant=3,
        ask=disagreements,
        advice="profiles are members of a segment by one reading of its rule and not by the other",
    )


def disagreements(patient: Patient) -> Iterator[Finding]:
    """Of some segments of settled workspaces with at most 100,000 profiles."""
    if patient.place is None:
        return
    lake = Lake(patient.place)
    for asked in store.some_rules(patient.connection, SEGMENTS):
        with suppress(KizunaError):  # a lake that is behind, or a rule of another version: not known
            suspects = _suspects(patient, lake, asked)
            if suspects:
                yield Finding(asked.workspace, asked.name, len(suspects))


def _suspects(patient: Patient, lake: Lake, asked: store.Asked) -> set[str]:
    suspects: set[str] | None = None
    for _ in range(LOOKS):
        now = store.now(patient.connection, asked.workspace)
        zones = [zone for (zone,) in lake.query_sync(patient.connection, asked.workspace, store.ZONES, seconds=SECONDS)]
        rule = compile_sql(parse(asked.where), now, asked.zone, zones, some_profiles)
        by_lake = {row[0] for row in lake.query_sync(patient.connection, asked.workspace, rule, seconds=SECONDS)}
        members = store.member_ids(patient.connection, asked.workspace, asked.name)
        different = by_lake ^ {ids.show("prf", profile) for profile in members}
        suspects = different if suspects is None else suspects & different
        if not suspects:
            break
        time.sleep(PAUSE)
    return suspects or set()
