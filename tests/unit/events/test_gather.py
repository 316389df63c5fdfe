"""Those who ask while work is under way are served together, and each gets their own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from kizuna.events.gather import Gatherer


class Desk:
    """Doubles numbers, once somebody opens it; it does not like 13, and breaks at 666."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.groups: list[tuple[int, list[int]]] = []

    async def work(self, workspace: int, asked: list[int]) -> Sequence[int | Exception]:
        self.groups.append((workspace, asked))
        await self.opened.wait()
        if 666 in asked:
            raise OSError("it broke")
        return [ValueError(each) if each == 13 else 2 * each for each in asked]


async def ask(*asked: tuple[int, int]) -> tuple[Desk, list[int | BaseException]]:
    """The first is at work while the others come; what each was answered."""
    desk = Desk()
    gatherer = Gatherer(desk.work)
    tasks = [asyncio.create_task(gatherer.ask(workspace, number)) for workspace, number in asked[:1]]
    while not desk.groups:
        await asyncio.sleep(0)
    tasks += [asyncio.create_task(gatherer.ask(workspace, number)) for workspace, number in asked[1:]]
    await asyncio.sleep(0)
    desk.opened.set()
    return desk, await asyncio.gather(*tasks, return_exceptions=True)


def test_what_comes_meanwhile_is_done_together_and_each_workspace_by_itself() -> None:
    desk, answers = asyncio.run(ask((1, 1), (1, 2), (2, 3), (1, 4)))
    assert desk.groups == [(1, [1]), (1, [2, 4]), (2, [3])]
    assert answers == [2, 4, 6, 8]


@pytest.mark.parametrize(("bad", "kind", "beside"), [(13, ValueError, 4), (666, OSError, None)])
def test_what_is_wrong_with_one_is_theirs_and_what_breaks_the_work_is_everybodys(
    bad: int, kind: type[Exception], beside: int | None
) -> None:
    _, (first, wrong, other) = asyncio.run(ask((1, 1), (1, bad), (1, 2)))
    assert first == 2
    assert isinstance(wrong, kind)
    assert other == beside if beside is not None else isinstance(other, kind)


def test_who_hangs_up_leaves_it_to_be_done() -> None:
    async def hang_up() -> list[tuple[int, list[int]]]:
        desk = Desk()
        gatherer = Gatherer(desk.work)
        task = asyncio.create_task(gatherer.ask(1, 5))
        while not desk.groups:
            await asyncio.sleep(0)
        task.cancel()
        desk.opened.set()
        assert await gatherer.ask(1, 6) == 12
        return desk.groups

    assert asyncio.run(hang_up()) == [(1, [5]), (1, [6])]
