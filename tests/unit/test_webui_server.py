"""The real server: starts on a free port, stops whole, never outlives its master, says why not."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.core.errors import SettingsError
from webui.server import listen, serve, url_of

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from engine.core.errors import StoreError
from webui.server import serve

def make(url):
    if sys.argv[3] == "fail":
        raise StoreError("the database has a newer schema")
    from support.web import Web
    return Web(Path(sys.argv[2])).app

def say(*words):
    print(*words, flush=True)

import os
status = serve(
    make, "127.0.0.1", 0,
    on_ready=lambda url, first: say("ready", url, os.getpid()), on_stop=lambda: say("stopped"),
)
say("ended")
sys.exit(status)
"""


@contextmanager
def program(tmp_path: Path, how: str = "run") -> Iterator[subprocess.Popen[str]]:
    tests = str(Path(__file__).parent.parent)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tests, str(tmp_path), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ready(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Its port and its worker's process id."""
    word, url, worker = process.stdout.readline().split()
    assert word == "ready"
    return int(url.rpartition(":")[2]), int(worker)


def health(port: int) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/api/v1/system/health")
    answered = connection.getresponse()
    body = json.loads(answered.read())
    connection.close()
    assert answered.status == 200
    return body


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_it_serves_and_stops_whole(tmp_path: Path, stop: signal.Signals):
    with program(tmp_path) as process:
        port, _ = ready(process)
        assert health(port) == {"status": "ok", "version": "0.1.0"}
        # A terminal's Ctrl-C reaches the whole group.
        os.killpg(process.pid, stop)
        out, err = process.communicate(timeout=30)
        assert out.split() == ["stopped", "ended"]
        assert (err, process.returncode) == ("", 0)


def test_the_worker_does_not_outlive_its_master(tmp_path: Path):
    with program(tmp_path) as process:
        port, _ = ready(process)
        health(port)
        os.kill(process.pid, signal.SIGKILL)
        # Ends when the worker, which holds the other end of the pipe, has ended too.
        out, _ = process.communicate(timeout=30)
        assert out.split() == ["stopped"]
        with pytest.raises(ConnectionRefusedError):
            health(port)


def test_a_worker_that_dies_is_replaced(tmp_path: Path):
    with program(tmp_path) as process:
        port, worker = ready(process)
        (tmp_path / "static" / "assets" / "index-abc123.js").unlink()
        (tmp_path / "static" / "assets").rmdir()
        os.kill(worker, signal.SIGKILL)
        again, other = ready(process)
        assert (again, health(port)["status"]) == (port, "ok")
        assert other != worker


def test_what_cannot_be_built_is_one_sentence(tmp_path: Path):
    with program(tmp_path, "fail") as process:
        out, err = process.communicate(timeout=30)
        assert out.split() == ["ended"]
        assert err == "wakil: the database has a newer schema\n"
        assert process.returncode == 1


def test_a_taken_port_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port} on 127.0.0.1 is taken; .*--port"):
            serve(lambda url: pytest.fail("nothing is built"), "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "sentence"),
    [("127.0.0.1", 70_000, "is not a port"), ("192.0.2.1", 0, "cannot listen on 192.0.2.1")],
)
def test_a_wrong_address_is_one_sentence(host: str, port: int, sentence: str):
    with pytest.raises(SettingsError, match=sentence):
        listen(host, port)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")]
)
def test_the_url_is_one_that_works_here(host: str, shown: str):
    with listen(host, 0) as listener:
        assert url_of(listener) == f"http://{shown}:{listener.getsockname()[1]}"
