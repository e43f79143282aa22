"""What performance and apps see of this machine, and of services made for the test."""

import http.server
import json
import os
import socket
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import agents
from agents import apps, checks, filesystems, performance, units
from agents.proc import all_processes, read_process
from engine.core.ports import AgentContext
from engine.core.values import SECOND

SCHEMAS = Path(__file__).parents[2] / "schema" / "facts"


class Clock:
    at = 1_800_000_000 * SECOND

    def now(self):
        return self.at


class Memory(dict):
    def set(self, key, value):
        self[key] = value


def context(**settings):
    return AgentContext(settings, None, Clock(), Memory())


def by_kind(collection):
    found = {}
    for observation in collection.observations:
        found.setdefault(observation.kind, []).append(observation.data)
    return found


# ── performance ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def seen():
    return by_kind(performance.AGENT.build(context()).collect())


def test_every_declared_kind_is_there(seen):
    assert set(seen) >= {"cpu", "memory", "disk", "process"}
    assert set(seen) <= set(performance.AGENT.facts)


def test_facts_fit_their_kinds(seen):
    """Each against the schema of its kind, with all that the kind says is always there."""
    for kind, facts in seen.items():
        schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text())
        for fact in facts:
            Draft202012Validator(schema).validate(fact)
            assert set(schema["x-always"]) <= set(fact) <= set(schema["properties"])


def test_shares_are_shares(seen):
    cpu, memory = seen["cpu"][0], seen["memory"][0]
    for value in (cpu["percent"], cpu["iowait_percent"], cpu["steal_percent"]):
        assert 0 <= value <= 100
    assert memory["percent"] + memory["available_percent"] == pytest.approx(100, abs=0.1)
    assert 0 < memory["available_bytes"] <= memory["total_bytes"]
    for disk in seen["disk"]:
        assert 0 <= disk["used_percent"] <= 100
        assert disk["free_bytes"] <= disk["total_bytes"]


def test_the_largest_processes_are_listed_once(seen):
    pids = [process["pid"] for process in seen["process"]]
    assert len(pids) == len(set(pids)) <= 40
    whole = sorted((one.memory_bytes for one in all_processes()), reverse=True)
    assert max(process["memory_bytes"] for process in seen["process"]) >= whole[0] // 2


def test_a_busy_process_is_seen_as_busy():
    with subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) as busy:
        try:
            agent = performance.AGENT.build(context())
            found = by_kind(agent.collect())["process"]
            mine = next(process for process in found if process["pid"] == busy.pid)
            assert mine["cpu_percent"] > 1
            assert mine["name"] in ("sh", Path("/bin/sh").resolve().name)
        finally:
            busy.kill()


def test_cpu_shares_are_counted_between_two_samples():
    base = {"user": 10.0, "guest": 3.0, "idle": 80.0, "iowait": 5.0, "steal": 1.0}
    later = {"user": 16.0, "guest": 9.0, "idle": 82.0, "iowait": 6.0, "steal": 2.0}
    sample = performance._Sample(0.0, base, {}, {}, 4)
    cpu = performance._cpu(sample, replace(sample, cpu=later))
    assert (cpu["percent"], cpu["iowait_percent"], cpu["steal_percent"]) == (70.0, 10.0, 10.0)


def test_network_rates_are_counted_between_two_samples():
    class Card:
        def __init__(self, sent, received, errors):
            self.bytes_sent, self.bytes_recv = sent, received
            self.errin = self.errout = self.dropin = self.dropout = errors

    first = performance._Sample(10.0, {}, {}, {"eth9": Card(100, 100, 0), "lo": Card(0, 0, 0)}, 1)
    second = replace(first, at=12.0, network={"eth9": Card(300, 90, 1), "new0": Card(5, 5, 0)})
    cards = {card["interface"]: card for card in performance._network(first, second)}
    assert cards["eth9"] == {
        "interface": "eth9",
        "sent_bytes_per_second": 100.0,
        "received_bytes_per_second": 0.0,
        "errors_per_second": 2.0,
        "up": False,
    }
    assert cards["new0"]["sent_bytes_per_second"] == 0.0


MOUNTS = """\
/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
tmpfs /run tmpfs rw 0 0
tmpfs /run/user/0 tmpfs rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
tmpfs /mnt/small\\040disk tmpfs rw 0 0
/dev/loop1 /snap/core squashfs ro 0 0
server:/x /srv nfs4 rw 0 0
/dev/sdb /data xfs rw 0 0
"""


def test_which_mounts_count(monkeypatch, tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    real = filesystems.Path
    monkeypatch.setattr(
        filesystems, "Path", lambda path: mounts if path == "/proc/self/mounts" else real(path)
    )
    assert {mount for mount, _, _ in filesystems._mounts()} == {"/", "/mnt/small disk", "/data"}


def test_disks_count_as_df_does():
    room = os.statvfs_result((4096, 4096, 1000, 300, 200, 50, 10, 10, os.ST_RDONLY, 255))
    disk = filesystems._disk("/x", "/dev/x", "ext4", room)
    assert disk["used_percent"] == pytest.approx(100 * 700 / 900, abs=0.01)
    assert disk["free_bytes"] == 200 * 4096
    assert disk["inodes_used_percent"] == 80.0
    assert disk["read_only"] is True


def test_a_filesystem_without_inodes_has_no_share_of_them():
    room = os.statvfs_result((4096, 4096, 1000, 300, 200, 0, 0, 0, 0, 255))
    assert "inodes_used_percent" not in filesystems._disk("/x", "/dev/x", "btrfs", room)


# ── apps ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sleeper():
    with subprocess.Popen(["/bin/sleep", "1000"]) as child:
        yield child
        child.kill()


def service(agent):
    return [observation.data for observation in agent.collect().observations]


def test_a_service_by_its_pid_file(tmp_path, sleeper):
    pid_file = tmp_path / "w.pid"
    declared = {"name": "w", "manager": "pidfile", "pid_file": str(pid_file)}
    agent = apps.AGENT.build(context(services=[declared]))
    assert service(agent)[0]["state"] == "stopped"
    pid_file.write_text(f"{sleeper.pid}\n")
    found = service(agent)[0]
    assert (found["name"], found["manager"], found["state"]) == ("w", "pidfile", "running")
    assert found["restarts"] == 0
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert read_process(sleeper.pid).state == "zombie"
    assert service(agent)[0]["state"] == "stopped", "a zombie counts as stopped"


def test_restarts_are_counted_and_remembered(tmp_path):
    pid_file = tmp_path / "w.pid"
    given = context(services=[{"name": "w", "manager": "pidfile", "pid_file": str(pid_file)}])
    for expected in range(3):
        with subprocess.Popen(["/bin/sleep", "1000"]) as child:
            pid_file.write_text(str(child.pid))
            found = service(apps.AGENT.build(given))[0]
            child.kill()
        assert (found["state"], found["restarts"]) == ("running", expected)


def test_since_is_counted_from_the_change():
    given = context(services=[{"name": "w", "manager": "pidfile", "pid_file": "/nonexistent"}])
    agent = apps.AGENT.build(given)
    assert service(agent)[0]["since_seconds"] == 0
    given.clock.at += 90 * SECOND
    assert service(agent)[0]["since_seconds"] == 90
    assert service(apps.AGENT.build(given))[0]["since_seconds"] == 90


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (lambda path: path.write_text("1e9"), "stopped"),
        (lambda path: path.write_text("9" * 60), "stopped"),
        (lambda path: path.write_bytes(b"\xff" * 9000), "stopped"),
        (lambda path: path.symlink_to("/proc/self/stat"), "unknown"),
        (lambda path: os.mkfifo(path), "unknown"),
        (lambda path: path.mkdir(), "unknown"),
    ],
)
def test_hostile_pid_files(tmp_path, make, state):
    make(tmp_path / "x.pid")
    assert units.pid_file_state(str(tmp_path / "x.pid")).state == state


@pytest.fixture
def web():
    """Answers with the status its path names; `/away` redirects to 200."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "/200")
            else:
                self.send_response(int(self.path[1:4]))
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "expect", "state"),
    [
        ("/200", 200, "running"),
        ("/503", 200, "failed"),
        ("/503", 503, "running"),
        ("/away", 200, "failed"),
        ("/away", 302, "running"),
        ("/200?a=b", 200, "running"),
    ],
)
def test_an_http_check(web, path, expect, state):
    assert checks.check_http(web + path, expect, 5) == state


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_where_nobody_listens():
    port = free_port()
    assert checks.check_http(f"http://127.0.0.1:{port}/", 200, 5) == "stopped"
    assert checks.check_tcp(f"127.0.0.1:{port}", 5) == "stopped"


def test_a_server_that_says_nothing_has_failed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert checks.check_http(f"http://127.0.0.1:{port}/", 200, 0.1) == "failed"
        assert checks.check_tcp(f"127.0.0.1:{port}", 5) == "running"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://[fe80::1%25lo]/"])
def test_link_local_addresses_are_never_asked(url, monkeypatch):
    def connect(*_):
        raise AssertionError("connected")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert checks.check_http(url, 200, 1) in ("failed", "unknown")


def test_proxies_of_the_environment_are_not_asked(web, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert checks.check_http(web + "/200", 200, 5) == "running"


def test_all_services_are_looked_at(web, tmp_path):
    listed = [
        {"name": "site", "manager": "http", "url": f"{web}/200"},
        {"name": "broken", "manager": "http", "url": f"{web}/500", "expect": 200},
        {"name": "port", "manager": "tcp", "address": web.removeprefix("http://")},
        {"name": "w", "manager": "pidfile", "pid_file": str(tmp_path / "none")},
        {"name": "no-such-unit-of-this-test", "manager": "systemd"},
    ]
    collection = apps.AGENT.build(context(services=listed)).collect()
    states = {each.data["name"]: each.data["state"] for each in collection.observations}
    assert states == {
        "site": "running",
        "broken": "failed",
        "port": "running",
        "w": "stopped",
        "no-such-unit-of-this-test": "unknown",
    }
    assert collection.complete == {"service"}


SHOWN = (
    "LoadState={}\nActiveState={}\nSubState={}\nNRestarts=2\nStateChangeTimestampMonotonic=4000000"
)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (("loaded", "active", "running"), "running"),
        (("loaded", "reloading", "reload"), "running"),
        (("loaded", "inactive", "dead"), "stopped"),
        (("loaded", "failed", "failed"), "failed"),
        (("loaded", "activating", "start"), "stopped"),
        (("loaded", "activating", "auto-restart"), "failed"),
        (("not-found", "inactive", "dead"), "unknown"),
        (("masked", "inactive", "dead"), "unknown"),
    ],
)
def test_what_systemd_says(said, state):
    unit = units.parse_unit(SHOWN.format(*said), 10.0)
    assert (unit.state, unit.since_seconds, unit.restarts) == (state, 6.0, 2)


# ── the list ──────────────────────────────────────────────────────────────────────────────────


def test_an_agent_declared_twice_fails():
    with pytest.raises(ValueError, match="declared twice: apps"):
        agents.unique((apps.AGENT, apps.AGENT))
    with pytest.raises(ValueError, match=r"declared twice: service\.restart"):
        agents.unique((apps.AGENT, replace(apps.AGENT, id="other")))


def test_the_list_is_what_first_light_names():
    assert [agent.id for agent in agents.AGENTS] == ["performance", "apps", "logs"]
