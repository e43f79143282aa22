"""What a rule remembers by key, bounded for each host: a flood from one never costs another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from engine.rules.correlation.keys import Key

KEYS_PER_HOST = 2_000
"""Keys of one rule remembered for one host."""


class Entry(Protocol):
    """What is remembered of a key; `seen` is the instant of its last use."""

    key: Key
    host: str | None
    seen: int

    @property
    def kept(self) -> bool:
        """Whether it must not be forgotten to make room (an open firing)."""
        ...


E = TypeVar("E", bound=Entry)


class Shares(Generic[E]):
    """Entries by key. Beyond its share, a host's least recently used entries are forgotten."""

    def __init__(self, forget: Callable[[E], None], most: int = KEYS_PER_HOST) -> None:
        """`forget` is told of every entry that has to go."""
        self.entries: dict[Key, E] = {}
        self.expired = 0
        self.refused = 0
        self._hosts: dict[str | None, dict[Key, E]] = {}
        self._forget = forget
        self._most = most

    def get(self, key: Key) -> E | None:
        return self.entries.get(key)

    def add(self, entry: E) -> bool:
        """Takes in a new entry; False where the host's share is full of what must be kept."""
        share = self._hosts.setdefault(entry.host, {})
        if len(share) >= self._most and not self._make_room(share):
            self.refused += 1
            return False
        self.entries[entry.key] = share[entry.key] = entry
        return True

    def remove(self, entry: E) -> None:
        self.entries.pop(entry.key, None)
        share = self._hosts.get(entry.host)
        if share is not None:
            share.pop(entry.key, None)
            if not share:
                del self._hosts[entry.host]

    def _make_room(self, share: dict[Key, E]) -> bool:
        """Forgets a tenth of a share, least recently used first."""
        free = sorted((e for e in share.values() if not e.kept), key=lambda e: e.seen)
        going = free[: max(self._most // 10, 1)]
        for entry in going:
            self._forget(entry)
            self.entries.pop(entry.key, None)
            share.pop(entry.key, None)
        self.expired += len(going)
        return bool(going)

    def __iter__(self) -> Iterator[E]:
        return iter(list(self.entries.values()))

    def __len__(self) -> int:
        return len(self.entries)
