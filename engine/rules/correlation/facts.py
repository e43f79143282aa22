"""The last fact of every subject, kind by kind, and how much of that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from engine.core.facts import Fact, FactKind
from engine.rules.correlation.keys import Key, plain

FOREVER: Final = 1 << 62
"""Microseconds that never pass: the stale time of a kind that never goes stale."""
SUBJECTS_PER_HOST: Final = 2_000
"""Subjects of one kind kept for one host (and for all hosts together of a kind without one)."""


class Record:
    """What a condition holds for: a subject and its last fact, or an event that matched."""

    __slots__ = ("fact", "host", "mask", "subject", "table", "watchers")

    def __init__(self, table: Table, subject: Key, fact: Fact, mask: int) -> None:
        self.table = table
        self.subject = subject
        self.host = fact.host
        self.fact = fact
        self.mask = mask
        self.watchers: set[Any] | None = None
        """Rules that want to see the subject's next fact even where no truth changes."""

    @property
    def lapses(self) -> int:
        """The last instant at which it is not yet stale."""
        return self.fact.at + self.table.stale_after


class Match(Record):
    """An event that matched: true until `until`."""

    __slots__ = ("until",)

    def __init__(self, record: Record, subject: Key, until: int) -> None:
        super().__init__(record.table, subject, record.fact, record.mask)
        self.until = until

    @property
    def lapses(self) -> int:
        return self.until


class Table:
    """All subjects of one kind. `most` bounds each host's share: the least recently seen go first,
    and never to make room for another host's."""

    def __init__(self, kind: FactKind, most: int = SUBJECTS_PER_HOST) -> None:
        self.kind = kind
        self.name = kind.name
        self.stale_after = FOREVER if kind.stale_after is None else kind.stale_after
        self.records: dict[Key, Record] = {}
        self.hosts: dict[str | None, dict[Key, Record]] = {}
        self.steady = -1
        """The bits of a mask that change with facts alone."""
        self.timed: Callable[[Fact, int], int] = _nothing
        """The other bits: those of conditions that read the time, judged at an instant."""
        self._most = most
        self._names = kind.key

    def subject(self, fact: Fact) -> Key:
        """A fact's subject as a key."""
        data = fact.data
        values = [plain(data.get(name)) for name in self._names]
        return tuple(values) if self.kind.is_global else (fact.host, *values)

    def add(self, record: Record) -> None:
        """Takes in a new subject; `make_room` comes first."""
        self.records[record.subject] = record
        self.hosts.setdefault(record.host, {})[record.subject] = record

    def remove(self, record: Record) -> None:
        """Forgets a subject."""
        self.records.pop(record.subject, None)
        share = self.hosts.get(record.host)
        if share is not None:
            share.pop(record.subject, None)
            if not share:
                del self.hosts[record.host]

    def is_full(self, host: str | None) -> bool:
        share = self.hosts.get(host)
        return share is not None and len(share) >= self._most

    def oldest(self, host: str | None, kept: Callable[[Record], bool]) -> list[Record]:
        """A tenth of a host's subjects, those seen longest ago, without those that are `kept`."""
        share = [record for record in self.hosts.get(host, {}).values() if not kept(record)]
        share.sort(key=lambda record: record.fact.at)
        return share[: max(self._most // 10, 1)]

    def of_host(self, host: str | None) -> Iterator[Record]:
        return iter(self.hosts.get(host, {}).values())


def _nothing(fact: Fact, at: int) -> int:
    return 0
