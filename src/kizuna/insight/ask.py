"""Who asks, of which workspace, at which instant of its clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from msgspec import Struct

from kizuna.core import exact_json
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake, Rows
from kizuna.segments.props import compile_props

_numbers = count(1)


class Asker(Struct, frozen=True):
    """Everything a question needs."""

    lake: Lake
    database: Database
    workspace: Workspace
    now: int

    async def rows(self, sql: str, params: Mapping[str, Any] | None = None, wanted: Sequence[Wanted] = ()) -> Rows:
        """The answer of the lake; `wanted` are the filters whose SQL the question uses."""
        checks = {each.name: each.check for each in wanted if each.check is not None}
        return await self.lake.query(self.database, self.workspace.id, sql, params, checks=checks)


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """Events of one name, of which `where` holds (PROPS)."""

    event: str
    where: list[Any] | None = None


class Wanted(Struct, frozen=True):
    """A filter, ready to be part of SQL."""

    name: str  # unique: also names the parameter
    event: str
    check: Callable[[str, int], bool] | None

    @property
    def sql(self) -> str:
        """Over the columns of `events`."""
        named = f"type IN ('track', 'page', 'screen', 'fact', 'report') AND event = ${self.name}"
        return f"({named} AND {self.name}(properties, timestamp))" if self.check else f"({named})"

    @property
    def params(self) -> dict[str, str]:
        return {self.name: self.event}


def want(given: Filter, pointer: str, asker: Asker) -> Wanted:
    """Raises `Invalid` for a `where` that is no PROPS. Relative times in it are measured from the workspace's now."""
    name = f"wanted_{next(_numbers)}"
    if not given.where:
        return Wanted(name, given.event, None)
    holds, now, zone = compile_props(given.where, f"{pointer}/where"), asker.now, asker.workspace.zone

    def check(properties: str, _: int) -> bool:
        return holds(exact_json.decode(properties.encode()), now, zone)

    return Wanted(name, given.event, check)
