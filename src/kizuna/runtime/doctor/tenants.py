"""Nothing belongs to two workspaces, or to none."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg.sql import SQL, Identifier

from kizuna.runtime.doctor import Finding, Patient, Question, sql


def homeless(patient: Patient) -> Iterator[Finding]:
    """Rows of workspaces that do not exist, by table; an index leads from one workspace to the next."""
    tables = patient.connection.execute(
        """SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace'
           WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND EXISTS (
               SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum)"""
    ).fetchall()
    for (table,) in tables:
        statement = SQL(
            """WITH RECURSIVE each (workspace) AS (
                   (SELECT workspace FROM {table} ORDER BY workspace LIMIT 1)
                   UNION ALL
                   SELECT (SELECT t.workspace FROM {table} t WHERE t.workspace > each.workspace
                           ORDER BY t.workspace LIMIT 1) FROM each WHERE each.workspace IS NOT NULL
               )
               SELECT {name}, count(*) FROM each WHERE workspace > 0
               AND NOT EXISTS (SELECT FROM workspace w WHERE w.id = each.workspace)"""
        ).format(table=Identifier(table), name=table)
        for name, count in patient.connection.execute(statement):
            if count:
                yield Finding(0, name, count)


QUESTIONS = [
    Question(
        name="rows_without_workspace",
        invariant=8,
        ask=homeless,
        advice="workspaces have rows in tables and do not exist",
    ),
    Question(
        name="profiles_of_two_workspaces",
        invariant=8,
        ask=sql(
            """SELECT s.workspace, 'prf_' || encode(s.id, 'hex'), 1
               FROM (SELECT workspace, id FROM profile {sample:profile} LIMIT 2000) s
               JOIN (SELECT id FROM workspace ORDER BY id LIMIT 50) w ON w.id <> s.workspace
               JOIN profile p ON p.workspace = w.id AND p.id = s.id"""
        ),
        advice="profiles are in two workspaces",
    ),
]
