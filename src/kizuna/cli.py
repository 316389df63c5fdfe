"""The commands. Each loads what it needs only when it is called."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from kizuna.core.errors import KizunaError

if TYPE_CHECKING:
    from kizuna.config import Config
    from kizuna.runtime.database import Database

NEW_LINE = "\n"
Command = Callable[["Config", argparse.Namespace], int | None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every error we know is one line that says what to do."""
    given = parser().parse_args(arguments)
    try:
        from kizuna.config import load

        names = ("data", "host", "port", "workers")
        config = load(**{name: getattr(given, name, None) for name in names})
        return given.command(config, given) or 0
    except KizunaError as error:
        more = [field for field in error.errors if field.message not in str(error)]
        details = "".join(f"; {field.pointer.lstrip('/')}: {field.message}" for field in more)
        print(f"kizuna: {error}{details}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not type(error).__module__.startswith("psycopg"):
            raise
        print(f"kizuna: the database failed: {str(error).strip().partition(NEW_LINE)[0]}", file=sys.stderr)
        return 1


# the processes ------------------------------------------------------------------------------------------------------


def up(config: Config, _: argparse.Namespace) -> None:
    from kizuna.supervisor import up

    up(config)


def serve(config: Config, given: argparse.Namespace) -> None:
    from kizuna.server import main

    if given.fd is not None:
        main(_child(config), given.fd)
        return
    from kizuna.runtime.listen import listen, url_of

    with listen(config.host, config.port) as listener:
        print(f"listening url={url_of(listener)}", flush=True)
        main(_needs_database(config), listener.fileno())


def work(config: Config, given: argparse.Namespace) -> None:
    from kizuna.worker import main

    main(_child(config), given.partitions)


def send(config: Config, _: argparse.Namespace) -> None:
    from kizuna.messages.sender import main

    main(_child(config))


def archive(config: Config, _: argparse.Namespace) -> None:
    from kizuna.historian import main

    main(_child(config))


def prepare(config: Config, given: argparse.Namespace) -> None:
    """For `up`: wait for the PostgreSQL it starts, make the schema current, say what the other processes need."""
    import json
    import time

    from kizuna.accounts.installation import issue_setup_token
    from kizuna.runtime.migrate import is_sending_locked, migrate, partitions_of
    from kizuna.runtime.postgres import is_there

    _child(config)
    while given.embedded and not is_there(config.database_url):
        time.sleep(0.02)
    migrate(config.database_url, config.partitions)
    setup = _with_database(config.database_url, issue_setup_token)
    url = config.database_url
    print(json.dumps({"partitions": partitions_of(url), "setup": setup, "is_locked": is_sending_locked(url)}))


# set-up and care ----------------------------------------------------------------------------------------------------


def migrate(config: Config, _: argparse.Namespace) -> None:
    from kizuna.runtime import migrate, reach

    with reach.database(config, migrated=False) as url:
        has_run = migrate.migrate(url, config.partitions)
    print("the database is current now" if has_run else "the database was current already")


def doctor(config: Config, given: argparse.Namespace) -> int:
    from kizuna.folds import deep_questions
    from kizuna.runtime import reach
    from kizuna.runtime.doctor import examine

    with reach.database(config, migrated=False) as url:
        checks = examine(url, config, deep_questions())
    is_well = all(check.ok for check in checks)
    if given.json:
        _print_json({"ok": is_well, "checks": checks})
    else:
        for check in checks:
            print(f"{'ok    ' if check.ok else 'BROKEN'}  {check.name}: {check.message}")
    return 0 if is_well else 1


def backup(config: Config, given: argparse.Namespace) -> None:
    from kizuna.runtime.backup.make import STANDARD_OUTPUT, backup

    said = backup(config, given.file)
    print(f"backed up {said}", file=sys.stderr if given.file == STANDARD_OUTPUT else sys.stdout)


def restore(config: Config, given: argparse.Namespace) -> None:
    from kizuna.runtime.backup.restore import restore

    for line in restore(config, given.file):
        print(line)


def unlock_sending(config: Config, given: argparse.Namespace) -> None:
    from kizuna.messages.desk import Desk
    from kizuna.messages.unlock import unlock_sending
    from kizuna.runtime import reach
    from kizuna.runtime.database import connect

    with reach.database(config) as url, connect(url, name="kizuna cli") as connection:
        print(unlock_sending(connection, Desk.of(connection, config.public_url, config.secret), given.waiting))


def rebuild(config: Config, given: argparse.Namespace) -> int:
    from kizuna.rebuild import rebuild

    found = rebuild(config, only=given.workspace, is_check=given.check)
    for each in found:
        print(each.line())
    return 0 if all(each.is_whole and (each.is_same or not given.check) for each in found) else 1


def resume_profile(config: Config, given: argparse.Namespace) -> None:
    from kizuna.accounts import workspaces
    from kizuna.events.log import Log
    from kizuna.profiles.resume import resume
    from kizuna.runtime import reach

    async def run(database: Database) -> int:
        workspace = await workspaces.find(database, given.workspace)
        return (await resume(database, Log(database), workspace.id, given.profile))[1]

    with reach.database(config) as url:
        print(f"{_with_database(url, run)} items were folded")


def setup_link(config: Config, _: argparse.Namespace) -> None:
    from kizuna.accounts.installation import issue_setup_token
    from kizuna.runtime import folder, reach

    with reach.database(config) as url:
        token = _with_database(url, issue_setup_token)
    if token is None:
        raise KizunaError("this installation has an owner already: sign in, or ask that owner for a new account")
    found = None if config.url else folder.running(config.data)
    base = config.public_url or config.url or (found.url if found else f"http://{config.host}:{config.port}")
    print(f"{base}/setup?token={token}")


def workspace_create(config: Config, given: argparse.Namespace) -> None:
    from kizuna.accounts import workspaces
    from kizuna.runtime import reach

    options = {name: getattr(given, name) for name in ("clock", "start", "zone", "currency", "consent")}
    chosen = {name: value for name, value in options.items() if value is not None}
    with reach.database(config) as url:
        _print_json(_with_database(url, lambda database: workspaces.create(database, given.name, **chosen)))


def key_create(config: Config, given: argparse.Namespace) -> None:
    from kizuna.accounts import keys, workspaces
    from kizuna.runtime import reach

    async def create(database: Database) -> dict[str, str]:
        workspace = await workspaces.find(database, given.workspace)
        return await keys.create(database, workspace.id, given.role)

    with reach.database(config) as url:
        _print_json(_with_database(url, create))


# definitions as files, history from files ----------------------------------------------------------------------------


def plan(config: Config, given: argparse.Namespace) -> int:
    from kizuna.definitions import terminal

    return terminal.plan(config, given.dir, given.workspace, as_json=given.json)


def apply(config: Config, given: argparse.Namespace) -> int:
    from kizuna.definitions import terminal

    return terminal.apply(config, given.dir, given.workspace, is_sure=given.yes)


def export(config: Config, given: argparse.Namespace) -> int:
    from kizuna.definitions import terminal

    return terminal.export(config, given.dir, given.workspace)


def import_file(config: Config, given: argparse.Namespace) -> int:
    from kizuna.channels import consent_subjects
    from kizuna.imports import terminal

    options = {"checks_only": given.dry_run, "rejects": given.rejects, "as_json": given.json}
    return terminal.main(config, given.file, given.map, given.workspace, consent_subjects(), **options)


# the shop, questions, figures ---------------------------------------------------------------------------------------


def demo(config: Config, given: argparse.Namespace) -> int | None:
    from kizuna.demo import main

    return main(config, exit_after=given.exit, as_json=given.json)


def query(config: Config, given: argparse.Namespace) -> int | None:
    from kizuna.insight.query import main

    return main(config, given.sql, given.format, given.workspace)


def backtest(config: Config, given: argparse.Namespace) -> None:
    from kizuna.folds import memory_engine
    from kizuna.insight.backtest.terminal import main

    main(config, given, memory_engine)


def why(config: Config, given: argparse.Namespace) -> None:
    from kizuna.folds import memory_engine, profile_views
    from kizuna.insight.why.terminal import main

    main(config, given, memory_engine, profile_views())


def backtest_task(config: Config, _: argparse.Namespace) -> None:
    """For the server: one backtest, in a process of its own."""
    from kizuna.folds import memory_engine
    from kizuna.insight.backtest.ask import main

    main(config, memory_engine)


def bench(config: Config, given: argparse.Namespace) -> int | None:
    from kizuna.bench import main

    return main(config, given.names)


def reference(_: Config, given: argparse.Namespace) -> None:
    from pathlib import Path

    from kizuna.reference.write import write

    print(f"{write(Path(given.to), parser())} pages in {given.to}")


# what they share ----------------------------------------------------------------------------------------------------


def _child(config: Config) -> Config:
    """A process of the product: it ends with its parent, if it has one of ours."""
    from kizuna.runtime import gate
    from kizuna.runtime.child import follow_parent

    follow_parent()
    gate.wait()
    return _needs_database(config)


def _needs_database(config: Config) -> Config:
    """Processes apart work on the database of `KIZUNA_DATABASE_URL`, or of the `up` on their folder."""
    from msgspec.structs import replace

    from kizuna.runtime import folder

    if config.database_url:
        return config
    found = folder.running(config.data)
    if found is None:
        raise KizunaError(f"nothing runs on {config.data}: start `kizuna up`, or set KIZUNA_DATABASE_URL")
    return replace(config, database_url=found.database_url, public_url=config.public_url or found.url)


def _with_database(url: str, ask: Callable[[Database], Awaitable[Any]]) -> Any:
    """One question to an async verb."""
    import asyncio

    from kizuna.runtime.database import Database

    async def run() -> Any:
        database = Database(url, name="kizuna cli")
        await database.open()
        try:
            return await ask(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _print_json(value: Any) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value)).decode())


def _partitions(text: str) -> str:
    """`0-31`, both included."""
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if not match or int(match[2]) < int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no range of partitions such as 0-31")
    return text


# the command line ---------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    from kizuna import __version__

    parser = argparse.ArgumentParser(prog="kizuna", description="Self-hosted customer engagement.")
    parser.add_argument("--version", action="version", version=f"kizuna {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(group: Any, name: str, run: Command, about: str | None) -> argparse.ArgumentParser:
        hidden = {} if about is None else {"help": about, "description": about}
        made = group.add_parser(name, **hidden)
        made.add_argument("--data", metavar="DIR", help="the data folder (KIZUNA_DATA, ./kizuna-data)")
        made.set_defaults(command=run)
        return made

    _add_processes(commands, command)
    _add_care(commands, command)
    _add_files(commands, command)
    shop = command(commands, "demo", demo, "replay a real shop's year into the workspace `demo`")
    shop.add_argument("--exit", action="store_true", help="end after the replay")
    shop.add_argument("--json", action="store_true", help="end standard output with the summary as JSON")
    shop.add_argument("--port", type=int, help="port to listen on (8700; 0 takes any free one)")
    asked = command(commands, "query", query, "read-only SQL on the lake")
    asked.add_argument("sql", metavar="SQL", help='such as "SELECT event, count(*) FROM events GROUP BY 1"')
    asked.add_argument("--format", choices=("table", "json", "csv"), default="table")
    asked.add_argument("--workspace", metavar="W", help="by name, where there are several")
    _add_questions(commands, command)
    measured = command(commands, "bench", bench, "measure, and print the table")
    measured.add_argument("names", nargs="*", metavar="NAME")
    written = command(commands, "reference", reference, "write the reference from the code, one page a subject")
    written.add_argument("--to", required=True, metavar="DIR", help="docs/reference in the repository")
    return parser


def _add_questions(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    tested = command(commands, "backtest", backtest, "what a definition would have done, by recorded history")
    tested.add_argument("kind", choices=("journey", "campaign", "segment"))
    tested.add_argument("name", metavar="NAME", help="of what is published, or of a draft")
    tested.add_argument("--from", dest="since", required=True, metavar="DATE", help="a date or an RFC 3339 time")
    tested.add_argument("--to", dest="until", metavar="DATE", help="not included (now)")
    tested.add_argument("--definition", metavar="FILE", help="JSON to be tried in place of what is published")
    tested.add_argument("--sample", type=int, default=20, metavar="N", help="entries that are shown whole (20)")
    tested.add_argument("--json", action="store_true", help="the whole answer as JSON")
    tested.add_argument("--workspace", metavar="W", help="by name, where there are several")
    command(commands, "backtest-task", backtest_task, None)
    asked = command(commands, "why", why, "why a customer got, entered or is something, or not")
    asked.add_argument("profile", help="prf_..., user:ID, anon:ID or email:ADDRESS")
    about = asked.add_mutually_exclusive_group(required=True)
    about.add_argument("--message", metavar="ID", help="why it went, or stayed: msg_...")
    about.add_argument("--journey", metavar="NAME", help="why they entered it and where they are, or why not")
    about.add_argument("--segment", metavar="NAME", help="why they are in it, or not: each part of its rule")
    asked.add_argument("--json", action="store_true", help="the whole chain as JSON")
    asked.add_argument("--workspace", metavar="W", help="by name, where there are several")


def _add_processes(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    for name, run, about in (
        ("up", up, "everything in one command, on embedded engines"),
        ("serve", serve, "the HTTP server alone"),
    ):
        made = command(commands, name, run, about)
        made.add_argument("--host", help="address to listen on (127.0.0.1)")
        made.add_argument("--port", type=int, help="port to listen on (8700; 0 takes any free one)")
        if name == "up":
            made.add_argument("--workers", type=int, metavar="N", help="workers that share the partitions (1)")
        else:
            made.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    worker = command(commands, "work", work, "a worker alone")
    worker.add_argument("--partitions", type=_partitions, metavar="A-B", help="fold only these (all)")
    command(commands, "send", send, "a sender alone")
    command(commands, "archive", archive, "the archiver alone")
    command(commands, "prepare", prepare, None).add_argument("--embedded", action="store_true")


def _add_care(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    command(commands, "migrate", migrate, "bring the database to this version")
    well = command(commands, "doctor", doctor, "health and invariants; exit 1 when any is broken")
    well.add_argument("--json", action="store_true")
    _add_backup(commands, command)
    command(commands, "setup-link", setup_link, "a new one-time link for the first owner")
    spaces = commands.add_parser("workspace", help="workspaces").add_subparsers(metavar="COMMAND", required=True)
    space = command(spaces, "create", workspace_create, "make a workspace, print its keys as JSON")
    space.add_argument("name", metavar="NAME", help="of one shop, brand or environment")
    space.add_argument("--clock", choices=("live", "test"), help="a test clock stands still until you move it (live)")
    space.add_argument("--start", metavar="TIME", help="where a test clock starts")
    space.add_argument("--zone", help="IANA time zone (UTC)")
    space.add_argument("--currency", help="ISO 4217 (USD)")
    space.add_argument(
        "--consent", choices=("opt_out", "opt_in"), help="opt_in: who said nothing is not written to (opt_out)"
    )
    keys = commands.add_parser("key", help="keys of a workspace").add_subparsers(metavar="COMMAND", required=True)
    key = command(keys, "create", key_create, "make a key, print it once as JSON")
    key.add_argument("--workspace", required=True, metavar="W", help="name or id")
    key.add_argument(
        "--role", required=True, choices=("owner", "editor", "analyst", "agent", "ingest"),
        help="owner all; editor publishes; agent reads and acts for one customer; analyst reads; ingest sends events",
    )  # fmt: skip


def _add_backup(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    command(commands, "backup", backup, "state, log, lake and settings in one file").add_argument(
        "file", metavar="FILE", help="`-` is standard output"
    )
    command(commands, "restore", restore, "put a backup into an empty place; the copy sends nothing").add_argument(
        "file", metavar="FILE"
    )
    again = command(commands, "rebuild", rebuild, "fold the log again, offline, and write what differs")
    again.add_argument("--check", action="store_true", help="only compare; exit 1 when anything differs")
    again.add_argument("--workspace", metavar="W", help="this one alone, by name")
    resumed = command(commands, "resume-profile", resume_profile, "fold what was parked of a profile")
    resumed.add_argument("profile", metavar="PROFILE", help="prf_..., user:<userId> or anon:<anonymousId>")
    resumed.add_argument("--workspace", required=True, metavar="W", help="name or id")
    unlock = command(commands, "unlock-sending", unlock_sending, "tell a restored copy that it is the original")
    unlock.add_argument(
        "--waiting", choices=("send", "drop"), help="what becomes of marketing messages due since the backup"
    )


def _add_files(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Definitions as files, history from files."""
    made = {
        name: command(commands, name, run, about)
        for name, run, about in (
            ("plan", plan, "how a folder of definitions differs from what rules, and whom it would move"),
            ("apply", apply, "publish what differs, after asking"),
            ("export", export, "write every definition as a YAML file"),
        )
    }
    for each in made.values():
        each.add_argument("dir", metavar="DIR", help="one folder a kind, one YAML file a definition")
        each.add_argument("--workspace", metavar="W", help="name or id, where there are several")
    made["plan"].add_argument("--json", action="store_true")
    made["apply"].add_argument("--yes", action="store_true", help="do not ask")
    taken = command(commands, "import", import_file, "events or profiles from a CSV, JSONL or Parquet file")
    taken.add_argument("file", metavar="FILE")
    taken.add_argument("--map", required=True, metavar="MAP.yaml", help="which column becomes what")
    taken.add_argument("--workspace", metavar="W", help="name or id, where there are several")
    taken.add_argument("--dry-run", action="store_true", help="count, show the first rejects, write nothing")
    taken.add_argument("--rejects", metavar="CSV", help="where rejected rows go (FILE.rejected.csv)")
    taken.add_argument("--json", action="store_true", help="the counts as JSON")
