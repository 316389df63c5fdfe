"""`kizuna why`: the chain of reasons, newest first."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from typing import Any

import msgspec
from msgspec.structs import replace

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.core.errors import NotFound
from kizuna.insight.ask import Asker
from kizuna.insight.backtest.ask import NewEngine
from kizuna.insight.query import WORKSPACE, workspace_named
from kizuna.insight.why.chain import why
from kizuna.profiles.find import find
from kizuna.profiles.past import PastProfiles
from kizuna.profiles.show import ProfileViews
from kizuna.runtime import reach
from kizuna.runtime.database import Database, connect
from kizuna.runtime.lake.query import Lake


def main(config: Config, given: Namespace, new_engine: NewEngine, views: ProfileViews) -> None:
    with reach.database(config) as url:
        with connect(url, name="kizuna why") as connection:
            workspace = workspace_named(connection, given.workspace or os.environ.get(WORKSPACE))
        found = replace(config, database_url=url)
        answer = asyncio.run(_ask(found, workspace, given, PastProfiles(found, new_engine, views)))
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
        return
    print(answer["answer"])
    for link in answer["chain"]:
        is_fact = link["rule"] == link["outcome"]  # what happened, and no rule that judged
        judged = "" if is_fact else f": {_short(link['rule'])}"
        print(f"  {link['at']}  {link['outcome']}{judged}")
        print(f"  {'':>{len(link['at'])}}  saw {_short(link['seen'])}")


async def _ask(config: Config, number: int, given: Namespace, past: PastProfiles) -> dict[str, Any]:
    kind = next(each for each in ("message", "journey", "segment") if getattr(given, each) is not None)
    database = Database(config.database_url, name="kizuna why")
    await database.open()
    try:
        async with database.connection() as conn:
            workspace = await accounts.workspace(conn, number)
            if workspace is None:
                raise NotFound("this workspace is gone")
            profile = await find(conn, number, given.profile)
            asker = Asker(Lake(config), database, workspace, await accounts.now(conn, number))
        return await why(asker, past, profile, kind, getattr(given, kind))
    finally:
        await database.close()


def _short(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
