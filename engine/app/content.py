"""Local content goes live as it is saved: watched, loaded aside, checked, swapped.

Content that fails its check never replaces content that works: its problems are shown, and what
ran goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.core.clock import Clock
from engine.core.errors import ContentError, LangError, Position, Problem
from engine.lang.model import Bundle

_log = logging.getLogger(__name__)
FOLDERS: Final = ("policies", "playbooks", "configs", "schema")
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
Signature = tuple[tuple[str, int, int], ...]


def signature(root: Path) -> Signature:
    """What tells that content changed: each file's name, size and time of change."""
    return tuple(sorted(_files(root)))


def _files(root: Path) -> Iterator[tuple[str, int, int]]:
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.suffix not in _SUFFIXES:
                continue
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue  # removed between the listing and the look: the next look will differ
            yield str(path.relative_to(root)), found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class ContentState:
    """What runs, since when, and what is wrong with what is on disk instead of it."""

    bundle: Bundle
    loaded_at: int
    problems: tuple[Problem, ...] = ()


class Content:
    """Holds the bundle in force; swaps it when the files change and pass their check."""

    def __init__(
        self,
        root: Path,
        load: Callable[[], Bundle],
        apply: Callable[[Bundle], None],
        publish: Callable[[str, ContentState], None],
        clock: Clock,
        bundle: Bundle,
    ) -> None:
        self._root = root
        self._load = load
        self._apply = apply
        self._publish = publish
        self._clock = clock
        self._seen = signature(root)
        self._state = ContentState(bundle, clock.now())
        self._swap = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="content", daemon=True)

    @property
    def state(self) -> ContentState:
        return self._state

    def bundle(self) -> Bundle:
        """The bundle in force."""
        return self._state.bundle

    def adopt(self, bundle: Bundle) -> None:
        """This bundle is in force from now on (called by `apply` between two facts)."""
        self._state = ContentState(bundle, self._clock.now())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def sync(self) -> ContentState:
        """Looks now; returns what is in force and what is wrong with what is on disk."""
        with self._swap:
            found = signature(self._root)
            if found != self._seen:
                self._seen = found
                self._take_up()
            return self._state

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            try:
                self.sync()
            except OSError as error:
                _log.warning("content cannot be read: %s", error)

    def _take_up(self) -> None:
        try:
            bundle = self._load()
        except LangError as error:
            self._refuse(error.problems)
            return
        except ContentError as error:
            self._refuse((Problem(Position(str(self._root)), error.message),))
            return
        if bundle.commit != self._state.bundle.commit:
            self._apply(bundle)
            _log.info("content %s is in force", bundle.commit)
        self._state = ContentState(bundle, self._clock.now())
        self._publish("content", self._state)

    def _refuse(self, problems: Sequence[Problem]) -> None:
        self._state = ContentState(self._state.bundle, self._state.loaded_at, tuple(problems))
        _log.error(
            "content has %d problems, the last good one keeps running:\n%s",
            len(problems),
            "\n".join(map(str, problems)),
        )
        self._publish("content", self._state)
