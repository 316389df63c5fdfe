"""The peer of `pipeline`: by hand on PostgreSQL, and only what storage costs: deduplicate, upsert, insert."""

from __future__ import annotations

import json
import time
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from kizuna.runtime.database import connect

BATCH = 1000

SCHEMA = """
CREATE SCHEMA peer;
CREATE TABLE peer.seen (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE peer.profile (
    id text PRIMARY KEY, traits jsonb NOT NULL DEFAULT '{}', events bigint NOT NULL, last_seen_at double precision
) WITH (fillfactor = 70);
CREATE TABLE peer.event (
    profile text NOT NULL, at double precision NOT NULL, name text NOT NULL, id text NOT NULL, properties jsonb NOT NULL
);
CREATE INDEX ON peer.event (profile, at);
"""


class Peer:
    """One connection; a transaction a batch, with the same durability as ours."""

    def __init__(self, url: str) -> None:
        self.connection: Connection[Any] = connect(url, name="bench peer")
        for statement in SCHEMA.split(";"):
            if statement.strip():
                self.connection.execute(statement)  # type: ignore[arg-type]
        self.connection.commit()

    def fill(self, people: list[dict[str, Any]]) -> None:
        sql = "COPY peer.profile (id, traits, events, last_seen_at) FROM STDIN"
        with self.connection.cursor() as cursor, cursor.copy(sql) as copy:
            for person in people:
                copy.write_row([person["userId"], Jsonb(person["traits"]), 0, 0.0])
        self.connection.commit()

    def rest(self) -> None:
        """What filling left to be tidied, of both sides, is tidied before anything is timed."""
        self.connection.autocommit = True
        self.connection.execute("VACUUM (ANALYZE)")
        self.connection.autocommit = False

    def take(self, bodies: list[bytes]) -> float:
        """Seconds to store all events of some requests."""
        began = time.perf_counter()
        waiting: list[dict[str, Any]] = []
        for body in bodies:
            waiting += json.loads(body)["batch"]
            if len(waiting) >= BATCH:
                self._store(waiting)
                waiting = []
        if waiting:
            self._store(waiting)
        return time.perf_counter() - began

    def _store(self, events: list[dict[str, Any]]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO peer.seen (id) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING id",
                [[event["messageId"] for event in events]],
            )
            fresh = {row[0] for row in cursor.fetchall()}
            kept = [event for event in events if event["messageId"] in fresh]
            tally: dict[str, tuple[int, float]] = {}
            for event in kept:
                number, _ = tally.get(event["userId"], (0, 0.0))
                tally[event["userId"]] = (number + 1, event["timestamp"])
            cursor.execute(
                """INSERT INTO peer.profile (id, events, last_seen_at)
                   SELECT * FROM unnest(%s::text[], %s::bigint[], %s::double precision[]) ON CONFLICT (id) DO UPDATE
                   SET events = peer.profile.events + excluded.events, last_seen_at = excluded.last_seen_at""",
                [list(tally), [number for number, _ in tally.values()], [at for _, at in tally.values()]],
            )
            with cursor.copy("COPY peer.event (profile, at, name, id, properties) FROM STDIN") as copy:
                for event in kept:
                    copy.write_row(
                        [
                            event["userId"],
                            event["timestamp"],
                            event["event"],
                            event["messageId"],
                            Jsonb(event["properties"]),
                        ]
                    )
        self.connection.commit()
