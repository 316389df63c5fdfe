"""The main job on a real shop's year: replay it through the public endpoint and look at what became of it."""

from __future__ import annotations

from kizuna.config import Config


def main(config: Config, *, exit_after: bool = False, as_json: bool = False) -> int:
    from kizuna.demo.run import run

    return run(config, exit_after=exit_after, as_json=as_json)
