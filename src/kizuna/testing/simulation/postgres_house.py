"""An installation on PostgreSQL, told the same stories by the SQL of the engine and the slices themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from kizuna.consent import store as consent
from kizuna.engine import store as engine_store
from kizuna.engine.append import TICK, Row, append_rows, append_statements
from kizuna.engine.engine import Engine
from kizuna.engine.moment import Item
from kizuna.engine.record import StoredRecord
from kizuna.engine.slice import Definition, Slice, Workspace
from kizuna.engine.state import Head, LogRow, State
from kizuna.engine.store import PostgresState
from kizuna.events.publish import publish
from kizuna.folds import FOLDS
from kizuna.messages import sql_sending
from kizuna.messages.message import Claimed, Ending, Said
from kizuna.runtime.database import connect
from kizuna.segments.fill import store as fills
from kizuna.testing.simulation.house import LAST, PARTITIONS, PLANNED, Asked, Left, Message, Veto, what_rules
from kizuna.testing.simulation.shop import Change
from kizuna.testing.simulation.story import Tenant


class PostgresHouse:
    """On a migrated database of its own, emptied before each story. Its workspaces have test clocks."""

    def __init__(self, url: str) -> None:
        self.folds: Sequence[Slice] = FOLDS
        self.breaks: tuple[type[Exception], ...] = (psycopg.OperationalError,)
        self.url = url
        self.names = [part.name for part in FOLDS]
        self.connection = connect(url, name="simulated outside")
        self.loop = asyncio.Runner()
        self.publisher: AsyncConnection[Any] = self.loop.run(AsyncConnection.connect(url))

    def __enter__(self) -> PostgresHouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        self.loop.run(self.publisher.close())
        self.loop.close()

    def clear(self) -> None:
        """Forget every workspace."""
        tables = self._all("SELECT table_name FROM information_schema.columns JOIN information_schema.tables"
                           " USING (table_schema, table_name) WHERE table_schema = 'public'"
                           " AND column_name = 'workspace' AND table_type = 'BASE TABLE'")  # fmt: skip
        with self.connection.transaction():
            for (table,) in tables:
                self.connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            self.connection.execute("DELETE FROM workspace")
            self.connection.execute("SELECT setval('position', 1, false)")

    def open(self, tenant: Tenant, first: Sequence[Change]) -> int:
        with self.connection.transaction():
            self.connection.execute(
                """INSERT INTO workspace (id, name, clock, now, zone, currency, consent, created_at, program)
                   OVERRIDING SYSTEM VALUE VALUES (%s, %s, 'test', %s, %s, 'JPY', %s, 0, 1)""",
                [tenant.id, f"shop{tenant.id}", tenant.now, tenant.zone, tenant.consent],
            )
            self.connection.execute(
                "INSERT INTO log_head (workspace, partition, program) SELECT %s, generate_series(0, %s), 1",
                [tenant.id, PARTITIONS - 1],
            )
            for each in first:
                self.connection.execute(
                    """INSERT INTO definition (workspace, kind, name, version, status, body, introduced, published_at)
                       VALUES (%s, %s, %s, 1, %s, %s, 1, 0)""",
                    [tenant.id, each.kind, each.name, each.status, Jsonb(each.body)],
                )
        return tenant.id

    def connect(self, engine: Engine) -> State:
        connection = connect(self.url, name="simulated worker")
        return PostgresState(connection, engine.writers, engine.public, self.names)

    def cut(self, state: State) -> None:
        assert isinstance(state, PostgresState)  # noqa: S101  # it was made above
        state.connection.close()

    # the outside -----------------------------------------------------------------------------------------------------

    def now(self, workspace: int) -> int:
        return self._all("SELECT now FROM workspace WHERE id = %s", workspace)[0][0]

    def offsets(self, workspace: int) -> tuple[int, ...]:
        heads = self._all('SELECT "offset" FROM log_head WHERE workspace = %s ORDER BY partition', workspace)
        return tuple([offset for (offset,) in heads])

    def move(self, workspace: int, to: int) -> None:
        with self.connection.transaction():
            self.connection.execute("UPDATE workspace SET now = greatest(now, %s) WHERE id = %s", [to, workspace])
            self._append(workspace, [Row(partition, TICK, 0, b"", b"") for partition in range(PARTITIONS)])

    def append(self, workspace: int, rows: Sequence[Row], veto: Veto | None = None) -> None:
        with self.connection.transaction():
            self._veto(workspace, veto)
            self._append(workspace, rows)

    def _append(self, workspace: int, rows: Sequence[Row]) -> None:
        for statement in append_rows(workspace, rows):
            self.connection.execute(*statement)

    def _veto(self, workspace: int, veto: Veto | None) -> None:
        if veto:
            self.connection.execute(*consent.vetoes(workspace, [(veto.profile, veto.item, veto.channel, veto.topic)]))

    def publish(self, workspace: int, change: Change) -> None:
        ruling = next((d for d in self.ruling(workspace, change.kind) if d.name == change.name), None)
        body, sweep = what_rules(change, ruling)
        if ruling is None and body is None:
            return
        self.loop.run(self._publish(self._workspace(workspace), change, body, sweep))

    async def _publish(self, workspace: Workspace, change: Change, body: dict[str, Any] | None, sweep: str) -> None:
        async with self.publisher.transaction():
            await publish(self.publisher, workspace, change.kind, change.name, body, status=change.status, sweep=sweep)

    def ruling(self, workspace: int, kind: str) -> list[Definition]:
        return [d for d in self._definitions(workspace) if d.kind == kind and d.retired is None]

    def members(self, workspace: int, segment: str) -> list[bytes]:
        found = self._all(
            "SELECT profile FROM membership WHERE workspace = %s AND segment = %s ORDER BY profile", workspace, segment
        )
        return [profile for (profile,) in found]

    def is_read(self, workspace: int) -> bool:
        unread = self._all('SELECT FROM log_head WHERE workspace = %s AND "offset" > applied LIMIT 1', workspace)
        return not unread

    def asked(self, workspace: int) -> Asked | None:
        with self.connection.transaction():
            asked = fills.next_asked(self.connection)
            if asked is None or asked.workspace != workspace:
                return None
            published_at = fills.published_at(self.connection, workspace, asked.program)
            return Asked(workspace, asked.program, asked.root, asked.offsets, published_at)

    def fill(self, asked: Asked, items: Sequence[Item]) -> None:
        done = fills.Asked(asked.workspace, asked.program, asked.root, asked.offsets, "")
        with self.connection.transaction():
            for statement in append_statements(asked.workspace, items, PARTITIONS, asked.root) if items else ():
                self.connection.execute(*statement)
            fills.finish(self.connection, done)

    # messages --------------------------------------------------------------------------------------------------------

    def claim(self, workspace: int, limit: int) -> list[Claimed]:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            now = self.now(workspace)
            claims = [
                claim
                for is_urgent in (True, False)
                for claim in sql_sending.claim(cursor, workspace, "email", now, limit, is_urgent=is_urgent)
            ]
            return [claim.message for claim in claims]

    def vetoes(self, workspace: int) -> list[Veto]:
        found = self._all("SELECT profile, id, channel, topic FROM veto WHERE workspace = %s", workspace)
        return [Veto(*row) for row in found]

    def suppressed(self, workspace: int) -> set[tuple[str, str]]:
        return set(self._all("SELECT channel, address FROM suppression WHERE workspace = %s", workspace))

    def load(self, workspace: int, profile: bytes) -> StoredRecord | None:
        return next(iter(self._records(workspace, [profile])), None)

    def hand(self, workspace: int, message: Claimed) -> None:
        said = Said(id=message.id, address="", subject=None, body="", links=[], unsubscribe=None)
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            sql_sending.hand(cursor, workspace, [said], "simulated", None, 0.0)

    def finish(
        self, workspace: int, ending: Ending, root: int, reports: Sequence[Item], veto: Veto | None = None
    ) -> bool:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            if not sql_sending.finish(cursor, workspace, [ending]):
                return False
            self._veto(workspace, veto)
            for statement in append_statements(workspace, reports, PARTITIONS, root) if reports else ():
                cursor.execute(*statement)
            return True

    def lost(self, workspace: int) -> list[Claimed]:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            return [each for each in sql_sending.overdue(cursor, LAST) if each.workspace == workspace]

    # what is left ----------------------------------------------------------------------------------------------------

    def left(self, workspace: int) -> Left:
        heads = self._all(
            """SELECT workspace, partition, "offset", at, applied, batch, program FROM log_head
               WHERE workspace = %s ORDER BY partition""",
            workspace,
        )
        rows: list[list[LogRow]] = [[] for _ in range(PARTITIONS)]
        for row in self._all(
            """SELECT partition, "offset", at, root, kind, body, items FROM log
               WHERE workspace = %s ORDER BY partition, "offset" """,
            workspace,
        ):
            rows[row[0]].append(LogRow(*row))
        profiles = [profile for (profile,) in self._all("SELECT id FROM profile WHERE workspace = %s", workspace)]
        members = self._all("SELECT segment, profile, entered_at FROM membership WHERE workspace = %s", workspace)
        counters = self._all(
            "SELECT name, sum(value)::bigint FROM counter WHERE workspace = %s GROUP BY name", workspace
        )
        return Left(
            workspace=self._workspace(workspace),
            now=self.now(workspace),
            heads=[Head(*row) for row in heads],
            rows=rows,
            definitions=self._definitions(workspace),
            records={record.id: record for record in self._records(workspace, profiles)},
            members={(segment, profile): at for segment, profile, at in members},
            messages=self._messages(workspace),
            duplicates=set(
                self._all('SELECT partition, "offset", index FROM duplicate WHERE workspace = %s', workspace)
            ),
            counters=dict(counters),
            vetoes=self.vetoes(workspace),
            parked=len(self._all("SELECT FROM parked WHERE workspace = %s", workspace)),
        )

    def _messages(self, workspace: int) -> dict[bytes, Message]:
        found: dict[bytes, Message] = {}
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in (*PLANNED, "state", "reason", "due_at", "run"))
        query = sql.SQL("SELECT {} FROM message WHERE workspace = %s").format(columns)
        for row in self._all(query, workspace):
            planned, (state, reason, due_at, _) = row[: len(PLANNED)], row[len(PLANNED) :]
            told = dict(zip(PLANNED, planned, strict=True))
            claimed = Claimed(
                workspace, told["id"], told["profile"], told["channel"], told["template"], told["template_version"],
                told["topic"], told["transactional"], told["journey"], told["run"], told["step"], told["campaign"],
                told["variant"], {}, told["event"], due_at, told["expires_at"], 0, 0, 0, reason, told["caused_by"],
            )  # fmt: skip
            found[told["id"]] = Message(
                claimed=claimed, state=state, purpose=told["purpose"], occurrence=told["occurrence"], due_at=due_at,
                planned=tuple(planned),
            )  # fmt: skip
        return found

    def _workspace(self, workspace: int) -> Workspace:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            return engine_store.workspaces(cursor, PARTITIONS)[workspace]

    def _definitions(self, workspace: int) -> list[Definition]:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            return engine_store.definitions(cursor, workspace, LAST)

    def _records(self, workspace: int, profiles: Sequence[bytes]) -> list[StoredRecord]:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            return engine_store.load(cursor, workspace, profiles, self.names)

    def _all(self, query: Any, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()
