"""The real program in a process of its own, as a user starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, TypeVar

import httpx

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], within: float = 60.0, what: str = "it") -> Found:
    """What `look` gives as soon as it is truthy; fails after `within` seconds."""
    deadline = monotonic() + within
    pause = Event()
    while True:
        if found := look():
            return found
        assert monotonic() < deadline, f"waited {within} s for {what}"
        pause.wait(0.05)


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


class RunningWakil:
    """`wakil run` on a free port; a context manager that ends it."""

    def __init__(
        self, content: Path, data: Path, *options: str, env: Mapping[str, str] | None = None
    ):
        self.content, self.data = content, data
        self._options = options
        self._env = {**os.environ, "WAKIL_CONFIG": "", **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data.parent / f"{data.name}.log"

    def start(self) -> RunningWakil:
        command = [
            sys.executable,
            "-m",
            "engine.cli",
            "run",
            "--port",
            "0",
            "--content",
            str(self.content),
            "--data",
            str(self.data),
            *self._options,
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self._env,
                start_new_session=True,
            )
        try:
            until(self._healthy, 120, f"Wakil to be healthy, see {self.log}")
        except BaseException:
            if self.process.poll() is None:
                self.kill()  # nobody else would end it
            raise
        return self

    def _healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"Wakil ended:\n{self.log.read_text()[-4000:]}"
        file = self.data / "server.json"
        try:
            body = json.loads(file.read_text())
            if body["pid"] not in (self.process.pid, *_children(self.process.pid)):
                return False
            return httpx.get(body["url"] + "/api/v1/system/health", timeout=5).status_code == 200
        except (OSError, ValueError, KeyError, httpx.HTTPError):
            return False

    @property
    def server(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((self.data / "server.json").read_text())
        return body

    def get(self, path: str, **query: Any) -> Any:
        with self.client() as client:
            answer = client.get(f"/api/v1{path}", params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        with self.client() as client:
            answer = client.post(f"/api/v1{path}", json=body if body is not None else {})
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def client(self) -> httpx.Client:
        server = self.server
        headers = {"Authorization": f"Bearer {server['token']}"}
        return httpx.Client(base_url=server["url"], headers=headers, timeout=20, trust_env=False)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A `wakil` command against this server's directories."""
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "engine.cli",
                *arguments,
                "--content",
                str(self.content),
                "--data",
                str(self.data),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            env=self._env,
            check=False,
        )

    def kill(self) -> None:
        """`kill -9` of the whole process tree, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def __enter__(self) -> RunningWakil:
        return self.start() if self.process is None else self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]
