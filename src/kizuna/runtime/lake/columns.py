"""Items of log rows as Arrow: built column by column, sorted by profile and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from arro3.core import Array, ChunkedArray, DataType, RecordBatch, Schema
from msgspec import Struct

from kizuna.core import clock, ids
from kizuna.runtime.lake.said import (
    EARLIEST,
    INTERNAL,
    LATEST,
    PROFILE_MERGED,
    PROFILE_UPDATED,
    Cells,
    Change,
    LogRow,
    cells_of,
    changes_of,
    month_of_day,
)
from kizuna.runtime.lake.schemas import EVENTS, PROFILES, TEXT

PIECE = 1_000  # items held as Python values at once: few enough for the processor's cache

_CHANGES = (PROFILE_UPDATED, PROFILE_MERGED)
_TEXTS = ("id", "type", "event", "properties", "context", "user_id", "anonymous_id", "caused_by")
_NUMBERS = ("partition", "offset", "index", "timestamp", "received_at", "logged_at", "flags")


class Columns(Struct, frozen=True):
    """Two tables: events, and the change log of profiles."""

    events: RecordBatch
    changes: RecordBatch

    @classmethod
    def of(cls, rows: Iterable[LogRow]) -> Columns:
        taken, items = _Gathered(), list[Cells]()
        waiting: list[tuple[LogRow, int]] = []
        for row in rows:
            said = cells_of(row.body)
            items += said
            waiting.append((row, len(said)))
            if len(items) >= PIECE:
                taken.add(waiting, items)
                waiting, items = [], []
        taken.add(waiting, items)
        changes = taken.changes()  # before events, which use up what was gathered
        return cls(taken.events(), changes)

    @property
    def count(self) -> int:
        return self.events.num_rows + self.changes.num_rows


class _Gathered:
    """Columns in the order of the log, in pieces."""

    def __init__(self) -> None:
        self.profiles: list[bytes] = []
        self.texts: dict[str, list[Array]] = {name: [] for name in _TEXTS}
        self.numbers: dict[str, list[Any]] = {name: [] for name in _NUMBERS}
        self.kept: list[Any] = []  # whether an item is an event
        self.told: list[Change] = []
        self.told_places: list[int] = []
        self.count = 0

    def add(self, rows: Sequence[tuple[LogRow, int]], items: Sequence[Cells]) -> None:
        if not items:
            return
        columns = zip(*items, strict=True)
        profile, name, kind, event, timestamp, properties, context, user, anonymous, received, flags, cause = columns
        self.profiles.append(b"".join(profile))
        counts = np.array([count for _, count in rows])
        starts = np.cumsum(counts) - counts
        numbers = {
            "partition": np.repeat(np.array([row.partition for row, _ in rows], np.int32), counts),
            "offset": np.repeat(np.array([row.offset for row, _ in rows], np.int64), counts),
            "index": (np.arange(len(items)) - np.repeat(starts, counts)).astype(np.int32),
            "timestamp": np.array(timestamp, np.int64),
            "received_at": np.array(received, np.int64),
            "logged_at": np.repeat(np.array([row.at for row, _ in rows], np.int64), counts),
            "flags": np.array(flags, np.int32),
        }
        for column, values in numbers.items():
            self.numbers[column].append(values)
        texts = (
            name,
            kind,
            event,
            [text or b"{}" for text in properties],
            [text or None for text in context],
            [text or None for text in user],
            [text or None for text in anonymous],
            [text or None for text in cause],
        )
        for column, values in zip(_TEXTS, texts, strict=True):
            self.texts[column].append(text_array(values))

        kept = np.ones(len(items), bool)
        for (row, _), start in zip(rows, starts, strict=True):
            for index in row.duplicates:
                kept[start + index] = False
        kept[[place for place, each in enumerate(kind) if each in INTERNAL]] = False
        told = [p for p, each in enumerate(event) if each in _CHANGES and kind[p] == "fact" and kept[p]]
        if told:
            kept[told] = [event[place] == PROFILE_MERGED for place in told]
            self.told += changes_of([(profile[p], event[p], properties[p]) for p in told])
            self.told_places += [self.count + place for place in told]
        self.kept.append(kept)
        self.count += len(items)

    def events(self) -> RecordBatch:
        """Sorted by profile and time, so that a customer's history lies together in each file."""
        if not self.kept:
            return empty(EVENTS)
        raw = b"".join(self.profiles)
        high, low = np.frombuffer(raw, ">u8").reshape(-1, 2).astype(np.uint64).T
        numbers = {column: np.concatenate(self.numbers.pop(column)) for column in _NUMBERS}
        places = np.flatnonzero(np.concatenate(self.kept))
        keys = [numbers[column][places] for column in ("index", "offset", "logged_at", "timestamp")]
        order = places[np.lexsort((*keys, low[places], high[places]))]

        arrays = {column: Array.from_numpy(values[order]) for column, values in numbers.items()}
        arrays["profile"] = _shown(raw, high[order], low[order], order)
        arrays["month"] = _months(numbers["timestamp"][order])
        taken = Array.from_numpy(order)
        for column in _TEXTS:
            arrays[column] = ChunkedArray(self.texts.pop(column)).combine_chunks().take(taken)
        return RecordBatch.from_arrays([arrays[column] for column in EVENTS.names], schema=EVENTS)

    def changes(self) -> RecordBatch:
        """In the order of the log."""
        if not self.told:
            return empty(PROFILES)
        arrays = [text_array(values) for values in zip(*self.told, strict=True)]
        numbers = [np.concatenate(self.numbers[column]) for column in PROFILES.names[len(arrays) :]]
        arrays += [Array.from_numpy(values[self.told_places]) for values in numbers]
        return RecordBatch.from_arrays(arrays, schema=PROFILES)


def empty(schema: Schema) -> RecordBatch:
    return RecordBatch.from_arrays([Array([], type=field.type) for field in schema], schema=schema)


def text_array(values: Sequence[Any]) -> Array:
    if isinstance(next((value for value in values if value is not None), None), bytes):
        return Array(values, type=DataType.binary()).cast(TEXT)
    return Array(values, type=TEXT)


def _shown(raw: bytes, high: Any, low: Any, order: Any) -> Array:
    """Outer ids of sorted profiles: each is written once and taken as often as it comes."""
    is_new = np.ones(len(order), bool)
    is_new[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    size = ids.ID_BYTES
    shown = [ids.show("prf", raw[size * place : size * (place + 1)]) for place in order[is_new].tolist()]
    return Array(shown, type=TEXT).take(Array.from_numpy(np.cumsum(is_new) - 1))


def _months(timestamps: Any) -> Array:
    """Times nobody means share the outermost months."""
    days, places = np.unique(np.clip(timestamps, EARLIEST, LATEST) // clock.DAY, return_inverse=True)
    return Array([month_of_day(day) for day in days.tolist()], type=TEXT).take(Array.from_numpy(places))
