"""The documented content, broken at random: only problems come out, each with its place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.content import load_content, write

from engine.core.errors import LangError, Problem

DOCUMENTED = Path(__file__).parent.parent / "testdata" / "documented"
TEXTS = {str(path.relative_to(DOCUMENTED)): path.read_text() for path in DOCUMENTED.rglob("*.yaml")}
VALUES = [
    *("5", "null", "true", "[]", "{}", "x", "[a, 5]", "{a: b}", "{all: [x, 5, null]}", "{any: []}"),
    *('"{{ disk.x }}"', '"{{"', "{{ a }}", "&a", "*a", "|", '"', "{", "- x", "5m", "candidate"),
    *("{sequence: 5}", "{all: {}}", "{that: 5, all: [disk.read_only]}", "☃", "\x01", "[host]"),
]


def broken(lines: list[str], chance: random.Random) -> list[str]:
    at = chance.randrange(len(lines))
    line, rest = lines[at], lines[:at] + lines[at + 1 :]
    kind = chance.randrange(4)
    if kind == 0:
        return rest
    if kind == 1:
        return [*lines[:at], lines[chance.randrange(len(lines))], *lines[at:]]
    if kind == 2 and ":" in line:
        key, _, value = line.partition(":")
        tail = value[value.index(",") :] if "," in value else ""
        return [*lines[:at], f"{key}: {chance.choice(VALUES)}{tail}", *lines[at + 1 :]]
    column = chance.randrange(len(line) + 1)
    change = chance.choice(["", " ", "x", '"', ":", "}", "]", "{", "é", "-", "\t"])
    return [*lines[:at], f"{line[:column]}{change}{line[column + 1 :]}", *lines[at + 1 :]]


@pytest.mark.parametrize("seed", range(25))
def test_broken_content_gives_problems_only(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    texts = dict(TEXTS)
    for _ in range(chance.randint(1, 4)):
        name = chance.choice(sorted(texts))
        texts[name] = "\n".join(broken(texts[name].split("\n"), chance))
    write(tmp_path, texts)
    for problem in problems(tmp_path):
        lines = texts[problem.position.file].split("\n")
        assert 1 <= problem.position.line <= len(lines)
        assert 1 <= problem.position.column <= len(lines[problem.position.line - 1]) + 1
        assert "\n" not in problem.message
        assert 0 < len(problem.message) < 500


def problems(root: Path) -> Sequence[Problem]:
    try:
        return load_content(root).warnings
    except LangError as error:
        return error.problems
