"""Names of files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kizuna.definitions.naming import DRAFT, SUFFIX, file_names, read_name, stem_of

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(st.sets(NAMES, max_size=6), st.booleans())
def test_a_file_says_its_name_or_the_document_must(names: set[str], is_draft: bool) -> None:
    found = file_names(names)
    assert set(found) == names
    assert len({stem.casefold() for stem, _ in found.values()}) == len(names)
    for name, (stem, says) in found.items():
        assert not set(stem) & set('/\\.:*?"<>|\0') and len((stem + DRAFT + SUFFIX).encode()) <= 255
        read = read_name(f"{stem}{DRAFT if is_draft else ''}{SUFFIX}")
        assert read is not None and read[1] is is_draft
        if says:
            assert read[0] == name


def test_names_stay_readable() -> None:
    assert stem_of("win_back-2") == "win_back-2"
    assert stem_of("再購入") == "再購入"
    assert stem_of("a b.draft/../c") == "a%20b%2Edraft%2F%2E%2E%2Fc"


def test_names_that_one_file_system_takes_for_one_are_kept_apart() -> None:
    found = file_names({"vip", "VIP", "gold"})
    assert found["gold"] == ("gold", True)
    assert not found["vip"][1] and not found["VIP"][1]


def test_other_files_are_no_documents() -> None:
    assert read_name("README.md") is None
    assert read_name(".hidden.yaml") is None
    assert read_name("a.yml") == ("a", False)
