"""The word that new rows of the log are there. It may name partitions in which somebody waits for an answer.

A word that is lost costs that they take their turn: what it says is a hint, and the log is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable

from kizuna.engine.append import Statement

CHANNEL = "kizuna_log"

Place = tuple[int, int]  # workspace, partition


def say(workspace: int, waited_for: Iterable[int]) -> Statement:
    """The statement that tells those who listen."""
    said = f"{workspace}:{','.join(map(str, sorted(waited_for)))}"
    return "SELECT pg_notify(%s, %s)", [CHANNEL, said]


def read(words: Iterable[str]) -> set[Place]:
    """The places that words name; most name none."""
    places: set[Place] = set()
    for word in words:
        workspace, _, partitions = word.partition(":")
        places.update((int(workspace), int(partition)) for partition in partitions.split(",") if partition)
    return places
