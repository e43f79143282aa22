"""What commands that work alone leave on the disk: their user's alone, whatever the umask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command",
    [["token", "create", "--name", "ci", "--role", "viewer"], ["pause"], ["runs"], ["facts"]],
    ids=lambda words: words[0],
)
def test_a_command_alone_writes_for_its_user_only(tmp_path: Path, command: list[str]):
    (tmp_path / "content/policies").mkdir(parents=True)
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    old = os.umask(0)
    try:
        done = subprocess.run(
            [
                sys.executable, "-m", "engine.cli", *command, "--content",
                str(tmp_path / "content"), "--data", str(data),
            ],
            env={**os.environ, "WAKIL_CONFIG": ""},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )  # fmt: skip
    finally:
        os.umask(old)
    assert done.returncode == 0, done.stderr
    written = [path for path in data.rglob("*") if path.name != "data"]
    assert {"wakil.db", "audit.key"} <= {path.name for path in written}
    for path in written:
        assert not path.stat().st_mode & 0o077, path
    if command[0] == "token":
        (token,) = done.stdout.splitlines()
        assert not any(token.encode() in path.read_bytes() for path in written if path.is_file())
