"""Time travel: a record as it was at an instant, folded from its own history by the engine that folds it live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from psycopg import Connection

from kizuna.core import clock
from kizuna.core.errors import Invalid, NotFound
from kizuna.engine import store as engine_store
from kizuna.engine.engine import Engine
from kizuna.engine.record import StoredRecord, decoder_of
from kizuna.engine.replay import Replay
from kizuna.engine.slice import Definition, Effects, Scope, Workspace
from kizuna.engine.state import LogRow
from kizuna.profiles.section import Profile
from kizuna.profiles.show import ProfileViews
from kizuna.runtime.database import connect
from kizuna.runtime.lake.place import Place
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.recorded import recorded

_read_profile = decoder_of(Profile)

AT_ONCE = 2
MOST_MERGES = 100
_ALL_PROGRAMS = (1 << 31) - 1


class Settings(Place, Protocol):
    @property
    def database_url(self) -> str: ...


class Then(Struct, frozen=True):
    """A record as it was at an instant: as stored, and in a scope in which rules can be asked about it."""

    stored: StoredRecord
    scope: Scope


class PastProfiles:
    """`new_engine` makes an engine over a state in memory, of a number of partitions."""

    def __init__(self, config: Settings, new_engine: Callable[[int], Engine], views: ProfileViews) -> None:
        self.config = config
        self.new_engine = new_engine
        self.views = views
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def as_of(self, workspace: Workspace, profile: bytes, asked: str, now: int) -> dict[str, Any]:
        """The profile as the API shows it, all said up to and at that instant included; whom it was part of then."""
        at = clock.read_time(asked, workspace.zone)
        if at is None:
            raise Invalid(f"as_of must be a date or an RFC 3339 time, not {asked!r}", code="invalid_time")
        if at > now:
            raise Invalid(f"as_of lies ahead: it is {clock.show(now)} in this workspace", code="in_the_future")
        then = await self.look(workspace, profile, at)
        if then is None:
            raise NotFound(f"there was no such profile at {clock.show(at)}")
        return self.views.whole(self._row(then.stored))

    async def look(self, workspace: Workspace, profile: bytes, at: int) -> Then | None:
        """The record that the profile was, or was part of, at `at`; None before there was one."""
        async with self._gate:
            return await asyncio.to_thread(self.look_sync, workspace, profile, at)

    def look_sync(self, workspace: Workspace, profile: bytes, at: int) -> Then | None:
        with connect(self.config.database_url, name="kizuna past") as connection:
            with connection.cursor(binary=True) as cursor:
                definitions = engine_store.definitions(cursor, workspace.id, _ALL_PROGRAMS)
            for _ in range(MOST_MERGES):
                then = self._fold(connection, workspace, definitions, profile, at)
                survivor = _profile(then).merged_into if then else b""
                if not survivor:
                    return then
                profile = survivor
        return None

    def _fold(
        self, connection: Connection[Any], workspace: Workspace, definitions: list[Definition], profile: bytes, at: int
    ) -> Then | None:
        rows = recorded(connection, Lake(self.config), workspace.id, at + 1, clock=workspace.clock, profile=profile)
        engine = self.new_engine(workspace.partitions)
        replay = Replay(engine, workspace, definitions, (LogRow(*msgspec.structs.astuple(row)) for row in rows))
        replay.run(at + 1)
        connection.rollback()
        stored = replay.made.records.get(profile)
        if stored is None:
            return None
        program = replay.made.heads[stored.partition].program
        scope = Scope(workspace, engine.programs.compiled(replay, workspace, program), Effects())
        scope.record, scope.now = engine.codec.read(stored), at
        return Then(stored, scope)

    def _row(self, record: StoredRecord) -> tuple[Any, ...]:
        """As the table has it."""
        sections = dict(zip(self.views.sections, record.sections, strict=True))
        body = sections["profiles"]
        profile = _read_profile(body) if body else Profile()
        traits = msgspec.json.decode(msgspec.json.encode(profile.traits))
        shown = [sections[name] for name in self.views.columns]
        return (record.id, record.created_at, record.seen_at, None, traits, *shown)


def _profile(then: Then) -> Profile:
    return then.scope.record["profiles"]
