"""Attacks on the hands: by whoever holds their socket, and by a disk that is full."""

import contextlib
import json
import os
import random
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.act.authorise import permissions
from engine.act.charter import compile_charter
from engine.act.hand.ledger import Ledger
from engine.act.hand.paths import open_directory
from engine.act.hand.protocol import MAX_REQUEST, Refusal, Unknown, frame, parse_request
from engine.act.hand.rates import check_pause

PROGRAM = Path(__file__).parents[2] / "engine/act/hands.py"


class Wire:
    """The server's end of the socket, without the client's good manners."""

    def __init__(self, data, *, actions=None, shared=False, logs=(), limits=None):
        agents = {"logs": {"files": list(logs)}}
        charter = dict(
            compile_charter(permissions(shared=shared, actions=actions), agents, data).data
        )
        state = Path(charter["state"])
        state.mkdir(parents=True, mode=0o700, exist_ok=True)
        path = state / "charter.json"
        path.write_text(json.dumps(charter))
        path.chmod(0o600)
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(20)
        with theirs:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-I", "-S", str(PROGRAM), "--socket", str(theirs.fileno()),
                    "--charter", str(path), "--parent", str(os.getpid()),
                ],
                pass_fds=[theirs.fileno()],
                stderr=subprocess.PIPE,
                preexec_fn=limits,
            )  # fmt: skip
        assert self.read()["ok"]

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.ours.recv(count - len(data))
            assert piece, "the hands have gone"
            data += piece
        return data

    def read(self):
        return json.loads(self.exactly(int.from_bytes(self.exactly(4), "big")))

    def ask(self, **fields):
        self.ours.sendall(frame(order(**fields)))
        return self.read()

    def alive(self):
        return self.process.poll() is None

    def close(self):
        self.ours.close()
        self.process.communicate(timeout=20)


@pytest.fixture
def wires():
    opened = []
    yield lambda *args, **more: opened.append(Wire(*args, **more)) or opened[-1]
    for wire in opened:
        wire.close()


def order(verb="exec", step="s", attempt=1, number=7, **args):
    deadline = int((time.time() + 30) * 1e6)
    return {
        "v": 1, "id": number, "run": "r", "step": step, "attempt": attempt, "verb": verb,
        "args": args, "approval": None, "deadline": deadline,
    }  # fmt: skip


def hostile_values():
    return [
        None, True, False, 0, -1, 1 << 61, 1 << 70, 1e308, float("inf"), "", "\0", "x" * 5000,
        "\ud800", "../../etc/passwd", "/proc/self/mem", "-rf", [], [[]], {}, {"a": {"b": []}},
        ["/bin/touch", {"x": 1}], "/dev/null\0/x", "\x1b[2J", "/", "//etc", "/./etc/shadow",
    ]  # fmt: skip


FIELDS = ["v", "id", "run", "step", "attempt", "verb", "args", "approval", "deadline"]
VERBS = [
    "service.start", "service.stop", "service.restart", "service.state", "process.signal",
    "journal.vacuum", "files.prune", "files.plan", "files.restore", "files.truncate", "exec",
    "command.describe", "log.open",
]  # fmt: skip
ARGUMENTS = [
    "id", "pid", "start_ticks", "signal", "grace", "bytes", "path", "root", "pattern",
    "older_than", "delete", "from", "argv", "cwd", "command", "params",
]  # fmt: skip


def fuzz(seed):
    """Orders that are nearly right: one to three places of each replaced by what is not."""
    chance = random.Random(seed)
    body = order(chance.choice(VERBS), step=f"s{seed}")
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.5:
            body[chance.choice(FIELDS)] = chance.choice(hostile_values())
        if isinstance(body["args"], dict):
            body["args"][chance.choice(ARGUMENTS)] = chance.choice(hostile_values())
    if chance.random() < 0.1:
        body.pop(chance.choice(FIELDS), None)
    return body


def test_nearly_right_orders_are_answered_and_change_nothing(tmp_path, wires):
    """The machine allows nothing: every order ends in an error, and the hands go on."""
    canary = tmp_path / "canary"
    canary.write_text("whole")
    wire = wires(tmp_path / "data", shared=True)
    for seed in range(400):
        body = json.dumps(fuzz(seed)).encode()
        assert len(body) <= MAX_REQUEST
        wire.ours.sendall(len(body).to_bytes(4, "big") + body)
        reply = wire.read()
        assert set(reply) == {"id", "error"}, (seed, reply)
        assert reply["error"]["code"] in ("refused", "failed"), (seed, reply)
    assert wire.alive()
    assert canary.read_text() == "whole"


@pytest.mark.parametrize("seed", range(8))
def test_any_bytes_are_an_order_or_a_refusal(seed):
    chance = random.Random(seed)
    good = json.dumps(order(argv=["/bin/true"])).encode()
    for _ in range(300):
        body = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        with contextlib.suppress(Refusal):
            assert parse_request(bytes(body)).attempt >= 0


def test_a_request_in_pieces_and_several_at_once(tmp_path, wires):
    wire = wires(tmp_path / "data")
    data = frame(order("exec", step="a", number=1, argv=["/bin/echo", "a"]))
    for byte in data:
        wire.ours.sendall(bytes([byte]))
    assert wire.read()["stdout"] == "a\n"
    many = b"".join(
        frame(order("exec", step=f"m{n}", number=n, argv=["/bin/true"])) for n in range(2, 42)
    )
    wire.ours.sendall(many)
    assert {wire.read()["id"] for _ in range(40)} == set(range(2, 42))


def test_more_than_can_wait_is_refused_and_not_kept(tmp_path, wires):
    wire = wires(tmp_path / "data")
    for number in range(1, 400):
        wire.ours.sendall(
            frame(order("exec", step=f"s{number}", number=number, argv=["/bin/sleep", "0.01"]))
        )
    replies = [wire.read() for _ in range(1, 400)]
    errors = {reply["error"]["message"] for reply in replies if "error" in reply}
    assert errors <= {"the hands have too many orders waiting"}
    assert sum("ok" in reply for reply in replies) >= 256


def test_an_attempt_replayed_over_another_connection_acts_once(tmp_path, wires):
    """Whoever restarts the hands cannot have an act a second time, nor a changed one."""
    mark = tmp_path / "mark"
    argv = ["/bin/sh", "-c", f"echo x >> {mark}"]
    first = wires(tmp_path / "data")
    said = first.ask(argv=argv)
    assert first.ask(argv=argv, number=8) == {**said, "id": 8}
    first.close()
    second = wires(tmp_path / "data")
    assert second.ask(argv=argv) == said
    other = second.ask(argv=["/bin/sh", "-c", f"echo y >> {mark}"])
    assert other["error"]["code"] == "refused"
    assert "different act" in other["error"]["message"]
    assert mark.read_text() == "x\n"


@pytest.mark.parametrize("path", ["a\ud800", "\udfff/b", "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, path):
    with pytest.raises(Refusal, match="is not a path"):
        open_directory(str(tmp_path), path)


def test_a_log_of_such_a_name_does_not_end_the_hands(tmp_path, wires):
    wire = wires(tmp_path / "data")
    body = json.dumps(order("log.open", root=str(tmp_path), path="\ud800")).encode()
    wire.ours.sendall(len(body).to_bytes(4, "big") + body)
    assert wire.read()["error"]["code"] == "refused"
    assert wire.ask(argv=["/bin/echo", "on"])["stdout"] == "on\n"


# ── what cannot be told counts as paused ──────────────────────────────────────────────────────


def test_a_pause_that_cannot_be_looked_at_is_a_pause(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    check_pause(str(data / "paused"))
    (data / "paused").symlink_to("nowhere")
    with pytest.raises(Refusal, match="paused"):
        check_pause(str(data / "paused"))
    (data / "paused").unlink()
    data.rmdir()
    with pytest.raises(Refusal, match="cannot be told"):
        check_pause(str(data / "paused"))
    data.write_text("a file in its place")
    with pytest.raises(Refusal, match="cannot be told"):
        check_pause(str(data / "paused"))


# ── a full disk ───────────────────────────────────────────────────────────────────────────────


def test_nothing_is_done_that_cannot_be_recorded(tmp_path, wires):
    """Files may grow to 300 bytes, as on a disk that has filled up: acts are refused, the hands
    stay, and what was recorded before is still known."""
    mark = tmp_path / "mark"

    def limits():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    wire = wires(tmp_path / "data", limits=limits)
    argv = ["/bin/mkdir", str(mark)]
    replies = [wire.ask(step=f"s{n}", argv=["/bin/true"]) for n in range(8)]
    assert "ok" in replies[0]
    refused = wire.ask(step="last", argv=argv)["error"]
    assert refused["code"] == "refused"
    assert "nothing is done unrecorded" in refused["message"]
    assert not mark.exists()
    assert wire.ask(step="s0", argv=["/bin/true"]) == replies[0]
    assert wire.alive()


def test_half_a_line_of_the_ledger_spoils_no_other(tmp_path, monkeypatch):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(str(path))
    first, second = (parse_request(json.dumps(order(step=s)).encode()) for s in "ab")
    real = os.write

    def torn(descriptor, data):
        real(descriptor, bytes(data)[:10])
        raise OSError(28, "No space left on device")

    ledger.begin(first)
    monkeypatch.setattr(os, "write", torn)
    with pytest.raises(Refusal, match="No space left"):
        ledger.begin(second)
    with pytest.raises(OSError, match="No space left"):
        ledger.finish(first, {"ok": True})
    monkeypatch.setattr(os, "write", real)
    assert ledger.recall(second) is None
    with pytest.raises(Unknown):
        ledger.recall(first)
    ledger.begin(second)
    ledger.finish(second, {"ok": True})
    ledger.close()
    again = Ledger(str(path))
    assert again.recall(second) == {"ok": True}
    with pytest.raises(Unknown):
        again.recall(first)
    again.close()
