"""Settings, from the command line, `KIZUNA_*` variables and kizuna.toml, in that order."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from kizuna.core.errors import Invalid
from kizuna.core.ids import PARTITIONS_DEFAULT

FILE = "kizuna.toml"
PREFIX = "KIZUNA_"
MOST_SENDERS = 4  # where nobody says how many
UNUSABLE = "[]*?"  # the lake's engines read them as patterns


class Config(Struct, frozen=True, kw_only=True):
    """What an operator may set. Each is `KIZUNA_NAME` in the environment and `name` in kizuna.toml."""

    data: Path = Path("kizuna-data")  # the folder of everything that is kept; absolute once loaded
    database_url: str = ""  # empty: PostgreSQL runs embedded in the data folder
    log_url: str = ""  # kafka://...; empty: the log lives in PostgreSQL
    lake_url: str = ""  # a folder or s3://...; once loaded, never empty
    lake_engine: str = "duckdb"  # or sc://host:15002
    public_url: str = ""  # the base of links in messages; empty: the address listened on
    url: str = ""  # how commands reach a running Kizuna; empty: found by the data folder
    secret: str = ""  # signs links; empty: the one made at install
    host: str = "127.0.0.1"  # the address to listen on
    port: int = 8700  # to listen on; 0 takes any that is free
    workers: int = 1  # processes that fold, which share the partitions
    senders: int = 0  # processes that deliver where there is much to say; 0: one a core, four at most
    partitions: int = PARTITIONS_DEFAULT  # read at the first migration only
    allow_private_targets: tuple[str, ...] = ()  # CIDRs that outgoing requests may reach although private
    dns_servers: str = ""  # who is asked when a domain is checked, as 192.0.2.1:53, with commas; empty: this machine's
    fonts: str = ""  # a TrueType font for letters, or a folder of some, looked at before the machine's own
    max_body: int = 32 << 20  # bytes of one ingest request
    max_event: int = 512 << 10  # bytes of one event in it
    most_behind: int = 200_000  # events of a workspace that may wait to be folded before ingest answers 429
    cached_records: int = 20_000  # customers a worker keeps in memory
    postgres_memory: int = 96  # megabytes of pages the embedded PostgreSQL keeps in memory
    log_level: str = "info"  # debug, info, warning or error

    @property
    def links_base(self) -> str:
        """The base of links in messages."""
        return self.public_url or self.url or f"http://{self.host}:{self.port}"

    @property
    def sender_processes(self) -> int:
        return self.senders or min(os.cpu_count() or 1, MOST_SENDERS)

    def environment(self) -> dict[str, str]:
        """The variables from which a child process loads the same settings."""
        given = ((name, value) for name, value in structs.asdict(self).items() if value not in ("", ()))
        return {f"{PREFIX}{name.upper()}": ",".join(v) if isinstance(v, tuple) else str(v) for name, v in given}


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None, **given: Any) -> Config:
    """The settings of a process started in `folder`; `given` are those of its command line, None where not."""
    environ = os.environ if environ is None else environ
    folder = folder or Path.cwd()
    file, named = _from_file(folder / FILE), {name: value for name, value in given.items() if value is not None}
    values = {**file, **_from_environment(environ), **named}
    values = {name: _typed(name, value) for name, value in values.items()}
    data = (folder / values.get("data", Path("kizuna-data")).expanduser()).absolute()
    if any(sign in str(data) for sign in UNUSABLE):
        raise Invalid(
            f"the data folder {data} has one of [ ] * ? in its path: choose another with --data or KIZUNA_DATA"
        )
    return Config(**{**values, "data": data, "lake_url": values.get("lake_url") or str(data / "lake")})


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Variables of ours that are no settings (KIZUNA_TEST_BROWSER) are left alone."""
    names = {f"{PREFIX}{name.upper()}": name for name in Config.__struct_fields__}
    return {names[variable]: value for variable, value in environ.items() if variable in names and value}


def _typed(name: str, value: Any) -> Any:
    """A value as its field wants it; raises `Invalid` in one line."""
    match name:
        case "data":
            return Path(str(value))
        case (
            "port"
            | "workers"
            | "senders"
            | "partitions"
            | "max_body"
            | "max_event"
            | "most_behind"
            | "cached_records"
            | "postgres_memory"
        ):
            return _number(name, value)
        case "allow_private_targets":
            return _networks(value)
        case _ if name in Config.__struct_fields__:
            return str(value)
    raise Invalid(f"{name!r} in {FILE} is no setting; known are {', '.join(sorted(Config.__struct_fields__))}")


_LIMITS = {
    "port": (0, 65_535),
    "workers": (1, 64),
    "senders": (0, 64),
    "partitions": (1, 32_767),
    "max_body": (1 << 10, 1 << 30),
}
_LIMITS.update(
    {
        "cached_records": (100, 10_000_000),
        "postgres_memory": (16, 1 << 20),
        "max_event": (1 << 10, 1 << 26),
        "most_behind": (1, 1 << 40),
    }
)


def _number(name: str, value: Any) -> int:
    least, most = _LIMITS[name]
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise Invalid(f"{name} is {value!r}: give a whole number from {least} to {most}")
    return number


def _networks(value: Any) -> tuple[str, ...]:
    texts = value.split(",") if isinstance(value, str) else list(value)
    try:
        return tuple(str(ip_network(str(text).strip(), strict=False)) for text in texts if str(text).strip())
    except ValueError as error:
        raise Invalid(f"allow_private_targets holds no network like 10.0.0.0/8: {error}") from None
