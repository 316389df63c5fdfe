"""The database a command works on: the configured one, a running Kizuna's, or one started for the while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kizuna.config import Config
from kizuna.runtime import folder
from kizuna.runtime.postgres import Embedded, make_folder


@contextmanager
def database(config: Config, *, migrated: bool = True) -> Iterator[str]:
    """The URL of a database that answers; with `migrated`, its schema is ours when the block begins."""
    if config.database_url:
        yield _checked(config.database_url) if migrated else config.database_url
        return
    found = folder.running(config.data)
    if found is not None:
        yield _checked(found.database_url) if migrated else found.database_url
        return
    make_folder(config.data)
    with folder.held(config.data):
        folder.forget(config.data)
        server = Embedded()
        try:
            url = server.start(config.data)
            if migrated:
                from kizuna.runtime.migrate import migrate

                migrate(url, config.partitions)
            yield url
        finally:
            server.stop()


def _checked(url: str) -> str:
    """Refuse a database of another version: others may be working on it."""
    from kizuna.runtime.database import connect
    from kizuna.runtime.migrate import require_current

    with connect(url) as connection:
        require_current(connection)
    return url
