"""What the documentation says works: its YAML loads, its commands run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.wakil import RunningWakil, until, write_files

from engine.app.places import SHIPPED
from engine.cli.main import wakil

DOCS = sorted(SHIPPED.glob("docs/*.md"))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(path: Path, language: str) -> list[str]:
    return [body for kind, body in _BLOCK.findall(path.read_text()) if kind == language]


def _commands(path: Path) -> list[list[str]]:
    lines = [line for block in _blocks(path, "sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("wakil ")]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.stem)
def test_every_command_shown_exists_with_its_options(path: Path) -> None:
    for words in _commands(path):
        runner = CliRunner()
        answer = runner.invoke(wakil, [*words[1:2], "--help"])
        assert answer.exit_code == 0, words
        for option in (word for word in words[2:] if word.startswith("--")):
            nested = [word for word in words[1:3] if not word.startswith("-")]
            shown = runner.invoke(wakil, [*nested, "--help"]).output
            assert option in shown + answer.output, words


def test_the_language_guide_loads_and_its_cases_pass(tmp_path: Path) -> None:
    files = {}
    for block in _blocks(SHIPPED / "docs" / "language.md", "yaml"):
        head, _, body = block.partition("\n")
        files[head.removeprefix("# ").strip()] = body
    assert set(files) == {
        "policies/example.yaml",
        "playbooks/prune-old.yaml",
        "policies/tests/example.yaml",
        "policies/overrides.yaml",
    }
    files["configs/wakil.yaml"] = "content: {defaults: true}\n"
    content = write_files(tmp_path, files)
    for command in ("check", "test"):
        answer = CliRunner().invoke(wakil, [command, str(content)])
        assert answer.exit_code == 0, answer.output


def test_the_tutorial_heals_its_fault(tmp_path: Path) -> None:
    """Its commands in order, its YAML where it says; only the paths are this test's."""
    tutorial = SHIPPED / "docs" / "tutorial.md"
    commands = _commands(tutorial)
    site = tmp_path / "site"
    _run(commands[0], tmp_path)
    pid_file, program = tmp_path / "worker.pid", tmp_path / "worker"
    program.write_text(f"#!/bin/sh\necho $$ > {pid_file}\nexec sleep 1000\n")
    program.chmod(0o755)
    agents = _blocks(tutorial, "yaml")[0]
    agents = agents.replace("/tmp/worker.pid", str(pid_file)).replace("/tmp/worker]", f"{program}]")
    (site / "configs" / "agents.yaml").write_text(agents)
    assert [words[1] for words in commands] == ["init", "check", "test", "run", "runs", "explain"]
    for words in commands[1:3]:
        _run(words, tmp_path)
    with RunningWakil(site, site / "var") as wakil_:
        run = until(lambda: _verified(wakil_), what="the service to be healed")
        listed = _run(commands[4], tmp_path)
        assert run["id"] in listed
        story = _run([run["id"] if word == "ID" else word for word in commands[5]], tmp_path)
        assert "services/service-down" in story
        assert "verified" in story
    subprocess.run(["kill", "-9", pid_file.read_text().strip()], check=False)


def _verified(wakil_: RunningWakil) -> dict[str, str]:
    runs = wakil_.get("/runs", status="succeeded")["items"]
    return runs[0] if runs else {}


def _run(words: list[str], cwd: Path) -> str:
    command = [sys.executable, "-m", "engine.cli", *words[1:]]
    answer = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout
