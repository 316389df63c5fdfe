"""The tests mirror the tree: a reader of a file knows where its tests are."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src" / "kizuna"
OF_THE_HOUSE = {"test_house.py", "test_mirror.py"}  # about the repository, not about one file


@pytest.mark.parametrize("test", sorted(HERE.rglob("test_*.py")), ids=lambda path: str(path.relative_to(HERE)))
def test_each_unit_test_has_its_source(test: Path) -> None:
    folder, name = test.parent.relative_to(HERE), test.stem.removeprefix("test_")
    if test.parent == HERE and test.name in OF_THE_HOUSE:
        return
    words = name.split("_")
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]  # test_<file>.py or test_<file>_<aspect>.py
    beside = SOURCE / folder
    assert any((beside / f"{name}.py").is_file() or (beside / name / "__init__.py").is_file() for name in names), (
        f"{test.relative_to(HERE)} tests {folder / name}.py, which does not exist"
    )


def test_folders_mirror_folders() -> None:
    assert not [
        folder for folder in HERE.rglob("*")
        if folder.is_dir() and folder.name != "__pycache__" and not (SOURCE / folder.relative_to(HERE)).is_dir()
    ]  # fmt: skip
