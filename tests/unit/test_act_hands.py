"""The real hands process, through its client: services, the ledger, the brakes, its end."""

import ast
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.act.authorise import permissions
from engine.act.charter import compile_charter
from engine.act.client import HandsClient
from engine.act.hand.processes import read_process
from engine.core.errors import ActionError, Refused, UnknownEffect
from engine.core.ports import Order

ROOT = Path(__file__).parents[2]


def until(true, seconds=20.0):
    """Waits for a condition; the test fails where it never comes."""
    idle, end = threading.Event(), time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it never came true"
        idle.wait(0.01)
    return found


def gone(pid, seconds=20):
    """Waits for the end of any process, a child or not; a zombie has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    ended = bool(poller.poll(seconds * 1000))
    os.close(descriptor)
    return ended


class Bench:
    """Starts hands over a folder and gives them orders."""

    def __init__(self, path):
        self.path = path
        self.clients = []
        self.count = 0

    def start(self, *, services=(), actions=None, shared=False, rates=None, logs=()):
        agents = {"apps": {"services": list(services)}, "logs": {"files": list(logs)}}
        charter = compile_charter(
            permissions(shared=shared, actions=actions), agents, self.path / "data"
        )
        if rates:
            charter.data["rates"] = rates
        self.client = HandsClient(charter)
        self.clients.append(self.client)
        self.client.start()
        return self.client

    def order(self, verb, step=None, attempt=1, seconds=30, **args):
        self.count += 1
        deadline = time.time_ns() // 1000 + int(seconds * 1e6)
        return Order(verb, args, "run-1", step or f"steps.{self.count}", attempt, deadline)

    def act(self, verb, **args):
        return self.client.act(self.order(verb, **args))


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    for client in bench.clients:
        client.close()


@pytest.fixture
def worker(tmp_path):
    """A program that goes into the background and writes its pid file; stopped afterwards."""
    pid_file = tmp_path / "worker.pid"
    start = ["/bin/sh", "-c", f"sleep 1000 & echo $! > {pid_file}"]
    yield {"name": "worker", "manager": "pidfile", "pid_file": str(pid_file), "start": start}
    text = pid_file.read_text().strip() if pid_file.is_file() else ""
    if text.isdigit() and (process := read_process(int(text))) and process.name == "sleep":
        os.kill(process.pid, signal.SIGKILL)


def pid_of(service):
    return int(Path(service["pid_file"]).read_text())


def test_a_killed_service_is_started_again(bench, worker):
    bench.start(services=[worker])
    bench.act("service.start", id="worker")
    first = pid_of(worker)
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    assert bench.act("service.state", id="worker")["state"] == "stopped"
    assert bench.act("service.restart", id="worker")["changed"]
    assert pid_of(worker) != first
    assert bench.act("service.state", id="worker")["state"] == "running"


def test_restart_replaces_the_process_and_start_leaves_it(bench, worker):
    bench.start(services=[worker])
    bench.act("service.start", id="worker")
    first = pid_of(worker)
    bench.act("service.restart", id="worker")
    second = pid_of(worker)
    assert second != first
    assert gone(first)
    assert bench.act("service.start", id="worker") == {"changed": False, "pid": second}
    assert bench.act("service.stop", id="worker")["changed"]
    assert gone(second)
    assert not bench.act("service.stop", id="worker")["changed"]


def test_a_program_in_the_foreground_gets_its_pid_file(bench, tmp_path):
    pid_file = tmp_path / "plain.pid"
    service = {"name": "plain", "manager": "pidfile", "pid_file": str(pid_file)}
    bench.start(services=[{**service, "start": ["/bin/sleep", "1000"]}])
    bench.act("service.start", id="plain")
    pid = int(pid_file.read_text())
    assert read_process(pid).name == "sleep"
    bench.act("service.stop", id="plain")
    assert gone(pid)


def test_a_service_outlives_the_hands(bench, worker):
    client = bench.start(services=[worker])
    bench.act("service.start", id="worker")
    client.close()
    assert read_process(pid_of(worker)).name == "sleep"


def test_a_zombie_counts_as_stopped(bench, worker):
    child = subprocess.Popen(["/bin/sleep", "1000"])
    child.kill()
    assert gone(child.pid)
    Path(worker["pid_file"]).write_text(str(child.pid))
    bench.start(services=[worker])
    assert bench.act("service.state", id="worker")["state"] == "stopped"
    child.wait()


def test_a_start_that_fails_says_why(bench, tmp_path):
    pid_file = str(tmp_path / "x.pid")
    absent = {"name": "absent", "start": ["/nonexistent/program"]}
    brief = {"name": "brief", "start": ["/bin/true"]}
    common = {"manager": "pidfile", "pid_file": pid_file}
    bench.start(services=[absent | common, brief | common])
    with pytest.raises(ActionError, match="No such file"):
        bench.act("service.start", id="absent")
    with pytest.raises(ActionError, match=r"names no living process|ended at once"):
        bench.act("service.start", id="brief", seconds=8)


@pytest.mark.parametrize("start", [["./worker"], ["bin/worker"], ["no-such-program-at-all"], []])
def test_a_start_command_needs_a_program_that_is_known(bench, tmp_path, start):
    service = {"name": "w", "manager": "pidfile", "pid_file": str(tmp_path / "x.pid")}
    bench.start(services=[{**service, "start": start}])
    with pytest.raises(Refused, match="start command"):
        bench.act("service.start", id="w")


def test_only_declared_services_and_no_check_only_ones(bench):
    web = {"name": "web", "manager": "http", "url": "http://127.0.0.1:1/"}
    bench.start(services=[web])
    with pytest.raises(Refused, match="no service 'nginx' is declared"):
        bench.act("service.restart", id="nginx")
    with pytest.raises(Refused, match="only checked"):
        bench.act("service.restart", id="web")


def hostile_link(path):
    (path.parent / "real").write_text(str(os.getpid()))
    path.symlink_to(path.parent / "real")


HOSTILE = {
    "a link": (hostile_link, "symbolic link"),
    "a pipe": (lambda path: os.mkfifo(path), "regular file"),
    "a folder": (lambda path: path.mkdir(), "regular file"),
    "process 1": (lambda path: path.write_text("1\n"), "process 1"),
    "anybody's": (
        lambda path: (path.write_text("77"), path.chmod(0o666)),
        "written by anybody",
    ),
    "two names": (
        lambda path: (path.write_text("77"), os.link(path, path.parent / "other")),
        "hard links",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pid_file_is_refused(bench, worker, name):
    make, words = HOSTILE[name]
    make(Path(worker["pid_file"]))
    bench.start(services=[worker])
    with pytest.raises(Refused, match=words):
        bench.act("service.restart", id="worker")


@pytest.mark.parametrize("text", ["", "abc", "-5", "99999999999999999999", "12 34", "\0" * 500])
def test_a_pid_file_without_a_number_names_nobody(bench, worker, text):
    Path(worker["pid_file"]).write_text(text)
    bench.start(services=[worker])
    assert bench.act("service.state", id="worker")["state"] == "stopped"


def test_a_pid_file_that_names_a_stranger_kills_nobody(bench, worker):
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as stranger:
        Path(worker["pid_file"]).write_text(str(stranger.pid))
        bench.start(services=[worker])
        with pytest.raises(Refused, match="not what /bin/sh starts"):
            bench.act("service.restart", id="worker")
        assert stranger.poll() is None


# ── the ledger ────────────────────────────────────────────────────────────────────────────────


def appending(path, then=""):
    return ["/bin/sh", "-c", f"echo done >> {path}; {then}"]


def test_the_same_order_is_answered_from_the_ledger(bench, tmp_path):
    client = bench.start()
    order = bench.order("exec", argv=appending(tmp_path / "f", "echo said"))
    first = client.act(order)
    assert client.act(order) == first
    client.close()
    assert bench.start().act(order) == first
    assert (tmp_path / "f").read_text() == "done\n"


def test_an_attempt_is_of_one_act_only(bench, tmp_path):
    client = bench.start()
    client.act(bench.order("exec", "steps.0", argv=["/bin/true"]))
    with pytest.raises(Refused, match="different act"):
        client.act(bench.order("exec", "steps.0", argv=appending(tmp_path / "f")))
    client.act(bench.order("exec", "steps.0", attempt=2, argv=appending(tmp_path / "f")))
    assert (tmp_path / "f").exists()


def test_hands_killed_in_the_middle_leave_an_unknown_effect_and_never_repeat_it(bench, tmp_path):
    client = bench.start()
    file = tmp_path / "f"
    order = bench.order("exec", argv=appending(file, f"echo $$ > {tmp_path}/pid; exec sleep 1000"))
    errors = []

    def perform():
        try:
            client.act(order)
        except ActionError as error:
            errors.append(error)

    thread = threading.Thread(target=perform)
    thread.start()
    pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    os.kill(client.pid, signal.SIGKILL)
    thread.join(20)
    assert isinstance(errors[0], UnknownEffect)
    assert gone(pid), "the command goes down with the hands"
    with pytest.raises(UnknownEffect, match="never finished"):
        client.act(order)
    assert file.read_text() == "done\n"


def test_a_line_torn_by_a_crash_is_cut_off(bench, tmp_path):
    client = bench.start()
    order = bench.order("exec", argv=appending(tmp_path / "f"))
    client.act(order)
    client.close()
    ledger = tmp_path / "data" / "hands" / "ledger.jsonl"
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + b'{"k": "[\\"run')
    bench.start().act(order)
    assert ledger.read_bytes() == whole
    assert (tmp_path / "f").read_text() == "done\n"


# ── the brakes ────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_done_while_paused(bench, tmp_path):
    bench.start()
    pause = tmp_path / "data" / "paused"
    pause.touch()
    with pytest.raises(Refused, match="paused"):
        bench.act("exec", argv=["/bin/true"])
    pause.unlink()
    assert bench.act("exec", argv=["/bin/true"])["exit_code"] == 0


def test_rates_hold_whatever_the_server_asks(bench):
    bench.start(rates={"exec": [2, 3600]})
    for _ in range(2):
        bench.act("exec", argv=["/bin/true"])
    with pytest.raises(Refused, match="limited to 2 acts in 3600 s"):
        bench.act("exec", argv=["/bin/true"])


def test_what_the_machine_does_not_allow_the_hands_refuse_too(bench, tmp_path):
    """The client asks `authorise` first; the hands do not rely on it."""
    actions = {"allow": ["service.*"], "paths": [str(tmp_path / "logs")]}
    client = bench.start(actions=actions)
    prune = {"path": str(tmp_path), "pattern": "*", "older_than": 0, "delete": True}
    orders = [
        (bench.order("exec", argv=["/bin/true"]), "actions.allow"),
        (bench.order("files.prune", **prune), "actions.allow"),
        (bench.order("files.plan", **prune), "not beneath any of actions.paths"),
        (bench.order("no.verb"), "no verb"),
    ]
    for order, words in orders:
        with pytest.raises(Refused, match=words):
            client._ask(order)
        with pytest.raises(Refused):
            client.act(order)


def test_shared_content_without_actions_only_looks(bench, worker):
    client = bench.start(services=[worker], shared=True)
    for order in (
        bench.order("service.restart", id="worker"),
        bench.order("exec", argv=["/bin/true"]),
        bench.order("process.signal", pid=os.getpid(), start_ticks=0, signal="TERM"),
    ):
        with pytest.raises(Refused):
            client.act(order)
        with pytest.raises(Refused):
            client._ask(order)


def test_a_deadline_that_has_passed_begins_nothing(bench, tmp_path):
    client = bench.start()
    with pytest.raises(ActionError, match="deadline"):
        client.act(bench.order("exec", seconds=-1, argv=appending(tmp_path / "f")))
    assert not (tmp_path / "f").exists()


def test_a_request_that_is_too_long_is_refused_and_the_hands_go_on(bench):
    bench.start()
    with pytest.raises(Refused, match="longer than 16384"):
        bench.act("exec", argv=["/bin/true", "x" * 20_000])
    assert bench.act("exec", argv=["/bin/true"])["exit_code"] == 0


def test_reload_gives_the_hands_a_new_list(bench, worker):
    client = bench.start()
    with pytest.raises(Refused):
        bench.act("service.start", id="worker")
    agents = {"apps": {"services": [worker]}}
    client.reload(
        compile_charter(permissions(shared=False, actions=None), agents, bench.path / "data")
    )
    assert bench.act("service.start", id="worker")["changed"]


def test_many_threads_share_the_hands(bench):
    client = bench.start()
    orders = [bench.order("exec", argv=["/bin/echo", str(n)]) for n in range(40)]
    outputs = {}

    def perform(number):
        outputs[number] = client.act(orders[number])["stdout"]

    threads = [threading.Thread(target=perform, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outputs == {n: f"{n}\n" for n in range(40)}


# ── the process itself ────────────────────────────────────────────────────────────────────────


def test_hands_that_die_are_started_again(bench):
    client = bench.start()
    first = client.pid
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    assert bench.act("exec", argv=["/bin/echo", "again"])["stdout"] == "again\n"
    assert client.pid != first


def test_garbage_is_answered_and_changes_nothing(bench):
    client = bench.start()
    pid = client.pid
    for body in (b"", b"[", b"{}", b"\xff" * 99, b"[" * 16_000, b'{"id": 999}', b"null"):
        client._socket.sendall(len(body).to_bytes(4, "big") + body)
    assert bench.act("exec", argv=["/bin/echo", "well"])["stdout"] == "well\n"
    assert client.pid == pid


def test_a_frame_that_is_too_long_ends_the_conversation(bench):
    client = bench.start()
    pid = client.pid
    client._socket.sendall(b"\xff\xff\xff\xff" + b"x" * 1000)
    assert gone(pid)
    assert bench.act("exec", argv=["/bin/echo", "again"])["stdout"] == "again\n"


def test_the_hands_die_with_the_server(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from engine.act.authorise import permissions\n"
        "from engine.act.charter import compile_charter\n"
        "from engine.act.client import HandsClient\n"
        "allowed = permissions(shared=False, actions=None)\n"
        "client = HandsClient(compile_charter(allowed, {}, Path(sys.argv[1])))\n"
        "client.start()\n"
        "print(client.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as server:
        hands = int(server.stdout.readline())
        assert read_process(hands) is not None
        server.kill()
        assert gone(hands)


def test_the_hands_import_the_standard_library_only():
    files = [ROOT / "engine/act/hands.py", *(ROOT / "engine/act/hand").glob("*.py")]
    assert len(files) > 8
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                own = name.startswith("engine.act.hand")
                assert own or name.split(".")[0] in sys.stdlib_module_names, f"{file}: {name}"
