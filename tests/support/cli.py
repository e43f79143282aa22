"""The `wakil` command in this process: what it prints, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Result]


@pytest.fixture
def wakil(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Command:
    """A function that runs `wakil ARGUMENTS…`; no settings of the machine have a say in it."""
    monkeypatch.setenv("WAKIL_CONFIG", "")

    def run(*arguments: str | Path) -> Result:
        capfdbinary.readouterr()
        code: Any = 0
        try:
            main([str(each) for each in arguments])
        except SystemExit as end:
            code = end.code
        captured = capfdbinary.readouterr()
        return Result(int(code or 0), captured.out.decode(), captured.err.decode())

    return run


def lines(path: Path, *facts: Mapping[str, Any] | str | bytes) -> Path:
    """A file of facts: mappings as JSON, texts as they are."""
    with path.open("wb") as file:
        for fact in facts:
            line = fact if isinstance(fact, str | bytes) else json.dumps(fact)
            file.write((line if isinstance(line, bytes) else line.encode()) + b"\n")
    return path
