"""`kizuna backtest`: ask, show how far it is, print what came of it."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec

from kizuna.config import Config
from kizuna.core.errors import Invalid
from kizuna.insight.backtest.ask import NewEngine, Question, ask
from kizuna.insight.query import WORKSPACE, workspace_named
from kizuna.runtime import reach
from kizuna.runtime.database import connect


def main(config: Config, given: Namespace, new_engine: NewEngine) -> None:
    question = Question(
        kind=given.kind, name=given.name, since=given.since, until=given.until, sample=given.sample,
        definition=_read(given.definition) if given.definition else None,
    )  # fmt: skip
    with reach.database(config) as url, connect(url, name="kizuna backtest") as connection, _bar() as bar:
        workspace = workspace_named(connection, given.workspace or os.environ.get(WORKSPACE))
        task = bar.add_task("Folding history", total=1.0)
        answer = ask(
            config, connection, new_engine, workspace, question, lambda share: bar.update(task, completed=share)
        )
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
    else:
        _print(answer)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    screen = Console(stderr=True)
    return Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=screen, transient=True)


def _read(file: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(Path(file).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise Invalid(f"{file} holds no JSON object")
    return found


def _print(answer: dict[str, Any]) -> None:
    messages = answer["messages"]
    print(f"{answer['kind']} {answer['name']}, version {answer['version']}: {answer['from']} to {answer['to']}")
    print(f"{'entered':>18}  {answer['entered']:,}")
    print(f"{'messages':>18}  {messages['sent']:,}")
    for title, counts in (
        ("by step", messages["by_step"]),
        ("by channel", messages["by_channel"]),
        ("by variant", messages["by_variant"]),
        ("skipped", messages["skipped_by_reason"]),
        ("left", answer["exits"]),
    ):
        for name, number in counts.items():
            print(f"{title:>18}  {name}: {number:,}")
    print(f"{'goal reached':>18}  {answer['goals']:,}, worth {answer['goal_value']}")
    print(
        f"{'folded':>18}  {answer['rows']:,} rows of {answer['profiles']:,} customers in {answer['seconds']} s of CPU"
    )
    if answer["parked"]:
        print(f"{'not folded':>18}  {answer['parked']:,} customers, whose history cannot be folded under it")
