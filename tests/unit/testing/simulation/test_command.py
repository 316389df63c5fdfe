"""`bin/simulate` says how much it tried, and shows a failing story in words."""

from __future__ import annotations

import pytest

from kizuna.testing.simulation import command
from kizuna.testing.simulation.show import show_story
from kizuna.testing.simulation.story import write_story


def test_many_seeds_end_with_one_line_of_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", "5", "--from", "20"]) == 0
    assert capsys.readouterr().out.startswith("5 seeds, 0 failed; ")


def test_one_seed_that_holds_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seed", "3"]) == 0
    assert "seed 3: all is well" in capsys.readouterr().out


def test_a_story_is_shown_with_every_act() -> None:
    story = write_story(8)
    shown = list(show_story(story))
    assert all(any(line.startswith(f"{act.number:3d}  ") for line in shown) for act in story.acts)
