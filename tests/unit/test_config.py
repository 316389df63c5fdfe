"""Settings: where they come from and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizuna.config import Config, load
from kizuna.core.errors import Invalid


def test_defaults(tmp_path: Path) -> None:
    config = load({}, tmp_path)
    assert config.data == tmp_path / "kizuna-data"
    assert config.lake_url == str(tmp_path / "kizuna-data" / "lake")
    assert (config.database_url, config.host, config.port, config.partitions) == ("", "127.0.0.1", 8700, 64)


def test_command_line_wins_over_environment_over_file(tmp_path: Path) -> None:
    (tmp_path / "kizuna.toml").write_text(
        'port = 1\nworkers = 2\nhost = "::1"\nallow_private_targets = ["10.0.0.0/8"]\n'
    )
    config = load({"KIZUNA_PORT": "3", "KIZUNA_WORKERS": "4", "KIZUNA_HOST": ""}, tmp_path, port=5, data=None)
    assert (config.port, config.workers, config.host) == (5, 4, "::1")
    assert config.allow_private_targets == ("10.0.0.0/8",)


def test_a_child_loads_what_its_parent_had(tmp_path: Path) -> None:
    environ = {"KIZUNA_DATA": "a b/絆", "KIZUNA_ALLOW_PRIVATE_TARGETS": "127.0.0.1, 10.0.0.0/8", "KIZUNA_SECRET": "s"}
    config = load(environ, tmp_path, port=0)
    assert load(config.environment(), Path("/")) == config


@pytest.mark.parametrize("name", ["a[b", "a]", "what?", "*"])
def test_patterns_in_the_data_path_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"\[ \] \* \?") as caught:
        load({}, tmp_path, data=name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "environ",
    [{"KIZUNA_PORT": "http"}, {"KIZUNA_PORT": "70000"}, {"KIZUNA_WORKERS": "0"}, {"KIZUNA_ALLOW_PRIVATE_TARGETS": "x"}],
)
def test_values_that_cannot_be_are_refused(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        load(environ, tmp_path)


def test_unknown_settings_in_the_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kizuna.toml").write_text("prot = 1\n")
    with pytest.raises(Invalid, match=r"'prot'.*port"):
        load({}, tmp_path)


def test_other_variables_are_left_alone(tmp_path: Path) -> None:
    assert isinstance(load({"KIZUNA_TEST_BROWSER": "x", "KIZUNA_PARENT": "1"}, tmp_path), Config)
