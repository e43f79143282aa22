"""Requests on their way in: whoever sends one slowly, or not at all, holds no thread for long.

Each connection has a thread while its request arrives. A few may take their time; of more than
that the oldest are cut as soon as they have had a moment, so that an honest request, which comes
whole, always finds a thread.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

MOST: Final = 24
"""Requests that may be slow at a time; the API keeps 32 threads beside the panels'."""
PATIENCE: Final = 1.0
"""Seconds that every request has, however many come."""
LONGEST: Final = 30.0
"""Seconds after which a request is cut in any case."""


class Arrivals:
    """Which connections have a request arriving, and since when; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[Any, float] = {}

    def begin(self, connection: Any, since: float | None = None) -> float:
        """Something of a request is waited for, now or `since` a beginning; returns when."""
        with self._lock:
            began = self._clock() if since is None else since
            return self._since.setdefault(connection, began)

    def end(self, connection: Any) -> None:
        """It is here, or will not come."""
        with self._lock:
            self._since.pop(connection, None)

    def overdue(self) -> list[Any]:
        """The connections to cut; they are forgotten."""
        with self._lock:
            now = self._clock()
            beyond = len(self._since) - MOST
            found = []
            oldest_first = sorted(self._since.items(), key=lambda item: item[1])
            for place, (connection, since) in enumerate(oldest_first):
                allowed = PATIENCE if place < beyond else LONGEST
                if now - since <= allowed:
                    break
                found.append(connection)
            for connection in found:
                del self._since[connection]
            return found


class _Body:
    """A request's body that tells while it is waited for."""

    def __init__(self, body: Any, arrivals: Arrivals, connection: Any) -> None:
        self._body, self._arrivals, self._connection = body, arrivals, connection
        self._since: float | None = None

    def _watch(self, read: Callable[..., Any], *arguments: Any) -> Any:
        self._since = self._arrivals.begin(self._connection, self._since)
        try:
            return read(*arguments)
        finally:
            self._arrivals.end(self._connection)

    def read(self, size: int | None = None) -> Any:
        return self._watch(self._body.read, size)

    def readline(self, size: int | None = None) -> Any:
        return self._watch(self._body.readline, size)

    def readlines(self, size: int | None = None) -> Any:
        return self._watch(self._body.readlines, size)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.readline, b"")


class ArrivalWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's threaded worker that cuts slow senders."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._arrivals = Arrivals()

    def enqueue_req(self, conn: Any) -> None:
        self._arrivals.begin(conn)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        try:
            return super().handle(conn)
        finally:
            self._arrivals.end(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        self._arrivals.end(conn)
        req.body = _Body(req.body, self._arrivals, conn)
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Called at least once a second."""
        super().murder_pending()
        for conn in self._arrivals.overdue():
            with suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)
