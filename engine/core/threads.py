"""A thread for each call: one that never comes back holds up neither the others nor the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class DaemonThreads(Executor):
    """Like a thread pool without bounds, whose threads the interpreter does not wait for when it
    ends (those of `ThreadPoolExecutor` it joins, so that one hanging call hangs the exit)."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Calls in a new daemon thread."""
        future: Future[Any] = Future()

        def call() -> None:
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # handed on, as the pool of the standard library does
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=call, daemon=True).start()
        return future
