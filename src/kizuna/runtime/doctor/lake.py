"""Log and lake together hold each row: none is in neither, none is in the lake that the state does not know."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.core.errors import KizunaError
from kizuna.runtime.doctor import Finding, Patient, Question, sql
from kizuna.runtime.lake.place import folder_of

MOST = 20  # workspaces whose tables are opened, the latest first

_HEADS = """
SELECT h.workspace, h.partition, h.applied, h.archived,
       (SELECT min(l."offset") FROM log l WHERE l.workspace = h.workspace AND l.partition = h.partition)
FROM log_head h WHERE h."offset" > 0 AND h.workspace IN (SELECT id FROM workspace ORDER BY id DESC LIMIT %s)
"""


def gaps(patient: Patient) -> Iterator[Finding]:
    """By the lake's own word, asked between two looks at the heads, as all of it may be moving."""
    if patient.place is None:
        return
    before = {row[:2]: row for row in patient.connection.execute(_HEADS, [MOST])}
    held: dict[tuple[int, int], int] = {}
    for workspace in {workspace for workspace, _ in before}:
        try:
            held.update(_held(patient, workspace, [p for w, p in before if w == workspace]))
        except KizunaError:  # object storage
            return
    for workspace, partition, applied, _, oldest in patient.connection.execute(_HEADS, [MOST]):
        if (workspace, partition) not in before:
            continue
        reached, noted = held.get((workspace, partition), 0), before[workspace, partition][3]
        is_missing = applied > reached and (oldest is None or oldest > reached + 1)
        if reached > applied or reached < noted or is_missing:
            yield Finding(workspace)


def _held(patient: Patient, workspace: int, partitions: list[int]) -> dict[tuple[int, int], int]:
    from kizuna.runtime.lake.tables import offset_in, open_table

    assert patient.place is not None  # noqa: S101
    found = open_table(folder_of(patient.place, workspace), "events")
    if found is None:
        return {}
    return {(workspace, partition): offset_in(found, partition) for partition in partitions}


QUESTIONS = [
    Question(
        name="lake_behind",
        invariant=1,
        ask=sql(
            """SELECT w.id, '', count(*) FROM workspace w JOIN log_head h ON h.workspace = w.id CROSS JOIN LATERAL (
                   SELECT l.at FROM log l WHERE l.workspace = h.workspace AND l.partition = h.partition
                   AND l."offset" > h.archived AND l."offset" <= h.applied AND l.kind IN (0, 1)
                   ORDER BY l."offset" LIMIT 1
               ) l WHERE w.clock = 'live' AND h.applied > h.archived AND l.at < real_now() - 10 * %(grace)s
               GROUP BY w.id"""
        ),
        advice="partitions wait for ten minutes to be written to the lake: is `kizuna archive` running?",
        is_watched=True,
    ),
    Question(
        name="lake_gaps",
        invariant=1,
        ask=gaps,
        advice="partitions have rows that are neither in the log nor in the lake, or in the lake and not in the state:"
        " was one of them put back without the other?",
    ),
]
