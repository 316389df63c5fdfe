"""Which font writes a sign: one's own first, then those of the machine, then the one that came along."""

from __future__ import annotations

import shutil
from pathlib import Path

import reportlab

from kizuna.paper import fonts
from kizuna.paper.wrap import BOLD, PLAIN


def test_ones_own_come_first_bold_ones_by_their_names(tmp_path: Path) -> None:
    bundled = Path(reportlab.__file__).parent / "fonts"
    shutil.copy(bundled / "VeraIt.ttf", tmp_path / "Ours-Regular.ttf")
    shutil.copy(bundled / "VeraBI.ttf", tmp_path / "Ours-Bold.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    own = fonts.own_files(str(tmp_path))
    assert [fonts.found(own, is_bold)[0].name for is_bold in (False, True)] == ["Ours-Regular.ttf", "Ours-Bold.ttf"]
    one = fonts.own_files(str(tmp_path / "Ours-Bold.ttf"))
    assert [fonts.found(one, is_bold)[-1].name for is_bold in (False, True)] == [fonts.BUNDLED, fonts.BUNDLED_BOLD]
    assert fonts.found(one, is_bold=True)[0].name == "Ours-Bold.ttf"


def test_one_that_is_not_there_is_passed_by(tmp_path: Path) -> None:
    assert fonts.own_files(str(tmp_path / "nowhere.ttf")) == fonts.own_files("") == []


def test_marks_have_no_width_and_what_no_font_has_is_missing() -> None:
    assert fonts.width(f"{BOLD}{PLAIN}", 10) == 0
    assert fonts.width(f"{BOLD}wide{PLAIN}", 10) > fonts.width("wide", 10) > 0
    assert fonts.missing("a\U0010ffff b\U0010ffff") == "\U0010ffff"
    assert fonts.VARIABLE in fonts.ADVICE
