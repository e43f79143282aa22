"""In-process publish and subscribe: the seam between what happens and who shows it.

Topics: `fact decision alert run step approval agent content automation`. Delivery is synchronous,
on the publisher's thread; a subscriber that raises is logged and never harms the publisher.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

Subscriber = Callable[[str, Any], None]
_log = logging.getLogger(__name__)


class Bus:
    """Fans what is published out to all subscribers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: tuple[Subscriber, ...] = ()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Adds a subscriber; returns the call that removes it."""
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(s for s in self._subscribers if s is not subscriber)

        return unsubscribe

    def publish(self, topic: str, payload: Any) -> None:
        """Hands `payload` to every subscriber, in order of subscription."""
        for subscriber in self._subscribers:
            try:
                subscriber(topic, payload)
            except Exception:
                _log.exception("a subscriber of topic %s failed", topic)
