"""`kizuna demo`: find or start a Kizuna on the data folder, replay, sum up."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import date
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kizuna.accounts import keys, workspaces
from kizuna.config import Config
from kizuna.core.errors import Conflict, NotFound, Unavailable
from kizuna.demo.replay import Shop, replay
from kizuna.demo.shop import CURRENCY, FIRST_DAY, ZONE, read_year
from kizuna.demo.summary import summary
from kizuna.runtime.database import Database
from kizuna.supervisor import started

WORKSPACE = "demo"


def run(config: Config, *, exit_after: bool, as_json: bool) -> int:
    screen = Console(stderr=True)
    if exit_after:
        config = msgspec.structs.replace(config, port=0)  # nobody will look; any free port does
    with started(config) as found:
        shop = Shop(found.url, *asyncio.run(demo_keys(found.database_url)))
        screen.print("Reading the shop's year ...")
        year = read_year()
        began = time.monotonic()
        shop.publish()
        with _bar(screen) as progress:
            task = progress.add_task("Replaying", total=None, day="")

            def step(day: date, done: int, days: int) -> None:
                progress.update(task, completed=done, total=days, day=day.isoformat())

            replay(shop, year, step)
        replayed = time.monotonic() - began
        screen.print("Asking what became of it ...")
        result = summary(shop, year, replayed)
        link = found.setup or f"{found.url}/"
        if not as_json:
            _print_summary(result)
        if not exit_after:
            screen.print(f"\nLook at all of it: [bold]{link}[/bold]   (Ctrl-C stops Kizuna)")
        if as_json:
            print(json.dumps(result, ensure_ascii=False), flush=True)
        if not exit_after:
            _wait()
    return 0


async def demo_keys(database_url: str) -> tuple[str, str]:
    """Write key and API key of the demo workspace, made at the first start of the shop's year."""
    database = Database(database_url, name="kizuna demo")
    await database.open()
    try:
        try:
            made = await workspaces.create(
                database, WORKSPACE, clock="test", start=f"{FIRST_DAY}T00:00:00Z", zone=ZONE, currency=CURRENCY
            )
            return made["write_key"], made["api_key"]
        except Conflict:
            found = await workspaces.find(database, WORKSPACE)
            write = await keys.create(database, found.id, "ingest")
            api = await keys.create(database, found.id, "owner")
            return write["key"], api["key"]
    except NotFound as error:
        raise Unavailable(f"the demo workspace cannot be made: {error}") from None
    finally:
        await database.close()


def _bar(screen: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[day]}")
    return Progress(*columns, TimeElapsedColumn(), console=screen)


def _print_summary(result: dict[str, Any]) -> None:
    """The figures a marketer looks at first."""
    money = result["currency"]
    print(f"{'events':>18}  {result['events']:,}")
    print(f"{'customers':>18}  {result['customers']:,}")
    print(f"{'orders':>18}  {result['orders']:,}")
    print(f"{'revenue':>18}  {result['revenue']:,.2f} {money} (net {result['net_revenue']:,.2f})")
    print(f"{'average order':>18}  {result['aov']:,.2f} {money}")
    print(f"{'repeat rate':>18}  {result['repeat_rate']:.1%}")
    for name, size in result["segments"].items():
        print(f"{name:>18}  {size:,} customers")
    for state, number in sorted(result["messages"]["by_state"].items()):
        print(f"{'mails ' + state:>18}  {number:,}")
    for name, counts in result["journeys"].items():
        print(f"{name:>18}  {counts['entered']:,} entered, {counts['goal']:,} reached the goal")
    print(f"{'replayed in':>18}  {result['seconds']} s")


def _wait() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print(file=sys.stderr)
