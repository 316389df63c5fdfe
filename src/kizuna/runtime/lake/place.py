"""Where a workspace's lake lies."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from kizuna.core.errors import Invalid


class Place(Protocol):
    """The settings the lake needs."""

    @property
    def lake_url(self) -> str | None: ...  # a folder; None: below `data`

    @property
    def data(self) -> Path: ...


def folder_of(place: Place, workspace: int) -> Path:
    """The folder of one workspace; nothing of another lies in it."""
    return root_of(place) / str(workspace)


def root_of(place: Place) -> Path:
    """The folder of all workspaces."""
    if place.lake_url and "://" in place.lake_url and not place.lake_url.startswith("file://"):
        raise Invalid("KIZUNA_LAKE_URL must be a folder: object storage is not supported yet", code="lake_url")
    root = Path(place.lake_url.removeprefix("file://")) if place.lake_url else Path(place.data) / "lake"
    return root.absolute()
