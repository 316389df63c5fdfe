"""Who may pass through which folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kizuna.runtime.identity import Identity, identity_for, may_enter


@pytest.mark.parametrize(("mode", "enters"), [(0o700, False), (0o711, True), (0o755, True), (0o710, False)])
def test_others_enter_by_the_last_digit(mode: int, enters: bool, tmp_path: Path) -> None:
    tmp_path.chmod(mode)
    assert may_enter(tmp_path, 54321, 54321) is enters


def test_the_owner_enters_by_the_first(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert may_enter(tmp_path, os.geteuid(), 54321)


@pytest.mark.skipif(os.geteuid() == 0, reason="root becomes another user")
def test_a_user_stays_itself(tmp_path: Path) -> None:
    assert identity_for(tmp_path) == Identity()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_becomes_the_owner_of_existing_data(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    os.chown(data, 65534, 65534)
    assert identity_for(data).user == 65534
