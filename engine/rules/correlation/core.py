"""What all rules of one engine share: the clock, deadlines, what was decided, what goes back in."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from json import JSONEncoder
from typing import Any

from engine.core.decisions import Decision
from engine.core.facts import Catalogue, Fact
from engine.core.values import Json
from engine.rules.correlation.deadlines import Deadlines
from engine.rules.correlation.facts import Record, Table
from engine.rules.correlation.surroundings import Surroundings

CHAIN: int = 16
"""Facts from one outside fact, each decided by a rule that saw the one before."""
encode = JSONEncoder(sort_keys=True, default=str).encode


@dataclass(slots=True)
class Fed:
    """A fact that the rule `by` decided, on its way back in."""

    fact: Fact
    depth: int
    by: str


@dataclass(slots=True)
class Core:
    """The mutable heart of an engine: only `Engine` makes one, all rules share it."""

    kinds: Catalogue
    surroundings: Surroundings
    clock: int
    tables: dict[str, Table] = field(default_factory=dict)
    deadlines: Deadlines = field(default_factory=Deadlines)
    out: list[Decision] = field(default_factory=list)
    fed: deque[Fed] = field(default_factory=deque)
    counters: Counter[str] = field(default_factory=Counter)
    depth: int = 0
    """How many rules' facts lie between the outside fact and the one being judged."""
    switched: set[str] = field(default_factory=set)
    """`match: first` rule sets whose rule for the fact at hand is chosen."""
    judge: Callable[[Fact], int] = lambda fact: 0
    """All conditions of a fact's kind, judged."""
    fired_at: int = -1
    ordinals: dict[str, int] = field(default_factory=dict)
    """Firings of this instant by rule and key."""

    def mask_at(self, record: Record, at: int) -> int:
        """Which conditions hold for a record, those that read the time judged at `at`."""
        return record.mask & record.table.steady | record.table.timed(record.fact, at)

    def firing_id(self, rule: str, key: Mapping[str, Json], at: int) -> str:
        """A short hash of rule set, rule, key, time and ordinal: the same in every replay."""
        if at != self.fired_at:
            self.fired_at = at
            self.ordinals.clear()
        name = encode([rule, key])
        ordinal = self.ordinals.get(name, 0)
        self.ordinals[name] = ordinal + 1
        return digest(f"{name[:-1]}, {at}, {ordinal}]")  # as `hashed(rule, key, at, ordinal)`

    def feed_back(self, fact: Fact, by: str) -> None:
        """Queues a rule's fact: it comes after all rules have seen the one being judged."""
        self.fed.append(Fed(fact, self.depth + 1, by))


def hashed(*parts: Any) -> str:
    """Sixteen hexadecimal digits that stand for these parts."""
    return digest(encode(parts))


def digest(text: str) -> str:
    """The hash of parts that are JSON text already, as `encode` writes it."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
