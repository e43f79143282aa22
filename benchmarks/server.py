"""`wakil run` as a process of its own, and what it costs: for `benchmarks.start` and `.idle`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

COMMAND = (sys.executable, "-m", "engine.cli")
ROOT = Path(__file__).resolve().parent.parent


class Server:
    """A context manager: healthy inside, ended after. `seconds` is what becoming healthy took."""

    def __init__(self, content: Path, data: Path) -> None:
        self._content = content
        self._data = data
        self.seconds = 0.0

    def __enter__(self) -> Server:
        command = [*COMMAND, "run", "--port", "0", "--content", str(self._content)]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, "--data", str(self._data)],
            cwd=ROOT,
            env={**os.environ, "WAKIL_CONFIG": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not self._healthy():
            if self.process.poll() is not None or time.perf_counter() - began > 60:
                self.__exit__()
                raise SystemExit("wakil run did not become healthy; try it by hand")
            time.sleep(0.01)
        self.seconds = time.perf_counter() - began
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def _healthy(self) -> bool:
        try:
            url = self._file()["url"]
            return httpx.get(f"{url}/api/v1/system/health", trust_env=False).status_code == 200
        except (OSError, ValueError, httpx.HTTPError):
            return False

    def _file(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._data / "server.json").read_text("utf-8"))
        return found

    def get(self, path: str, **query: Any) -> Any:
        """What the API answers."""
        file = self._file()
        headers = {"Authorization": f"Bearer {file['token']}"}
        url = f"{file['url']}/api/v1{path}"
        return httpx.get(url, params=query, headers=headers, trust_env=False).json()

    def cpu(self) -> float:
        """Seconds of CPU that the server, its master and the hands have used so far."""
        master = psutil.Process(self.process.pid)
        family = [master, *master.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in family)

    def resident(self) -> int:
        """Bytes of memory, what is shared counted once."""
        master = psutil.Process(self.process.pid)
        family = [master, *master.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in family)
