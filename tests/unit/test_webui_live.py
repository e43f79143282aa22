"""Live updates over real sockets: who may connect, what is told, how many, and for how long."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager

import simple_websocket
from support.web import START, Web
from werkzeug.serving import make_server

from engine.core.decisions import Decision
from engine.core.facts import Fact
from engine.core.runs import Approval, Run, Step, Trigger
from webui.live import _key_of
from webui.system import ContentStatus

PATIENCE = 20


@contextmanager
def served(tmp_path, **settings):
    web = Web(tmp_path, **settings)
    live = web.app.extensions["wakil-live"]
    server = make_server("127.0.0.1", 0, web.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    live.start()
    try:
        yield web, server.server_port
    finally:
        live.stop()
        server.shutdown()
        thread.join()
        server.server_close()
        web.close()


class Panel:
    """A panel, by hand: Engine.IO 4 over a WebSocket, Socket.IO's namespace /system."""

    def __init__(self, port: int, **headers: str) -> None:
        url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        self.socket = simple_websocket.Client.connect(url, headers=headers)
        assert self.receive().startswith("0{")
        self.socket.send("40/system,")
        self.answer = self.receive()

    def receive(self) -> str:
        text = self.socket.receive(timeout=PATIENCE)
        assert text is not None, "nothing came"
        return text

    def event(self) -> tuple[str, dict]:
        while True:
            text = self.receive()
            if text == "2":
                self.socket.send("3")
            elif text.startswith("42/system,"):
                name, body = json.loads(text.removeprefix("42/system,"))
                return name, body

    def close(self) -> None:
        self.socket.close()
        self.socket.thread.join()
        self.socket.sock.close()


def bearer(web: Web, role: str = "viewer") -> dict[str, str]:
    return {"Authorization": f"Bearer {web.tokens[role]}"}


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def handshake(port: int, **headers: str) -> tuple[int, dict]:
    transport = "websocket" if "Upgrade" in headers else "polling"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", f"/socket.io/?EIO=4&transport={transport}", headers=headers)
    answered = connection.getresponse()
    body = answered.read()
    connection.close()
    return answered.status, json.loads(body[body.index(b"{") :])


def decision(firing: str = "f1") -> Decision:
    data = {"text": "full", "severity": "critical", "tell": "always"}
    return Decision(START, "disk", "full", "alert", {"host": "web-1"}, data, firing, place=0)


def test_everything_that_happens_is_told(tmp_path):
    with served(tmp_path) as (web, port):
        panel = Panel(port, **bearer(web))
        assert panel.answer.startswith("40/system,{")
        recorded = web.store.decisions.record([decision()], commit="abc", arrived=START)
        run = Run("r1", "p", "running", {}, Trigger(firing="f1"), "abc", created=START)
        web.store.runs.add_run(run)
        web.store.runs.save_step(Step("r1", "steps.0", "n", "steps", "running", started=START))
        asked = Approval("a1", "r1", "run", "?", "operator", "d", "waiting", START, None)
        told = [
            ("decision", recorded.decisions[0]),
            ("alert", recorded.alerts[0]),
            ("run", run),
            ("approval", asked),
            ("agent", web.system.agents()[0]),
            ("content", ContentStatus("/x", "abc", START)),
            ("automation", web.system.automation()),
            ("fact", Fact("cpu", START, "web-1", {})),
        ]
        for topic, payload in told:
            web.system.bus.publish(topic, payload)
        events = dict(panel.event() for _ in range(7))
        assert set(events) == {topic for topic, _ in told} - {"fact"}
        assert events["decision"]["id"] == "1"
        assert events["alert"]["runs"] == ["r1"]
        assert events["run"]["steps"][0]["path"] == "steps.0"
        assert events["approval"]["playbook"] == "p"
        assert events["agent"]["id"] == "logs"
        assert events["content"] == {"commit": "abc", "problems": []}
        panel.close()


def test_of_many_changes_within_a_moment_the_last_is_told(tmp_path):
    with served(tmp_path) as (web, port):
        panel = Panel(port, **bearer(web))
        live = web.app.extensions["wakil-live"]
        run = Run("r1", "p", "queued", {}, Trigger(), "abc", created=START)
        web.store.runs.add_run(run)
        with live._lock:
            for _ in range(50):
                live._waiting[_key_of("run", run)] = run
            web.store.runs.update_run("r1", status="running")
            live._lock.notify_all()
        web.system.bus.publish("automation", web.system.automation())
        assert panel.event()[1]["status"] == "running"
        assert panel.event()[0] == "automation"
        panel.close()


def test_metrics_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("webui.live.METRICS_SECONDS", 0.05)
    with served(tmp_path) as (web, port):
        web.system.accept([Fact("cpu", START, "web-1", {"percent": 7})])
        panel = Panel(port, **bearer(web))
        name, body = panel.event()
        assert name == "metrics"
        assert body["hosts"][0]["cpu"] == 7
        panel.close()


def test_who_may_not_connect(tmp_path):
    with served(tmp_path) as (web, port):
        client, _ = web.signed_in("viewer")
        cookie = {"Cookie": f"wakil_session={client.get_cookie('wakil_session').value}"}
        own = "http://127.0.0.1"  # this client's Host has no port
        assert handshake(port)[0] == 401
        assert handshake(port, Authorization="Bearer x")[0] == 401
        assert handshake(port, Cookie="wakil_session=x")[0] == 401
        foreign = {"Origin": "http://evil.example"}
        assert handshake(port, **cookie, **foreign)[1]["code"] == "origin-not-allowed"
        forged = {**foreign, "X-Forwarded-Host": "evil.example", "Host": "evil.example"}
        assert handshake(port, **cookie, **forged)[1]["code"] == "host-not-allowed"
        assert handshake(port, **cookie)[0] == 200
        assert handshake(port, **cookie, **UPGRADE)[1]["code"] == "origin-not-allowed"
        other = {"Origin": "http://127.0.0.1:1"}
        assert handshake(port, **cookie, **UPGRADE, **other)[1]["code"] == "origin-not-allowed"
        panel = Panel(port, **cookie, Origin=own)
        assert panel.answer.startswith("40/system,{")
        panel.close()


def test_beyond_the_cap_it_is_503(tmp_path):
    with served(tmp_path, most_panels=2) as (web, port):
        panels = [Panel(port, **bearer(web)) for _ in range(2)]
        status, problem = handshake(port, **bearer(web))
        assert (status, problem["code"]) == (503, "too-many-panels")
        answered = web.client("viewer").get("/api/v1/alerts")
        assert answered.status_code == 200
        for panel in panels:
            panel.close()


def test_whoever_may_no_longer_is_disconnected(tmp_path, monkeypatch):
    monkeypatch.setattr("webui.live.METRICS_SECONDS", 0.02)
    with served(tmp_path) as (web, port):
        panel = Panel(port, **bearer(web))
        web.store.tokens.remove(web.store.tokens.list()[-1].id)
        while not panel.receive().startswith("41/system"):
            pass
        assert web.app.extensions["wakil-live"].panels == 0
        panel.close()


def test_no_other_namespace_takes_anyone(tmp_path):
    with served(tmp_path) as (web, port):
        panel = Panel(port, **bearer(web))
        panel.socket.send("40/other,")
        assert panel.receive().startswith("44/other,")
        panel.close()
