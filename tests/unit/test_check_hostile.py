"""Hostile content through `wakil check`: little time, little memory, one sentence a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def rules(*written: str) -> str:
    return "name: a\nrules:\n" + "".join(written)


def rule(when: str, name: str = "r", then: object = ()) -> str:
    return f"  - {{name: {name}, when: {json.dumps(when)}, then: {json.dumps(list(then))}}}\n"


def alert(text: str) -> str:
    return rules(rule("cpu.percent > 1", then=[{"alert": text}]))


def pattern(text: str) -> str:
    return rules(rule(f"matches(log.message, {json.dumps(text)})"))


CORPUS: dict[str, Callable[[], str | bytes]] = {
    "deep lists": lambda: "[" * 100_000,
    "deep mappings": lambda: "{a: " * 100_000,
    "deep blocks": lambda: "".join(" " * n + "a:\n" for n in range(1400)),
    "alias bomb": lambda: (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n"
            for n in range(20)
        )
    ),
    "many keys": lambda: "".join(f"k{n}: 1\n" for n in range(90_000)),
    "one key": lambda: "k: 1\n" * 190_000,
    "many rules": lambda: rules(*(rule("cpu.percent > 1", f"r{n}") for n in range(17_000))),
    "many mistakes": lambda: rules(
        *(rule(f"kind{n}_{'x' * 60}.y > 1", f"r{n}") for n in range(2_000))
    ),
    "a megabyte of one name": lambda: rules(rule("cpu.percent > 1", "n" * 900_000)),
    "escapes": lambda: 'name: "' + "\\x41" * 240_000 + '"',
    "no text": lambda: b"\xff" * 999_000,
    "zeros": lambda: "\0" * 999_000,
    "tabs": lambda: "\t" * 999_000,
    "parentheses": lambda: rules(rule("(" * 1900 + "1" + ")" * 1900)),
    "brackets": lambda: rules(rule("[" * 1990 + "]" * 1990 + " == 1")),
    "signs": lambda: rules(rule("-" * 3900 + "1 > 0")),
    "negations": lambda: rules(rule("not " * 990 + "true")),
    "powers": lambda: rules(rule("9**9**9**9 > 1")),
    "digits": lambda: rules(rule("9" * 3990 + " > 1")),
    "subscripts": lambda: rules(rule("cpu" + "[0]" * 1300)),
    "attributes": lambda: rules(rule("cpu" + ".a" * 1990)),
    "strings repeated": lambda: rules(rule('"a" * 999999999 == 1')),
    "nested repetitions": lambda: pattern("(a{1,1000}){1,1000}" * 100),
    "nested groups": lambda: pattern("(?:" * 900 + ")" * 900),
    "wide classes": lambda: pattern(r"[\p{L}\p{N}]{1,999}" * 100),
    "backtracking": lambda: pattern("(a+)+" * 300 + "$"),
    "many expressions": lambda: alert("{{ host }}" * 5_000),
    "open braces": lambda: alert("{{" * 100_000),
    "open quotes": lambda: alert('{{ "' * 100_000),
    "backslashes": lambda: alert("{{ '" + "\\" * 300_000),
    "many parts": lambda: (
        "name: a\nrules:\n  - {name: r, when: {any: ["
        + ",".join(["cpu.percent > 1"] * 20_000)
        + "]}}\n"
    ),
}
CODE = """
import resource, sys, time
import engine.app.loading, engine.cli.content, engine.lang.settings
from engine.cli.main import main
used = int(time.process_time())
resource.setrlimit(resource.RLIMIT_CPU, (used + 2, used + 2))
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (256 << 20),) * 2)
main(["check", sys.argv[1]])
"""


@pytest.mark.parametrize("name", CORPUS)
def test_checking_it_stays_within_a_second_and_256_megabytes(name: str, tmp_path: Path):
    """The kernel kills the child where it takes more; the start of Python is not counted."""
    made = CORPUS[name]()
    for folder in ("policies", "playbooks"):
        (tmp_path / folder).mkdir()
        data = made if isinstance(made, bytes) else made.encode()
        (tmp_path / folder / "a.yaml").write_bytes(data if folder == "policies" else data[:50_000])
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)],
        capture_output=True,
        text=True,
        env={"WAKIL_CONFIG": "", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == 1, (done.returncode, done.stderr[-2000:])
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    assert lines
    assert all(len(line) < 1000 for line in lines)
    assert all(line.startswith(("policies/a.yaml:", "playbooks/a.yaml:")) for line in lines)
