"""Serves the built panel and the scene over real HTTP and Socket.IO, on a port of the OS."""

from __future__ import annotations

import json
import mimetypes
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import socketio
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from . import scene

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Wakil", "version": "1"},
    "paths": {
        "/api/v1/system/pause": {
            "post": {"summary": "Pause", "responses": {"200": {"description": "ok"}}}
        }
    },
}
PASSWORD = "correct horse battery"

Start = Callable[..., Any]


class QuietHandler(WSGIRequestHandler):
    """Tests need no access log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class PanelServer:
    """One signed-out server; its `state` may be changed between requests."""

    def __init__(self, static: Path) -> None:
        self.static = static
        self.role = "operator"
        self.signed_in = False
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.failing: dict[str, int] = {}
        self.status = scene.status()
        self.alerts = scene.alerts()
        self.approvals = [scene.approval()]
        self.decisions = scene.decisions()
        self.runs = scene.runs()
        self.live = socketio.Server(async_mode="threading", cors_allowed_origins=[])
        self.live.on("connect", self._joined, namespace="/system")
        app = socketio.WSGIApp(self.live, self._wsgi)
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def emit(self, event: str, data: Any) -> None:
        """What the server would say to every panel."""
        self.live.emit(event, data, namespace="/system")

    def drop(self) -> None:
        """Cut every panel's line."""
        for sid, _ in list(self.live.manager.get_participants("/system", None)):
            self.live.disconnect(sid, namespace="/system")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _joined(self, sid: str, environ: dict[str, Any], auth: Any = None) -> bool:
        return self.signed_in

    def _wsgi(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        response = self._answer(Request(environ))
        response.headers["Content-Security-Policy"] = CSP
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        if not request.path.startswith("/api/v1/"):
            return self._file(request.path)
        path = request.path.removeprefix("/api/v1")
        body = json.loads(request.get_data() or b"{}")
        if request.method != "GET":
            self.calls.append((request.method, path, body))
        if path in self.failing:
            return problem(self.failing[path], "The ledger did not answer")
        if path == "/session" and request.method == "POST":
            return self._sign_in(body)
        if path == "/setup":
            self.signed_in, self.role = body["token"] == "once", "admin"
            return reply(self._session(), 201) if self.signed_in else problem(403, "Used")
        if not self.signed_in:
            return problem(401, "Sign in")
        if request.method != "GET" and request.headers.get("X-CSRF-Token") != "csrf-1":
            return problem(403, "CSRF token missing")
        return self._signed_in(request, path, body)

    def _sign_in(self, body: dict[str, Any]) -> Response:
        self.signed_in = body.get("password") == PASSWORD
        return reply(self._session()) if self.signed_in else problem(401, "Wrong")

    def _session(self) -> dict[str, str]:
        return {"user": "Layla Haddad", "role": self.role, "csrf": "csrf-1"}

    def _signed_in(self, request: Request, path: str, body: dict[str, Any]) -> Response:
        lists = {"/alerts": self.alerts, "/decisions": self.decisions, "/approvals": self.approvals}
        if path == "/session":
            if request.method == "DELETE":
                self.signed_in = False
                return Response(status=204)
            return reply(self._session())
        if path == "/openapi.json":
            return reply(OPENAPI)
        if path == "/system/status":
            return reply({**self.status, "now": scene.at(0)})
        if path in ("/system/pause", "/system/resume"):
            return self._switch(path.endswith("pause"), body)
        if path in lists:
            return reply({"items": lists[path], "next": None})
        if path == "/runs":
            wanted = request.args.get("status")
            chosen = [one for one in self.runs if wanted in (None, one["status"])]
            return reply({"items": chosen, "next": None})
        return self._one(path, body)

    def _switch(self, paused: bool, body: dict[str, Any]) -> Response:
        automation = {"mode": "auto", "paused": paused, "by": None, "at": None, "reason": None}
        if paused:
            automation |= {"by": "user:layla", "at": scene.at(0), "reason": body.get("reason")}
        self.status["automation"] = automation
        return reply(automation)

    def _one(self, path: str, body: dict[str, Any]) -> Response:
        parts = path.strip("/").split("/")
        if parts[:2] == ["alerts", "acknowledge"]:
            found = next(one for one in self.alerts if one["id"] == parts[2])
            found.update(status="acknowledged", acknowledged_by="user:layla")
            return reply(found)
        if parts[0] == "approvals" and parts[2] in ("approve", "reject"):
            if body["digest"] != self.approvals[0]["digest"]:
                return problem(409, "The question changed")
            answered = {**self.approvals.pop(0), "status": f"{parts[2]}ed".replace("eed", "ed")}
            self.runs[0] = {**self.runs[0], "approvals": [answered], "status": "running"}
            return reply(answered)
        if parts[0] == "decisions" and parts[1] != "none":
            return reply(scene.firing(parts[1]))
        found = next(
            (one for one in self.runs if [parts[0], one["id"]] == ["runs", parts[1]]), None
        )
        return reply(found) if found else problem(404, "Not found")

    def _file(self, path: str) -> Response:
        wanted = self.static / ("docs/index.html" if path == "/docs" else path.lstrip("/"))
        if not wanted.is_file():
            wanted = self.static / "index.html"
        kind = mimetypes.guess_type(wanted.name)[0] or "application/octet-stream"
        return Response(wanted.read_bytes(), content_type=kind)


def reply(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data), status, content_type="application/json")


def problem(status: int, title: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": title, "code": "x"}
    return Response(json.dumps(body), status, content_type="application/problem+json")
