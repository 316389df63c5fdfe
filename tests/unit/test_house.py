"""The repository itself: links resolve, nothing names a machine, dependencies are declared, layers hold."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import unquote

import pytest

import kizuna
from kizuna.config import PREFIX, Config

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "kizuna"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SQL = re.compile(r"^\s*(SELECT\s.+\sFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|WITH \w+ AS|LOCK TABLE)\s", re.DOTALL)
SQL_FOLDERS = {"runtime", "insight", "bench", "testing"}


@cache
def tracked() -> list[Path]:
    """Files that belong to the repository: git's word, else (in a tarball) all that is not made by a build."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        made = {".venv", "node_modules", "__pycache__", "kizuna-data", "dist"}
        paths = [path for path in ROOT.rglob("*") if not made & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file())


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imported(path: Path) -> set[str]:
    """Top-level modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def distribution(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def declared(*extras: str) -> set[str]:
    """The distributions that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return {distribution(requirement) for requirements in lists for requirement in requirements}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_of_a_page_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / unquote(path)).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def anchors(page: Path) -> set[str]:
    """The names under which headings of a page can be linked to."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page.read_text())}


def test_nothing_names_the_machine_it_was_written_on() -> None:
    homes = (str(ROOT) + "/", str(Path.home()) + "/", "/" + "home/", "/" + "Users/", "/" + "root/")
    guilty = [name(path) for path in tracked() if any(home.encode() in path.read_bytes() for home in homes)]
    assert not guilty


def test_both_readmes_name_the_same_pages() -> None:
    english, japanese = ((ROOT / page).read_text() for page in ("README.md", "README.ja.md"))
    other = {"README.md", "README.ja.md"}
    assert {link.replace(".ja.", ".") for link in LINK.findall(english)} - other == {
        link.replace(".ja.", ".") for link in LINK.findall(japanese)
    } - other


def test_every_decision_is_listed_and_says_what_enforces_it() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text()))
    records = {path.name: path.read_text() for path in folder.glob("[0-9]*.md")}
    assert listed == set(records)
    for section in ("Context", "Decision", "Consequences", "Not taken", "What keeps it true"):
        assert not [record for record, text in records.items() if f"\n## {section}\n" not in text]


def test_every_setting_is_documented() -> None:
    guide = (ROOT / "docs" / "guides" / "operating.md").read_text()
    assert not [field for field in Config.__struct_fields__ if f"`{PREFIX}{field.upper()}`" not in guide]


def test_every_dependency_has_its_reason() -> None:
    record = (ROOT / "docs" / "decisions" / "0007-dependencies.md").read_text().lower()
    assert not [
        package for package in sorted(declared("test", "build")) if not re.search(rf"\b{re.escape(package)}\b", record)
    ]


def test_every_import_is_a_declared_dependency() -> None:
    known = set(sys.stdlib_module_names) | {"kizuna"}
    owners = packages_distributions()
    undeclared = {
        f"{name(path)}: {module}"
        for path in sources()
        for module in imported(path) - known
        if not {distribution(owner) for owner in owners.get(module, [])} & with_parts(declared())
    }
    assert not undeclared


def with_parts(packages: set[str]) -> set[str]:
    """The packages and what belongs to them under another name."""
    return packages | {"psycopg-pool", "psycopg-binary", "arro3-core"}


def test_the_lock_holds_every_dependency_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {distribution(line) for line in lock.splitlines() if re.match(r"[a-z].*==", line)}
    assert declared("test", "build") <= pinned
    assert len(re.findall(r"^[a-z][^\n]*==[^\n]*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(
        re.findall(r"^[a-z][^\n]*==", lock, re.MULTILINE)
    )
    assert not re.search(r"https?://|file:|--(index|find-links|extra-index)", lock)


def may_hold_sql(path: Path) -> bool:
    """A slice's store; the second reading of a rule beside its first; questions to the lake; the machines below."""
    folder = path.relative_to(SOURCE).parts[0]
    return path.name in {"store.py", "append.py"} or path.match("sql*.py") or folder in SQL_FOLDERS


def test_sql_stands_where_a_reader_looks_for_it() -> None:
    elsewhere = [
        f"{name(path)}:{node.lineno}"
        for path in sources()
        if not may_hold_sql(path)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert not elsewhere


def test_http_stands_in_routes_and_at_the_edge_only() -> None:
    elsewhere = [
        name(path)
        for path in sources()
        if not path.match("*routes.py") and path.relative_to(SOURCE).parts[0] not in {"edge", "server.py"}
        if imported(path) & {"litestar", "uvicorn"}
    ]
    assert not elsewhere


def test_every_file_opens_with_one_line_that_says_what_it_is() -> None:
    silent = [name(path) for path in sources() if not ast.get_docstring(parsed(path))]
    assert not silent


def test_every_folder_of_code_is_a_package() -> None:
    """import-linter sees nothing in a folder without one."""
    assert not [name(path.parent) for path in sources() if not (path.parent / "__init__.py").is_file()]


def test_no_file_is_a_drawer() -> None:
    drawers = {"utils.py", "util.py", "helpers.py", "service.py", "manager.py", "models.py", "types.py", "common.py"}
    assert not [name(path) for path in sources() if path.name in drawers]


def test_scripts_can_be_run() -> None:
    scripts = [ROOT / ".ci" / "run", *sorted((ROOT / "bin").iterdir())]
    assert not [name(script) for script in scripts if not os.access(script, os.X_OK)]


def test_ci_runs_exactly_make_test() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1].endswith("exec make test")


def test_the_version_is_one_the_changelog_can_name() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", kizuna.__version__)
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
