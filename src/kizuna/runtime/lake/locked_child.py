"""The process that runs SQL others wrote. It is started for one statement, with a limit on memory set by the system."""

from __future__ import annotations

import os
import re
import resource
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imports wait until the limit is set
    from duckdb import DuckDBPyConnection

    from kizuna.runtime.lake.locked import Answer, Task

MEMORY_BYTES = 1 << 30  # address space: DuckDB's own limit does not count the values of a result
ANSWER_BYTES = 16 << 20


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.insert(0, str(Path(__file__).parents[3]))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import msgspec

    from kizuna.runtime.lake.locked import Answer, Task

    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task, dec_hook=lambda kind, value: kind(value))
    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    try:
        told = encoder.encode(run(task))
    except MemoryError:
        told = b""
    if len(told) > ANSWER_BYTES:
        told = encoder.encode(Answer(code="query_too_large"))
    sys.stdout.buffer.write(told)


def run(task: Task) -> Answer:  # types need imports that come after the limit is set
    import duckdb

    from kizuna.runtime.lake.locked import Answer
    from kizuna.runtime.lake.query import open_duckdb, spread
    from kizuna.runtime.lake.views import quoted

    connection = open_duckdb(None)
    for table in ("tail_events", "tail_changes", "archived"):
        file = quoted(task.tail / f"{table}.parquet")
        connection.execute(f"CREATE TEMP TABLE {table} AS FROM read_parquet({file})")
    spread(connection, task.files)
    allowed = ", ".join(quoted(folder) for folder in task.folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    timer = threading.Timer(task.seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        if not is_question(connection, task.sql):
            return Answer(code="sql_not_a_question", message="send exactly one SELECT or EXPLAIN statement")
        found = connection.execute(task.sql)
        columns = found.description or []
        rows = found.fetchmany(task.rows + 1)
        return Answer(
            columns=[column[0] for column in columns],
            types=[str(column[1]) for column in columns],
            rows=[list(row) for row in rows[: task.rows]],
            is_cut=len(rows) > task.rows,
        )
    except duckdb.InterruptException:
        return Answer(code="query_too_slow")
    except (duckdb.OutOfMemoryException, MemoryError):
        return Answer(code="query_too_large")
    except duckdb.PermissionException as error:
        return Answer(code="sql_not_allowed", message=str(error).partition("\n")[0])
    except (duckdb.Error, RuntimeError) as error:
        return Answer(code="sql_error", message=str(error)[:2000])


def is_question(connection: DuckDBPyConnection, sql: str) -> bool:
    """One SELECT, or EXPLAIN of one, that only reads.

    EXPLAIN ANALYZE would run what it explains, and a WITH may hold an INSERT or a COPY to a file: but not below the
    top level, so the statement is planned once inside another.
    """
    explained = re.match(r"\s*explain\b", sql, re.IGNORECASE)
    statements = connection.extract_statements(sql[explained.end() :] if explained else sql)
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        return False
    asked = statements[0].query.strip().rstrip(";")
    connection.execute(f"EXPLAIN SELECT * FROM (\n{asked}\n)").fetchall()  # noqa: S608  # parsed just above
    return True


if __name__ == "__main__":
    main()
