"""The command line as its contract promises it, alone and against a running server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.wakil import RunningWakil, write_files

PROGRAM = str(Path(sys.executable).with_name("wakil"))
FILES = {
    "policies/disks.yaml": """
name: disks
rules:
  - name: full
    when: disk.used_percent > 90
    then: [{alert: "{{ disk.mount }} is full"}]
""",
    "playbooks/says.yaml": """
name: says
description: Says a word.
inputs: {word: {type: string, required: true}, times: {type: integer, default: 1}}
steps: [{name: Say, uses: command.run, with: {argv: [/bin/echo, "{{ inputs.word }}"]}}]
""",
    "playbooks/breaks.yaml": """
name: breaks
steps: [{name: Break, uses: command.run, with: {argv: [/bin/false]}}]
""",
    "playbooks/asks.yaml": """
name: asks
steps:
  - {name: Ask, ask: {role: operator, timeout: 1h, message: "Really?"}}
  - {name: Say, uses: command.run, with: {argv: [/bin/echo, done]}}
""",
    "configs/agents.yaml": """
agents: {performance: {enabled: false}, apps: {enabled: false}, logs: {enabled: false}}
""",
    "configs/wakil.yaml": "server: {host_name: box}\n",
}


def wakil(
    *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WAKIL_")}
    return subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**clean, **environment},
        check=False,
    )


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return write_files(tmp_path / "content", FILES)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWakil]:
    place = tmp_path_factory.mktemp("commands")
    with RunningWakil(write_files(place / "content", FILES), place / "data") as running:
        yield running


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


# ── alone ─────────────────────────────────────────────────────────────────────────────────────


def test_alone_every_command_works_in_the_content_s_own_var(content: Path) -> None:
    """Without a server; the data directory is `var/` in the content directory."""
    assert "nothing" in good(wakil("runs", cwd=content))
    assert (content / "var").is_dir()
    assert (content / "var").stat().st_mode & 0o077 == 0
    made = wakil("token", "create", "--name", "ci", "--role", "operator", cwd=content)
    again = wakil("token", "create", "--name", "ci", "--role", "operator", cwd=content)
    assert re.fullmatch(r"\S+\n", good(made))
    assert made.stderr == ""
    assert good(again) != made.stdout
    said = wakil("play", "says", "--with", "word=hello", cwd=content)
    run = re.fullmatch(r"(r_\w+) succeeded\n", good(said))
    assert run is not None
    runs = json.loads(good(wakil("runs", "--format", "json", cwd=content)))
    assert [(each["id"], each["playbook"], each["status"]) for each in runs] == [
        (run[1], "says", "succeeded")
    ]
    assert run[1] in good(wakil("runs", "--playbook", "says", cwd=content))
    told = good(wakil("explain", run[1], cwd=content))
    assert "hello" in told
    assert "succeeded" in told
    assert json.loads(good(wakil("explain", run[1], "--format", "json", cwd=content)))
    outcomes = json.loads(good(wakil("facts", "outcome", "--format", "json", cwd=content)))
    assert [each["data"]["run"] for each in outcomes] == [run[1]]
    assert json.loads(good(wakil("alerts", "--format", "json", cwd=content))) == []
    broken = wakil("play", "breaks", "--format", "json", cwd=content)
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["status"] == "failed"
    assert "breaks" in good(wakil("alerts", cwd=content))
    good(wakil("audit", "verify", cwd=content))


def test_alone_what_waits_for_a_person_is_left_to_the_next_command(content: Path) -> None:
    asked = wakil("play", "asks", cwd=content)
    assert asked.returncode == 1
    run = re.fullmatch(r"(r_\w+) waiting\n", asked.stdout)
    assert run is not None
    assert "Really?" in asked.stderr
    assert "wakil approve" in asked.stderr
    good(wakil("approve", run[1], cwd=content))
    assert "succeeded" in good(wakil("runs", cwd=content))
    good(wakil("pause", "--reason", "lunch", cwd=content))
    held = wakil("play", "says", "--with", "word=x", cwd=content)
    assert held.returncode == 1
    assert "queued" in held.stdout
    assert "wakil resume" in held.stderr
    good(wakil("resume", cwd=content))
    runs = json.loads(good(wakil("runs", "--format", "json", cwd=content)))
    assert {each["status"] for each in runs} == {"succeeded"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("check", "--format", "xml"),
        ("test", "--nonsense"),
        ("simulate",),
        ("simulate", "--facts", "no-such-file"),
        ("explain",),
        ("play",),
        ("play", "says", "--with", "word"),
        ("approve",),
        ("reject",),
        ("runs", "--status", "nonsense"),
        ("alerts", "--status", "nonsense"),
        ("token", "create"),
        ("token", "create", "--name", "x"),
        ("token", "create", "--name", "x", "--role", "king"),
        ("facts", "--url", "ftp://example.org"),
        ("facts", "--limit", "0"),
        ("init",),
        ("run", "--port", "many"),
        ("run", "--port", "65536"),
    ],
    ids=" ".join,
)
def test_misuse_is_2(content: Path, arguments: tuple[str, ...]) -> None:
    done = wakil(*arguments, cwd=content)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "nothing"),
        ("explain", "r_nothing"),
        ("play", "nothing"),
        ("play", "says"),
        ("play", "says", "--with", "word=x", "--with", "times=many"),
        ("approve", "nothing"),
        ("reject", "nothing"),
        ("facts", "--url", "http://127.0.0.1:9"),
        ("run", "--content", "/nowhere"),
        ("run", "--config", "/nowhere"),
    ],
    ids=" ".join,
)
def test_failure_is_1_with_one_sentence(content: Path, arguments: tuple[str, ...]) -> None:
    done = wakil(*arguments, cwd=content)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert len(done.stderr.splitlines()) == 1


def test_init_makes_content_that_is_good(tmp_path: Path) -> None:
    made = tmp_path / "made"
    good(wakil("init", str(made)))
    assert {"policies", "playbooks", "configs"} <= {path.name for path in made.iterdir()}
    good(wakil("check", str(made)))
    good(wakil("test", str(made)))
    assert json.loads(good(wakil("check", "--format", "json", str(made)))) == []
    assert json.loads(good(wakil("test", "--format", "json", str(made))))["passed"] is True
    assert good(wakil("test", "--format", "junit", str(made))).startswith("<")
    again = wakil("init", str(made))
    assert again.returncode == 1
    assert "not empty" in again.stderr


def test_doctor(content: Path) -> None:
    found = json.loads(good(wakil("doctor", "--format", "json", cwd=content)))
    assert {"python", "content", "server"} <= {each["what"] for each in found}
    assert "content" in good(wakil("doctor", cwd=content))
    (content / "policies" / "disks.yaml").write_text("name: [")
    broken = wakil("doctor", cwd=content)
    assert broken.returncode == 1
    assert "WRONG content" in broken.stdout


def test_simulate(content: Path) -> None:
    facts = content / "facts.jsonl"
    fact = {
        "at": "2026-01-01T00:00:00Z",
        "kind": "disk",
        "host": "web-1",
        "data": {"mount": "/", "used_percent": 95},
    }
    gone = {**fact, "at": "2026-01-01T00:01:00Z", "data": {"mount": "/"}, "gone": True}
    facts.write_text(f"{json.dumps(fact)}\n{json.dumps(gone)}\n")
    out = good(wakil("simulate", "--facts", "facts.jsonl", cwd=content))
    assert out == good(wakil("simulate", "--facts", "facts.jsonl", cwd=content))
    first, second = map(json.loads, out.splitlines())
    assert list(first) == sorted(first)
    assert first == {
        "at": "2026-01-01T00:00:00Z",
        "because": [
            {
                "condition": "disk.used_percent > 90",
                "fact": fact,
                "file": "policies/disks.yaml",
                "line": 5,
            }
        ],
        "data": {"severity": "warning", "tell": "always", "text": "/ is full"},
        "decision": "alert",
        "firing": first["firing"],
        "key": {"host": "web-1", "disk.mount": "/"},
        "rule": "full",
        "ruleset": "disks",
    }
    assert (second["decision"], second["firing"]) == ("resolve", first["firing"])
    assert not (content / "var").exists()


def test_run_refuses_content_that_is_not_good(content: Path) -> None:
    (content / "policies" / "disks.yaml").write_text(
        FILES["policies/disks.yaml"].replace("_p", "p")
    )
    done = wakil("run", "--port", "0", cwd=content)
    assert (done.returncode, done.stdout) == (1, "")
    assert "policies/disks.yaml:5:11: disk has no field 'usedpercent'" in done.stderr
    assert "did you mean 'used_percent'?" in done.stderr
    assert "Traceback" not in done.stderr


# ── with a server ─────────────────────────────────────────────────────────────────────────────


def test_commands_speak_to_the_running_server(site: RunningWakil) -> None:
    site.post("/facts", {"kind": "disk", "data": {"mount": "/srv", "used_percent": 95}})
    facts = json.loads(good(site.command("facts", "disk", "--host", "box", "--format", "json")))
    assert [(each["kind"], each["host"], each["data"]["mount"]) for each in facts] == [
        ("disk", "box", "/srv")
    ]
    assert "/srv" in good(site.command("facts"))
    alerts = json.loads(good(site.command("alerts", "--status", "open", "--format", "json")))
    assert [each["text"] for each in alerts] == ["/srv is full"]
    told = good(site.command("explain", alerts[0]["firing"]))
    for word in ("fact", "condition", "policies/disks.yaml:5", "rule", "decision"):
        assert word in told
    said = good(site.command("play", "says", "--with", "word=hi", "--with", "times=2"))
    assert said.endswith(" succeeded\n")
    later = good(site.command("play", "says", "--with", "word=hi", "--no-wait"))
    assert re.fullmatch(r"r_\w+ \w+\n", later)
    assert "performance" in good(site.command("agents"))
    good(site.command("pause"))
    assert site.get("/system/status")["automation"]["paused"] is True
    good(site.command("resume"))
    assert site.get("/system/status")["automation"]["paused"] is False


def test_a_server_elsewhere_by_url_and_token(site: RunningWakil, tmp_path: Path) -> None:
    url = site.server["url"]
    token = good(site.command("token", "create", "--name", "far", "--role", "viewer")).strip()
    nowhere = wakil("runs", "--url", url, cwd=tmp_path)
    assert nowhere.returncode == 1
    assert "WAKIL_TOKEN" in nowhere.stderr
    good(wakil("runs", "--url", url, cwd=tmp_path, WAKIL_TOKEN=token))
    refused = wakil("pause", "--url", url, cwd=tmp_path, WAKIL_TOKEN=token)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert list(tmp_path.iterdir()) == []


def test_one_data_directory_one_wakil(site: RunningWakil) -> None:
    second = wakil("run", "--port", "0", "--content", str(site.content), "--data", str(site.data))
    assert second.returncode == 1
    assert str(site.data) in second.stderr
    assert site.get("/system/health")["status"] == "ok"


def test_the_environment_says_where(content: Path, tmp_path: Path) -> None:
    places: dict[str, Any] = {"WAKIL_CONTENT": str(content), "WAKIL_DATA": str(tmp_path / "state")}
    assert "nothing" in good(wakil("runs", cwd=tmp_path, **places))
    assert (tmp_path / "state" / "wakil.db").exists()
    assert not (content / "var").exists()
    running = RunningWakil(
        content,
        tmp_path / "live",
        env={
            "WAKIL_AUTOMATION_MODE": "observe",
            "WAKIL_SERVER_HOST_NAME": "named",
            "WAKIL_SERVER_HOST_NAEM": "misspelt",
        },
    )
    with running:
        status = running.get("/system/status")
        assert status["host"] == "named"
        assert "did you mean 'WAKIL_SERVER_HOST_NAME'?" in running.log.read_text()
        assert status["automation"]["mode"] == "observe"
        run = good(running.command("play", "says", "--with", "word=x"))
        assert run.endswith(" observed\n")
