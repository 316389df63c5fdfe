"""Items in a file: what is written reads the same, and what cannot be taken is named by its line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna.catalogs.catalog import Catalog
from kizuna.catalogs.item import digest
from kizuna.catalogs.item_file import Writer, digests_of, items_of
from kizuna.core import exact_json
from kizuna.core.errors import Invalid

SHOP = Catalog(fields={"price": "number", "is_new": "boolean", "tags": "list", "since": "time"})
MUG = {"id": "mug", "name": "湯呑み, 大", "price": Decimal("12.50"), "is_new": True, "tags": ["a", 1]}

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def put(text: str | bytes, name: str = "shop.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return put


def items(path: Path, catalog: Catalog = SHOP) -> list[dict[str, Any]]:
    return list(items_of(path, catalog))


def refused(path: Path, catalog: Catalog = SHOP) -> list[str]:
    with pytest.raises(Invalid) as error:
        items(path, catalog)
    assert {each.pointer for each in error.value.errors} == {"/items"}
    return [each.message for each in error.value.errors]


CSV = 'id,name,price,is_new,tags,stock\nmug,"湯呑み, 大",12.50,TRUE,"[""a"",1]",\n7,,,,,3\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_cells_have_the_types_that_the_catalog_says_in_whatever_encoding(put: Put, encoding: str) -> None:
    assert items(put(CSV, encoding=encoding)) == [MUG, {"id": "7", "stock": "3"}]


@pytest.mark.parametrize(("delimiter", "name"), [(";", "a.csv"), ("\t", "a.tsv"), ("\t", "a.csv")])
def test_any_of_the_usual_delimiters(put: Put, delimiter: str, name: str) -> None:
    assert items(put(f"id{delimiter}price\nmug{delimiter}3\n", name)) == [{"id": "mug", "price": 3}]


def test_json_is_taken_as_lines_or_as_one_list(put: Put) -> None:
    mug, cup = exact_json.encode(MUG).decode(), '{"id": "cup"}'
    assert items(put(f"{mug}\n\n{cup}\n", "a.jsonl")) == items(put(f"[{mug}, {cup}]", "a.json")) == [MUG, {"id": "cup"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,price\na,cheap\n", "shop.csv line 2: price: 'cheap' is no number"),
        ('id,price\na,"""1"""\n', "shop.csv line 2: price: '\"1\"' is no number"),
        ("id,price\na,1e999\n", "shop.csv line 2: price: '1e999' is no number"),
        ("id,is_new\na,maybe\n", "shop.csv line 2: is_new: 'maybe' is no boolean"),
        ("id,tags\na,{}\n", "shop.csv line 2: tags: the catalog says list"),
        ("id,since\na,soon\n", "shop.csv line 2: since: the catalog says time"),
        ("id,name\na,x\na,y\n", "shop.csv line 3: id: 'a' stands on a line before"),
        ("id,name\n,x\n", "shop.csv line 2: id: a text of 1 to 200 printable characters"),
        ("id,name\na\n", "shop.csv line 2: 1 cells, where the header has 2"),
        ("name\nx\n", "shop.csv: it has no column id; it has name"),
        ("id,id\n1,2\n", "shop.csv: the first line must name the columns, each by a name of its own"),
        ("", "shop.csv: the first line must name the columns, each by a name of its own"),
        ("id,name\na,x\0y\n", "shop.csv line 2: text holds a NUL character; remove it"),
        (f"id,name\na,{'x' * 40_000}\n", "shop.csv line 2: an item has at most 32 kB"),
        (f"id,name\na,{'x' * (2 << 20)}\n", "shop.csv line 2: a line longer than 1 Mi characters"),
        (b"id,name\n" + "あいう,えお".encode() * 20 + b"\nb,\xff\xfe\n", "shop.csv line 3: text that is not of"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named_by_its_line(put: Put, text: str | bytes, said: str) -> None:
    assert any(each.startswith(said) for each in refused(put(text))), refused(put(text))


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("{}", "a.json", "a.json: not a list of objects"),
        ("[1]", "a.json", "a.json line 1: an object with an `id`"),
        ("[", "a.json", "a.json: the body is not JSON"),
        ('{"id": 1}\n', "a.jsonl", "a.jsonl line 1: id: a text"),
        ("id\n", "a.jsonl", "a.jsonl line 1: the body is not JSON"),
        ("[" + " " * (33 << 20), "a.json", "a.json: a list of more than 32 MB"),
    ],
)
def test_wrong_json_is_named_too(put: Put, text: str, name: str, said: str) -> None:
    assert refused(put(text, name))[0].startswith(said)


def test_no_more_than_ten_errors_are_said_and_a_missing_file_by_its_name(put: Put, tmp_path: Path) -> None:
    assert len(refused(put("id,price\n" + "a,x\n" * 50))) == 10
    with pytest.raises(Invalid) as error:
        digests_of(tmp_path / "none.csv", SHOP)
    assert error.value.errors[0].message == "there is no file none.csv beside this one"


def test_a_file_that_was_changed_is_read_again(put: Put) -> None:
    before = digests_of(put("id,price\na,1\n"), SHOP)
    assert digests_of(put("id,price\na,1\nb,20\n"), SHOP).keys() - before.keys() == {"b"}


def test_numbers_are_told_apart_as_they_are_kept() -> None:
    def of(text: str) -> bytes:
        return digest({"id": "a", "price": exact_json.decode(text.encode())})

    assert of("1e2") == of("100") == of("1.0E+2")
    assert of("-0.0") == of("0.0")
    assert len({of(text) for text in ("1", "1.0", "1.00", '"1"', "true", "null", "[1]")}) == 7
    assert digest({"id": "a", "b": 1}) == digest({"b": 1, "id": "a"})


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
numbers = st.integers(-(10**20), 10**20) | st.decimals(-(10**6), 10**6, places=2)
values = st.recursive(
    texts | numbers | st.booleans() | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)
names = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


def some(fields: Any) -> Any:
    made = st.tuples(names, st.dictionaries(names.filter(lambda name: name != "id"), fields, max_size=4))
    found = st.lists(made, max_size=6, unique_by=lambda each: each[0])
    return found.map(lambda all_: [{**said, "id": name} for name, said in all_])


def written(path: Path, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    writer = Writer(path, sorted({key for item in given for key in item}))
    writer.write(given)
    writer.close()
    return items(path, Catalog())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(given=some(values))
def test_json_written_reads_the_same(tmp_path: Path, given: list[dict[str, Any]]) -> None:
    assert written(tmp_path / "a.jsonl", given) == written(tmp_path / "a.json", given) == given


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(given=some(texts.filter(bool)))
def test_texts_written_as_csv_read_the_same(tmp_path: Path, given: list[dict[str, Any]]) -> None:
    assert written(tmp_path / "a.tsv", given) == given
    assert written(tmp_path / "a.csv", given) == given
