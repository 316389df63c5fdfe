"""What many ask for at the same time is done for all of them at once: while some is under way, the next gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Gatherer(Generic[Asked, Answer]):
    """Of one server process. `work` takes what is asked in one workspace and answers as many things, in the same order;
    an exception among them is raised where it was asked for, one that it raises itself at all of them. `rest` says how
    many seconds to gather after it, though there is more to do."""

    def __init__(
        self,
        work: Callable[[int, list[Asked]], Awaitable[Sequence[Answer | Exception]]],
        rest: Callable[[list[Asked]], float] = lambda _: 0.0,
    ) -> None:
        self._work, self._rest = work, rest
        self._groups: dict[int, list[tuple[Asked, asyncio.Future[Answer]]]] = {}
        self._busy: asyncio.Task[None] | None = None

    async def ask(self, workspace: int, asked: Asked) -> Answer:
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._groups.setdefault(workspace, []).append((asked, done))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._drain())
        return await asyncio.shield(done)  # who hangs up leaves it to be done

    async def _drain(self) -> None:
        while self._groups:
            workspace, group = next(iter(self._groups.items()))
            del self._groups[workspace]
            asked = [each for each, _ in group]
            try:
                answers = await self._work(workspace, asked)
            except Exception as error:
                answers = [error] * len(group)
            for (_, done), answer in zip(group, answers, strict=True):
                _settle(done, answer)
            if seconds := self._rest(asked):
                await asyncio.sleep(seconds)


def _settle(done: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if isinstance(answer, Exception):
        done.set_exception(answer)
        done.exception()  # who asked has it, or hung up
    else:
        done.set_result(answer)
