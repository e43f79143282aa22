"""The judge of one kind: a generated function for each set of variables that its hosts have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.lang.expression import nodes
from engine.rules.durable.generate import FALLEN, Closure, Generator
from engine.rules.durable.plan import Plan, plan
from engine.rules.durable.tables import Account
from engine.rules.durable.trees import parts_of
from engine.rules.durable.usual import Lesson
from engine.rules.matcher import Hosts, Judge, Judged
from engine.rules.reference import compile_term, evaluate_constant

HOSTS: Final = 20_000
"""First masks and judges are remembered for so many hosts."""
WORLDS: Final = 64
"""So many different sets of host variables get their own function; the rest fall back."""


class KindMatcher:
    """Judges all conditions of one kind; `judge` is what the matcher hands out."""

    def __init__(
        self, kind: str, conditions: Sequence[Judged], hosts: Hosts, account: Account
    ) -> None:
        self._kind = kind
        self._conditions = tuple(conditions)
        self._hosts = hosts
        self._account = account
        self.lock = account.lock
        self._names = _variables_read(conditions)
        self._worlds: dict[str, _World] = {}
        self._by_host: dict[str | None, Judge] = {}
        self._reference: dict[int, Closure] = {}
        self._common = _World(self, {}, shared=self._names is None or bool(self._names))
        self.judge: Judge = self._common.judge

    def close(self) -> None:
        for world in (self._common, *self._worlds.values()):
            world.close()

    def overrides(self, host: str | None) -> dict[str, Any]:
        """The variables that the conditions read and `host` has of its own."""
        if self._names is not None and not self._names:
            return {}
        own = self._hosts.vars_of(host)
        names = own if self._names is None else self._names
        return {name: own[name] for name in names if name in own}

    def elsewhere(self, world: _World, host: str | None, data: Any) -> int:
        """Judges what a generated function does not take: a new host, or data that is no dict."""
        if not isinstance(data, dict):
            if not isinstance(data, Mapping):
                return self.by_reference(self.all, host, data)
            data = dict(data)
        elif type(data) is not dict:
            data = dict(data)
        if world is not self._common or not (own := self.overrides(host)):
            world.welcome(host)
            return world.judge(host, data)
        return self._judge_of(host, own)(host, data)

    @property
    def all(self) -> int:
        """The mask of all conditions."""
        return (1 << len(self._conditions)) - 1

    def by_reference(self, wanted: int, host: str | None, data: Any) -> int:
        """What the reference evaluator says of the conditions in `wanted`, counted."""
        held = 0
        while wanted:
            lowest = wanted & -wanted
            wanted ^= lowest
            place = lowest.bit_length() - 1
            closure = self._reference.get(place)
            if closure is None:
                condition = self._conditions[place]
                closure = self._reference[place] = compile_term(
                    condition.expression.root, self._kind, condition.vars, self._hosts
                )
            self._account.fallen_back += 1
            if closure(host, data) is True:
                held |= lowest
        return held

    def lay(self, own: Mapping[str, Any], give_up: Any) -> Plan:
        """The plan of all conditions where a host has the variables `own`."""
        conditions = [
            (condition.expression.root, {**condition.vars, **own} if own else condition.vars)
            for condition in self._conditions
        ]
        return plan(self._kind, conditions, evaluate_constant, self._account, give_up)

    def closure(self, node: nodes.Node, variables: Mapping[str, Any]) -> Closure:
        return compile_term(node, self._kind, variables, self._hosts)

    def _judge_of(self, host: str | None, own: Mapping[str, Any]) -> Judge:
        known = self._by_host.get(host)
        if known is not None:
            return known
        text = json.dumps(own, sort_keys=True, default=repr)
        world = self._worlds.get(text)
        if world is None and len(self._worlds) < WORLDS:
            world = self._worlds[text] = _World(self, own, shared=True)
        if len(self._by_host) >= HOSTS:
            self._by_host.clear()
        judge = self._by_host[host] = world.judge if world else self._judge_by_reference
        return judge

    def _judge_by_reference(self, host: str | None, data: Mapping[str, Any]) -> int:
        return self.by_reference(self.all, host, data)


class _World:
    """One generated function, for the hosts with the variables `own` of their own."""

    def __init__(self, kind: KindMatcher, own: Mapping[str, Any], *, shared: bool) -> None:
        """`shared`: other hosts may have variables of their own, so each must be asked about."""
        self._kind = kind
        self._fallen = 0
        self._plan = kind.lay(own, self._give_up)
        self._lessons = 1
        self._lesson: Lesson | None = Lesson(self._plan, self._lessons)
        self._starts: dict[str | None, int] = {}
        closures = {
            place: kind.closure(term.node, term.variables)
            for place, term in enumerate(self._plan.terms)
            if term.name is None
        }
        self._of_host = [
            (term.table, closures[place])
            for place, term in enumerate(self._plan.terms)
            if term.of_host
        ]
        self._generator = Generator(
            self._plan,
            closures,
            start=self._starts.get if shared or self._of_host else None,
            elsewhere=lambda host, data: kind.elsewhere(self, host, data),
            mend=self._mend,
            learn=self._learn,
        )
        self.judge = self._generator.judge

    def welcome(self, host: str | None) -> None:
        """Works out the first mask of a host: what its name, labels and variables rule out."""
        mask = self._plan.everything
        for table, closure in self._of_host:
            mask &= table.of(closure(host, {}))
        if len(self._starts) >= HOSTS:
            self._starts.clear()
        self._starts[host] = mask

    def close(self) -> None:
        for term in self._plan.terms:
            term.table.close()

    def _learn(self, data: Mapping[str, Any]) -> None:
        with self._kind.lock:
            if self._fallen:
                self._generator.rewrite(None)
            elif self._lesson is None:
                self._lessons += 1
                self._lesson = Lesson(self._plan, self._lessons)
                self._generator.rewrite(None, learning=True)
            elif self._lesson.take(data):
                lesson, self._lesson = self._lesson, None
                usual = lesson.usual()
                self._generator.rewrite(None if self._fallen else usual)

    def _give_up(self, laid: Plan, disjuncts: int) -> None:
        with self._kind.lock:
            self._fallen |= laid.conditions_of(disjuncts)
            self._generator.space[FALLEN] = self._fallen
            self._generator.rewrite(None)

    def _mend(self, mask: int, host: str | None, data: Mapping[str, Any]) -> int:
        return mask & ~self._fallen | self._kind.by_reference(self._fallen, host, data)


def _variables_read(conditions: Sequence[Judged]) -> frozenset[str] | None:
    """The names of variables that conditions read; None where only running them would tell."""
    names: set[str] = set()

    def visit(node: nodes.Node) -> bool:
        match node:
            case nodes.Field(nodes.Name("vars"), name):
                names.add(name)
                return True
            case nodes.Subscript(nodes.Name("vars"), nodes.Literal_(str() as name)):
                names.add(name)
                return True
            case nodes.Name("vars"):
                return False
            case _:
                return all(visit(part) for part in parts_of(node))

    known = all(visit(condition.expression.root) for condition in conditions)
    return frozenset(names) if known else None
