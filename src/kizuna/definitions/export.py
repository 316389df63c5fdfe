"""Export: all definitions that rule, and drafts, as documents."""

from __future__ import annotations

from kizuna.definitions.document import Document
from kizuna.definitions.standing import documents, standing
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database


async def export(database: Database, workspace: Workspace) -> list[Document]:
    async with database.connection() as conn:
        return documents(await standing(conn, workspace.id))
