"""Commands and signals: what runs, with which arguments, and for how long."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.act.hand.charter import parse
from engine.act.hand.commands import execute, fill, run_bounded
from engine.act.hand.processes import read_process, signal_process
from engine.act.hand.protocol import HandError, Refusal, Request, parse_request

HOSTILE = [
    "-rf",
    "--help",
    "a b",
    "a;rm -rf /",
    "$(id)",
    "`id`",
    "a\nb",
    "a\0b",
    "'",
    '"',
    "*",
    "../../etc/passwd",
    "{site}",
    "%s",
    "",
    "\u202eevil",
    "x" * 100_000,
    ["a", "b"],
    {"a": "b"},
    None,
]
ECHO = [sys.executable, "-I", "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", "{site}"]


def charter(tmp_path, **more):
    own = {"state": f"{tmp_path}/s", "trash": f"{tmp_path}/t", "pause": f"{tmp_path}/p"}
    return parse(own | more)


def ask(verb="exec", seconds=30, **args):
    deadline = time.time_ns() // 1000 + int(seconds * 1e6)
    return Request(1, "run", "steps.0", 1, verb, args, None, deadline)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_a_hostile_value_never_adds_an_argument(tmp_path, value):
    """With a pattern that lets everything through, the number of arguments stays what it was."""
    commands = {"say": {"argv": ECHO, "params": {"site": "(?s).*"}}}
    allowed = charter(tmp_path, commands=commands, allow=["command.run"])
    request = ask(command="say", params={"site": value})
    if not isinstance(value, str) or value[:1] == "-" or "\0" in value or len(value) > 1024:
        with pytest.raises(Refusal, match="site must"):
            execute(allowed, request)
    else:
        assert json.loads(execute(allowed, request)["stdout"]) == [value]


@given(st.text(), st.text(alphabet="a-{}x", max_size=5))
@settings(max_examples=300, deadline=None)
def test_as_many_arguments_as_were_declared(value, other):
    argv, patterns = ["/bin/x", "--a={a}", "{b}", "{a}{b}"], {"a": "(?s).*", "b": "(?s).*"}
    try:
        filled = fill(argv, patterns, {"a": value, "b": other})
    except Refusal:
        return
    assert filled == ["/bin/x", f"--a={value}", other, value + other]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"site": "rüh"}, "does not match its pattern"),
        ({"site": "ruhr"}, "does not match its pattern"),
        ({"site": "ruh\n"}, "does not match its pattern"),
        ({}, "needs the parameter 'site'"),
        ({"site": "ruh", "more": 1}, "has no parameter 'more'"),
        ("ruh", "must be an object"),
    ],
)
def test_params_that_do_not_fit(tmp_path, params, words):
    commands = {"say": {"argv": ECHO, "params": {"site": "[a-z]{3}"}}}
    with pytest.raises(Refusal, match=words):
        execute(charter(tmp_path, commands=commands), ask(command="say", params=params))


def test_the_environment_is_clean_and_inputs_are_closed(tmp_path, monkeypatch):
    monkeypatch.setenv("WAKIL_CANARY", "secret")
    code = (
        "import os, sys; print(sorted(os.environ), os.getsid(0) == os.getpid(), sys.stdin.read())"
    )
    reply = execute(charter(tmp_path, open=True), ask(argv=[sys.executable, "-I", "-c", code]))
    assert "CANARY" not in reply["stdout"]
    assert "True" in reply["stdout"]


def test_no_core_is_dumped(tmp_path):
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    reply = execute(charter(tmp_path, open=True), ask(argv=[sys.executable, "-I", "-c", code]))
    assert reply["stdout"] == "(0, 0)\n"


def test_outputs_are_cut_at_64_kib(tmp_path):
    code = "import sys; sys.stdout.write('x' * 10**7); sys.stderr.write('y' * 10**6)"
    reply = execute(charter(tmp_path, open=True), ask(argv=[sys.executable, "-I", "-c", code]))
    assert (len(reply["stdout"]), len(reply["stderr"])) == (65536, 65536)
    assert reply["exit_code"] == 0


def test_a_command_is_cut_off_at_its_deadline_with_all_its_children(tmp_path):
    script = f"sleep 1000 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(HandError, match="cut off at its deadline"):
        run_bounded(["/bin/sh", "-c", script], time.time() + 0.5)
    assert read_process(int((tmp_path / "pid").read_text())) is None


def test_a_commands_own_timeout_holds_too(tmp_path):
    commands = {"slow": {"argv": ["/bin/sleep", "1000"], "timeout": 0.2}}
    with pytest.raises(HandError, match="cut off"):
        execute(charter(tmp_path, commands=commands), ask(command="slow"))


def test_what_a_program_leaves_behind_does_not_hold_the_step(tmp_path):
    reply = execute(
        charter(tmp_path, open=True),
        ask(argv=["/bin/sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/pid; echo said"]),
    )
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert reply["stdout"] == "said\n"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"argv": ["no-such-program"]}, "nor a program in"),
        ({"argv": ["./x"]}, "nor a program in"),
        ({"argv": []}, "1 to 256"),
        ({"argv": "ls"}, "1 to 256"),
        ({"argv": ["/bin/echo", ["a"]]}, "one text or number"),
        ({"argv": ["/bin/echo"], "cwd": "here"}, "cwd"),
        ({"command": "undeclared"}, "no command"),
        ({}, "command must be text"),
    ],
)
def test_orders_to_run_that_are_refused(tmp_path, args, words):
    with pytest.raises(Refusal, match=words):
        execute(charter(tmp_path, open=True), ask(**args))


def test_argv_is_for_open_charters_only(tmp_path):
    with pytest.raises(Refusal, match="name a declared command"):
        execute(charter(tmp_path, allow=["*"]), ask(argv=["/bin/true"]))


def test_a_folder_that_is_not_there_fails(tmp_path):
    with pytest.raises(HandError, match="No such file"):
        execute(charter(tmp_path, open=True), ask(argv=["/bin/true"], cwd="/nonexistent"))


# ── process.signal ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sleeper():
    with subprocess.Popen(["/bin/sleep", "1000"]) as child:
        yield child
        child.kill()


def end(child, seconds=30, **more):
    process = read_process(child.pid)
    args = {"pid": child.pid, "start_ticks": process.start_ticks, "signal": "TERM", "grace": 10}
    return signal_process(ask("process.signal", seconds, **(args | more)))


def test_a_process_is_ended(sleeper):
    assert end(sleeper) == {"changed": True, "ended": True}
    assert sleeper.wait() == -signal.SIGTERM


def test_one_that_ignores_it_is_killed_after_the_grace():
    code = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('.', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.read(1)
        end(child, grace=0)
        assert child.wait() == -signal.SIGKILL


def test_another_process_with_that_id_is_left_alone(sleeper):
    process = read_process(sleeper.pid)
    assert end(sleeper, start_ticks=process.start_ticks + 1) == {"changed": False, "ended": True}
    for more in ({"name": "nginx"}, {"uid": 4_000_000}):
        with pytest.raises(Refusal, match="has the"):
            end(sleeper, **more)
    assert sleeper.poll() is None


@pytest.mark.parametrize("pid", [1, os.getpid(), os.getppid()], ids=["init", "self", "parent"])
def test_init_and_what_started_us_are_spared(pid):
    ticks = read_process(pid).start_ticks
    with pytest.raises(Refusal, match="init, Wakil itself"):
        signal_process(ask("process.signal", pid=pid, start_ticks=ticks, signal="TERM"))


@pytest.mark.parametrize("name", ["STOP", "SEGV", "term", "", 15])
def test_other_signals_are_refused(sleeper, name):
    with pytest.raises(Refusal):
        end(sleeper, signal=name)


# ── the wire ──────────────────────────────────────────────────────────────────────────────────

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)
FIELDS = ["v", "id", "run", "step", "attempt", "verb", "args", "approval", "deadline"]


@given(st.binary(max_size=300) | values.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_garbage_is_refused(body):
    with pytest.raises(Refusal):
        parse_request(body)


@given(st.fixed_dictionaries(dict.fromkeys(FIELDS, values) | {"v": st.just(1)}))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_taken_has_the_right_types(fields):
    try:
        request = parse_request(json.dumps(fields).encode())
    except Refusal:
        return
    assert isinstance(request.args, dict)
    assert type(request.id) is type(request.deadline) is type(request.attempt) is int


@pytest.mark.parametrize("body", [b"[" * 16_000, b'{"a":' * 3000, b"NaN", b"\xff" * 100, b""])
def test_depth_and_odd_bytes_are_refused(body):
    with pytest.raises(Refusal):
        parse_request(body)
