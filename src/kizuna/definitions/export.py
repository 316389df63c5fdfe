"""Export: all definitions that rule, and drafts, as documents, with the files that they name."""

from __future__ import annotations

from pathlib import Path

from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Scene, all_kinds
from kizuna.definitions.standing import documents, standing
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database


async def export(database: Database, workspace: Workspace) -> list[Document]:
    async with database.connection() as conn:
        return documents(await standing(conn, workspace.id))


async def export_files(database: Database, workspace: Workspace, folder: Path) -> tuple[list[Document], list[str]]:
    """As `export`, when all that stands beside them is written: its places too."""
    written: list[str] = []
    async with database.connection() as conn:
        found = await standing(conn, workspace.id)
        scene = Scene(conn, workspace, "", found.ruling, {})
        made: list[Document] = []
        for document in documents(found):
            kind = all_kinds()[document.kind]
            saved = await kind.save_beside(document, folder / kind.folder, scene)
            made.append(saved.document)
            written += [f"{kind.folder}/{saved.file}"] if saved.file else []
    return made, written
