"""A folder of definitions."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizuna.core.errors import Unprocessable
from kizuna.definitions.document import Document
from kizuna.definitions.folder import read, write

VIP = Document("segment", "vip", {"title": "Our best", "where": {"trait": "plan", "is": "vip"}})
LONG = Document("segment", "顧客" * 50, {"where": {"did": "A"}})
DRAFT = Document("journey", "a/b", {"steps": []}, is_draft=True)


def plain(documents: list[Document]) -> list[tuple[str, str, object, bool]]:
    return sorted((each.kind, each.name, each.body, each.is_draft) for each in documents)  # type: ignore[type-var]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    done = write(tmp_path, [VIP, LONG, DRAFT])
    assert len(done.written) == 3 and not done.strange
    assert plain(read(tmp_path)) == plain([VIP, LONG, DRAFT])
    assert write(tmp_path, [VIP, LONG, DRAFT]).written == []


def test_a_file_that_says_the_same_keeps_its_comments_also_under_another_name(tmp_path: Path) -> None:
    file = tmp_path / "segments" / "mine.yml"
    file.parent.mkdir()
    text = "# chosen in May\nname: vip\nwhere: {is: vip, trait: plan}\ntitle: Our best\n"
    file.write_text(text)
    assert write(tmp_path, [VIP]).written == []
    assert file.read_text() == text
    changed = Document("segment", "vip", {"where": {"did": "A"}})
    assert write(tmp_path, [changed]).written == ["segments/vip.yaml"]
    assert not file.exists() and plain(read(tmp_path)) == plain([changed])


def test_files_of_what_is_not_there_are_named_and_left(tmp_path: Path) -> None:
    write(tmp_path, [VIP, LONG])
    assert write(tmp_path, [LONG]).strange == ["segments/vip.yaml"]
    assert (tmp_path / "segments" / "vip.yaml").exists()


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for place, text in {
        "segments/list.yaml": "- a\n",
        "segments/twice.yaml": "where: {}\nwhere: {}\n",
        "segments/x.draft.yaml": "where: {}\n",
        "segmnts/a.yaml": "where: {}\n",
        "top.yaml": "a: 1\n",
        "templates/large.yaml": "body: " + "x" * (3 << 20),
        "notes/README.md": "let be",
    }.items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(text)
    with pytest.raises(Unprocessable) as refused:
        read(tmp_path)
    assert {each.pointer: each.code for each in refused.value.errors} == {
        "segments/list.yaml": "not_an_object", "segments/twice.yaml": "invalid_yaml",
        "segments/x.draft.yaml": "no_drafts", "segmnts": "unknown_kind",
        "top.yaml": "misplaced", "templates/large.yaml": "too_large",
    }  # fmt: skip
