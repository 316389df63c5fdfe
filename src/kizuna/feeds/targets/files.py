"""Files below the data folder: one gzipped file of JSON lines a piece. Written twice, a piece is the same file."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from msgspec import Struct

from kizuna.feeds import Later, Piece, Place, Taken
from kizuna.feeds.packing import name_of, packed


class Settings(Struct, frozen=True):
    """Nothing is asked: the folder is `exports/WORKSPACE/FEED` of the data folder."""


class Files:
    name: ClassVar[str] = "files"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset()
    gathers: ClassVar[bool] = True

    def made(self) -> dict[str, Any]:
        return {}

    def carry(self, piece: Piece, settings: Settings, place: Place, done: set[str]) -> Taken | Later:
        folder = place.exports / str(place.workspace) / place.name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            half = folder / f".{name_of(piece)}.half"
            with half.open("wb") as file:
                file.write(packed(piece))
                file.flush()
                os.fsync(file.fileno())
            half.replace(folder / name_of(piece))
        except OSError as error:
            return Later(f"{error.strerror}: {folder}")
        return Taken()


target = Files()
