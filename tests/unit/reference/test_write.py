"""The reference on disk is what the code says, nothing is missing in it, and everything has a sentence."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kizuna import app
from kizuna.cli import parser
from kizuna.config import PREFIX, Config
from kizuna.journeys.steps import all_steps
from kizuna.messages.message import NUMBER
from kizuna.providers import all_providers
from kizuna.reference.page import module_says, said
from kizuna.reference.pages.endpoints import PARAMETER, endpoints
from kizuna.reference.shape import fields
from kizuna.reference.source import codes, declared_facts, measures, said_facts
from kizuna.reference.write import files, write
from kizuna.segments import described, parse
from kizuna.segments.rule import OPERATORS
from kizuna.templates.liquid_engine import plain_environment

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "reference"


@cache
def written() -> dict[str, str]:
    return files(parser())


def test_the_pages_on_disk_are_what_the_code_says() -> None:
    on_disk = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    stale = [name for name, text in written().items() if on_disk.get(name) != text]
    assert not stale, "run `kizuna reference --to docs/reference`"


def test_no_page_is_left_of_an_earlier_time() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(written())


def test_pages_that_are_no_more_are_taken_away_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text(written()["facts.md"], "utf-8")
    (tmp_path / "own.md").write_text("mine", "utf-8")
    write(tmp_path, parser())
    assert {path.name for path in tmp_path.iterdir()} == {*written(), "own.md"}


def test_every_route_of_the_app_is_there() -> None:
    page = written()["endpoints.md"]
    paths = {PARAMETER.sub(r"{\1}", path) for route in app.ROUTES for path in getattr(route, "paths", ())}
    assert len(paths) > 100
    assert not [path for path in sorted(paths) if f"{path}`" not in page]


def test_every_setting_is_there() -> None:
    page = written()["settings.md"]
    assert not [name for name in Config.__struct_fields__ if f"`{PREFIX}{name.upper()}`" not in page]


def test_every_fact_that_is_said_is_declared() -> None:
    declared = {fact.name for fact in declared_facts()}
    said = said_facts()
    assert {"segment_entered", "campaign_launched", "message_skipped", "message_replied", "message_…"} <= said.keys()
    for name, place in said.items():
        prefix, is_open, _ = name.partition("…")
        known = any(each.startswith(prefix) for each in declared) if is_open else name in declared
        assert known, f"{place} says {name}: declare it in the facts.py of its slice"
    states = {state for state in NUMBER if "_" not in state}  # the others are what no person did
    assert {f"message_{state}" for state in states - {"claimed", "handed"}} <= declared


def test_a_fact_is_declared_once_and_says_when() -> None:
    names = [fact.name for fact in declared_facts()]
    assert len(names) == len(set(names))
    assert not [fact.name for fact in declared_facts() if not fact.when or not all(fact.properties.values())]


def test_every_form_and_operator_of_rules_is_described() -> None:
    assert list(described.FORMS) == list(parse._FORMS)
    assert list(described.OPERATORS) == list(OPERATORS)


def test_nothing_is_without_a_sentence() -> None:
    silent = [each.title for each in endpoints() if not said(each.handler.fn)]
    silent += [each.name for each in fields(Config) if not each.about]
    silent += [each.name for each in measures() if not each.about]
    silent += [name for name, each in (all_providers() | all_steps()).items() if not module_says(each)]
    ours = plain_environment(autoescape=False)
    silent += [name for name in ours.filters if f"| `{name}` |  |" in written()["templates.md"]]
    assert not silent, f"{silent} need a docstring, or a comment beside the field"


def test_the_codes_of_errors_are_found_with_their_status() -> None:
    statuses = {(each.code, each.status) for each in codes()}
    expected = {("not_settled", 504), ("template_error", 422), ("idempotency_conflict", 409), ("opted_out", 409)}
    assert expected | {("invalid_json", 400), ("too_many", 429), ("invalid_http", 400)} <= statuses
