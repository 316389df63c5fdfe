"""Follows the log and writes it to the lake: exactly once, by the lake's own word on how far it got."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import psycopg
import structlog

from kizuna.core.errors import Unavailable
from kizuna.runtime.database import connect
from kizuna.runtime.lake.place import Place, folder_of
from kizuna.runtime.log_reader import Reach, read

if TYPE_CHECKING:
    from psycopg import Connection

    from kizuna.runtime.lake.tables import Writer

EVERY_SECONDS = 5.0  # between turns, so that commits stay few
PATIENCE_SECONDS = 30.0  # the longest that history waits for workers that are behind
BEHIND_ROWS, KEPT_ROWS = 500, 4_000  # not folded: workers are behind; not archived: questions read a long tail
COMMIT_ITEMS, COMMIT_BYTES = 25_000, 12 << 20
TIDY_AFTER = 12  # commits
KEPT_DAYS = 7  # log rows, counted from their archiving in real time
IDLE_SECONDS = 60.0  # a notification wakes us; this is only for one that was lost
LOCK = 0x6B697A756E61  # one archiver an installation
OPEN_WRITERS = 16
RETRY = 0.5

_HOUR = 3_600_000_000

log = structlog.get_logger()


class Settings(Place, Protocol):
    @property
    def database_url(self) -> str: ...


def main(config: Settings) -> None:
    """Run until told to stop. Killing it at any instant loses nothing and writes nothing twice."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        try:
            follow(config)
        except (psycopg.OperationalError, Unavailable) as error:
            log.warning("archiver_restarts", reason=str(error).partition("\n")[0])
            time.sleep(RETRY)


def follow(config: Settings) -> NoReturn:
    """Archive turn by turn, as the one archiver of the installation, as long as the database answers."""
    with connect(config.database_url, name="kizuna archive", autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        archiver = Archiver(config, connection)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        while True:
            if not archiver.turn():
                archiver.rest()
            time.sleep(EVERY_SECONDS)
            archiver.give_way()


class Archiver:
    """One turn archives all that is folded; between turns it sleeps."""

    def __init__(self, place: Place, connection: Connection[Any]) -> None:
        self.place = place
        self.connection = connection
        self.writers: OrderedDict[int, Writer] = OrderedDict()
        self.commits: dict[int, int] = {}  # by workspace, since it was last tidied
        self.inner: dict[int, dict[int, int]] = {}  # looked through for what only the log says
        self.looked: dict[int, dict[int, int]] = {}  # read to: rows without items are not worth a commit of their own

    def turn(self) -> bool:
        """Archive what is folded; says whether there was anything, or is something still being folded."""
        found = self.pending()
        for workspace, partitions in found.items():
            while not self.archive(workspace, partitions):
                pass
            self.tidy(workspace)
        if found:
            gc.collect()
        return bool(found) or self.is_folding()

    def rest(self) -> None:
        """Sleep until the log grows. Listening begins before the last look, so nothing slips through between."""
        self.connection.execute("LISTEN kizuna_log")
        if not self.pending():
            next(self.connection.notifies(timeout=IDLE_SECONDS, stop_after=1), None)
        self.connection.execute("UNLISTEN kizuna_log")

    def give_way(self) -> None:
        """While workers are behind, wait for them: not for long, and not while the tail of the log grows long."""
        until = time.monotonic() + PATIENCE_SECONDS - EVERY_SECONDS
        while self.should_wait() and time.monotonic() < until:
            time.sleep(1.0)

    def should_wait(self) -> bool:
        answer = self.connection.execute(
            'SELECT coalesce(sum("offset" - applied), 0) > %s AND max(kept) <= %s FROM'
            ' (SELECT *, sum("offset" - archived) OVER (PARTITION BY workspace) AS kept FROM log_head) h',
            [BEHIND_ROWS, KEPT_ROWS],
        ).fetchone()
        return bool(answer and answer[0])

    def pending(self) -> dict[int, dict[int, int]]:
        """By workspace and partition, how far the log is folded where the lake is behind."""
        rows = self.connection.execute(
            "SELECT workspace, partition, applied FROM log_head WHERE applied > archived ORDER BY workspace, partition"
        ).fetchall()
        found: dict[int, dict[int, int]] = {}
        for workspace, partition, applied in rows:
            if applied > self.looked.get(workspace, {}).get(partition, 0):
                found.setdefault(workspace, {})[partition] = applied
        return found

    def is_folding(self) -> bool:
        answer = self.connection.execute('SELECT EXISTS (SELECT FROM log_head WHERE "offset" > applied)').fetchone()
        return bool(answer and answer[0])

    def archive(self, workspace: int, folded: Mapping[int, int]) -> bool:
        """One commit; says whether it took all of `folded`."""
        reach = self.read(workspace, folded)
        writer = self.writer(workspace)
        looked = self.looked.setdefault(workspace, {})
        looked.update(reach.offsets)
        if reach.rows:
            columns = writer.columns(reach.rows)
            reach.rows.clear()  # Arrow has them now; the commit needs the memory
            writer.commit(columns, {p: offset for p, offset in looked.items() if offset > writer.held(p)})
            self.commits[workspace] = self.commits.get(workspace, 0) + 1
        self.note(workspace, {partition: writer.held(partition) for partition in {**folded, **looked}})
        return reach.is_all

    def read(self, workspace: int, folded: Mapping[int, int]) -> Reach:
        """The oldest rows that the lake lacks, as many as one commit takes."""
        writer = self.writer(workspace)
        looked = self.looked.get(workspace, {})
        since = {p: max(writer.held(p), looked.get(p, 0)) for p in folded}
        return read(self.connection, workspace, since, folded, COMMIT_ITEMS, COMMIT_BYTES)

    def note(self, workspace: int, held: Mapping[int, int]) -> None:
        """Tell PostgreSQL what the lake holds; heads are locked in ascending order, as appends do."""
        self.connection.execute(_NOTE, [list(held), list(held.values()), workspace])

    def tidy(self, workspace: int) -> None:
        """Now and then: join small files, remove unread ones, drop log rows that are long in the lake."""
        if self.commits.get(workspace, 0) < TIDY_AFTER:
            return
        from kizuna.runtime.lake import tidy

        self.commits[workspace] = 0
        writer = self.writer(workspace)
        for table in (writer.events, writer.profiles):
            tidy.compact(table)
        if self.mark(workspace):
            for table in (writer.events, writer.profiles):
                tidy.vacuum(table)
            self.drop(workspace)

    def mark(self, workspace: int) -> bool:
        """Once an hour, write down what the lake holds; says whether the hour was new."""
        answer = self.connection.execute(_MARK, [_HOUR, _HOUR, workspace]).fetchone()
        return answer is not None

    def drop(self, workspace: int) -> None:
        """Remove log rows archived more than seven days ago, a slice at a time; what only they say is kept."""
        from kizuna.runtime.lake import inner

        # A day earlier than they go: a backup looks at the lake first, and at the log only later.
        held, looked = self.held_for(workspace, KEPT_DAYS - 1), self.inner.setdefault(workspace, {})
        inner.keep(self.connection, folder_of(self.place, workspace), workspace, held, looked)
        for partition, offset in self.held_for(workspace, KEPT_DAYS).items():
            place = [workspace, partition, offset]
            while self.connection.execute(_DROP, [*place, *place]).rowcount:
                pass
            self.connection.execute(
                'DELETE FROM duplicate WHERE workspace = %s AND partition = %s AND "offset" <= %s', place
            )
        self.connection.execute(_FORGET_MARKS, [workspace, (KEPT_DAYS * 24 + 1) * _HOUR, workspace])

    def held_for(self, workspace: int, days: int) -> dict[int, int]:
        """By partition, what the lake has held for so many days of real time."""
        marked = self.connection.execute(_LONG_HELD, [(days * 24 + 1) * _HOUR, workspace]).fetchone()
        return dict(zip(*marked, strict=True)) if marked else {}

    def writer(self, workspace: int) -> Writer:
        from kizuna.runtime.lake.tables import Writer

        found = self.writers.pop(workspace, None) or Writer(folder_of(self.place, workspace))
        self.writers[workspace] = found
        if len(self.writers) > OPEN_WRITERS:
            self.writers.popitem(last=False)
        return found


_NOTE = """
WITH held AS (SELECT * FROM unnest(%s::smallint[], %s::bigint[]) AS h (partition, "offset")),
behind AS (
    SELECT l.workspace, l.partition, h."offset" FROM log_head l JOIN held h USING (partition)
    WHERE l.workspace = %s AND l.archived < h."offset" ORDER BY l.partition FOR UPDATE OF l
)
UPDATE log_head l SET archived = b."offset" FROM behind b
WHERE l.workspace = b.workspace AND l.partition = b.partition
"""

_MARK = """
INSERT INTO lake_mark (workspace, at, partitions, offsets)
SELECT workspace, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint / %s * %s,
       array_agg(partition ORDER BY partition), array_agg(archived ORDER BY partition)
FROM log_head WHERE workspace = %s GROUP BY workspace
ON CONFLICT DO NOTHING RETURNING workspace
"""

# A mark is made in the course of its hour, so it counts from the hour's end.
_LONG_HELD = """
SELECT partitions, offsets FROM lake_mark
WHERE at + %s < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AND workspace = %s
ORDER BY at DESC LIMIT 1
"""

# Those before the one that tells what is long held: time only moves on, and nobody asks for older ones.
_FORGET_MARKS = """
DELETE FROM lake_mark WHERE workspace = %s AND at < (
    SELECT max(at) FROM lake_mark
    WHERE at + %s < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AND workspace = %s)
"""

_DROP = """
DELETE FROM log WHERE workspace = %s AND partition = %s AND "offset" <= least(%s, 2000 + (
    SELECT min("offset") FROM log WHERE workspace = %s AND partition = %s AND "offset" <= %s))
"""
