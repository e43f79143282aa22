"""What durable-rules said of one term, remembered: a truth table from codes to masks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.rules.durable.classes import Predicate, ValueClasses
from engine.rules.durable.nets import Net, NetRefused, Range, share_out

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Account:
    """What happened so far in one matcher, and the lock that keeps its nets to one caller."""

    asked: int = 0
    remembered: int = 0
    fallen_back: int = 0
    refused_nets: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)


class TruthTable:
    """One term of one kind: bit d of `rows[code]` is set unless the term rules disjunct d out.

    A row is None until durable-rules has been asked about its code; there are as many rows as
    classes, so what is remembered is bounded by the content itself.
    """

    def __init__(
        self,
        tests: Mapping[str, tuple[Predicate, int]],
        everything: int,
        account: Account,
        give_up: Callable[[int], None],
    ) -> None:
        """`tests`: each with the mask of disjuncts it occurs in; `everything`: all disjuncts;
        `give_up`: told the disjuncts that durable-rules will not judge."""
        self.classes = ValueClasses(test for test, _ in tests.values())
        self.involved = 0
        for _, mask in tests.values():
            self.involved |= mask
        self.rows: list[int | None] = [None] * self.classes.size
        self._tests = [(test, mask) for test, mask in tests.values()]
        self._ranges: list[list[Range]] = []
        self._nets: list[tuple[Net, list[Range]]] | None = None
        self._given_up: set[Range] = set()
        self._closed = False
        self._everything = everything
        self._account = account
        self._give_up = give_up

    def of(self, value: object) -> int:
        """The row of any value, asked for where it is not remembered."""
        return self.row(self.classes.code(value))

    def row(self, code: int) -> int:
        """The row of a code, asked for where it is not remembered."""
        known = self.rows[code]
        if known is not None:
            return known
        with self._account.lock:
            if self._closed:
                return self._everything
            held = self._ask(code)
            row = self._everything
            for ranges, (_, mask) in zip(self._ranges, self._tests, strict=True):
                if not any(span in held or span in self._given_up for span in ranges):
                    row &= ~mask
            if self.rows[code] is None:
                self._account.remembered += 1
            self.rows[code] = row
        return row

    def close(self) -> None:
        """Frees the nets. What is remembered stays, what is new falls back from now on."""
        with self._account.lock:
            nets, self._nets, self._closed = self._nets or (), [], True
            for net, _ in nets:
                net.close()
            self._give_up(self.involved)

    def _ask(self, code: int) -> set[Range]:
        held: set[Range] = set()
        for net, ranges in self._open():
            self._account.asked += 1
            try:
                held |= net.ask(code)
            except NetRefused as error:
                self._refuse(ranges, error)
        return held

    def _open(self) -> list[tuple[Net, list[Range]]]:
        if self._nets is None:
            self._nets = []
            self._ranges = [self.classes.passing(test) for test, _ in self._tests]
            for ranges in share_out(span for spans in self._ranges for span in spans):
                try:
                    self._nets.append((Net(ranges), ranges))
                except NetRefused as error:
                    self._refuse(ranges, error)
        return list(self._nets)

    def _refuse(self, ranges: list[Range], error: NetRefused) -> None:
        """Leaves every test with one of `ranges` to the reference evaluator, for good."""
        _log.warning("durable-rules refused a net, its conditions fall back: %s", error)
        self._account.refused_nets += 1
        self._given_up.update(ranges)
        self._nets = [(net, kept) for net, kept in self._nets or () if kept is not ranges]
        lost = 0
        for spans, (_, mask) in zip(self._ranges, self._tests, strict=True):
            if not self._given_up.isdisjoint(spans):
                lost |= mask
        self._give_up(lost)
