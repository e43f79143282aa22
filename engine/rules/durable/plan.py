"""Conditions of one kind laid out as bits: a bit for each disjunct, a truth table for each term."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.lang.expression import nodes
from engine.lang.expression.nodes import Node
from engine.rules.durable.classes import Predicate
from engine.rules.durable.fold import Evaluate, fold
from engine.rules.durable.normal import Conjunction, disjuncts
from engine.rules.durable.tables import Account, TruthTable
from engine.rules.durable.trees import reads

_OF_HOST: Final = frozenset(("host", "labels", "vars"))


@dataclass(slots=True)
class Term:
    """A term, and the variables that its expression still reads."""

    node: Node
    variables: Mapping[str, Any]
    table: TruthTable
    of_host: bool
    """Reads nothing of the fact: the same for every fact of a host."""
    name: str | None
    """Of the fact's own field, where the term is that and nothing else."""
    sure: bool = False
    """Some disjunct rests on this term alone (beside the host): always looked at."""


@dataclass(slots=True)
class Plan:
    """`owners[d]` is the condition of disjunct d; the first disjunct of condition i is bit i."""

    conditions: int
    owners: list[int]
    terms: list[Term] = field(default_factory=list)

    @property
    def everything(self) -> int:
        return (1 << len(self.owners)) - 1

    def conditions_of(self, mask: int) -> int:
        """The conditions that have a disjunct in `mask`, as a mask."""
        found = 0
        while mask:
            lowest = mask & -mask
            found |= 1 << self.owners[lowest.bit_length() - 1]
            mask ^= lowest
        return found


@dataclass(slots=True)
class _Draft:
    node: Node
    variables: Mapping[str, Any]
    tests: dict[str, tuple[Predicate, int]] = field(default_factory=dict)


def plan(
    kind: str,
    conditions: Sequence[tuple[Node, Mapping[str, Any]]],
    evaluate: Evaluate,
    account: Account,
    give_up: Callable[[Plan, int], None],
) -> Plan:
    """Lays out `conditions`, each with its variables. `give_up` is told, with the plan, the mask
    of disjuncts that durable-rules will not judge."""
    forms = [disjuncts(fold(node, variables, evaluate)) for node, variables in conditions]
    laid = Plan(len(forms), list(range(len(forms))))
    drafts: dict[tuple[str, int], _Draft] = {}
    alone: set[tuple[str, int]] = set()
    for place, form in enumerate(forms):
        for conjunction in form:
            bit = place
            if conjunction is not form[0]:
                bit = len(laid.owners)
                laid.owners.append(place)
            keys = _enter(conjunction, bit, conditions[place][1], drafts)
            of_fact = [key for key in keys if not _is_of_host(drafts[key].node)]
            if len(of_fact) == 1:
                alone.update(of_fact)
    for key, draft in drafts.items():
        laid.terms.append(_term(kind, draft, laid, account, give_up, sure=key in alone))
    laid.terms.sort(key=lambda term: (not term.sure, term.name is None))
    return laid


def _enter(
    conjunction: Conjunction,
    bit: int,
    variables: Mapping[str, Any],
    drafts: dict[tuple[str, int], _Draft],
) -> set[tuple[str, int]]:
    """Notes that disjunct `bit` needs all of `conjunction`; the keys of its terms."""
    keys = set()
    for atom in conjunction:
        unfolded = "vars" in reads(atom.term)
        key = (atom.key[0], id(variables) if unfolded else 0)
        draft = drafts.setdefault(key, _Draft(atom.term, variables))
        _, mask = draft.tests.get(atom.test.key, (atom.test, 0))
        draft.tests[atom.test.key] = (atom.test, mask | 1 << bit)
        keys.add(key)
    return keys


def _term(
    kind: str,
    draft: _Draft,
    laid: Plan,
    account: Account,
    give_up: Callable[[Plan, int], None],
    *,
    sure: bool,
) -> Term:
    table = TruthTable(draft.tests, laid.everything, account, lambda mask: give_up(laid, mask))
    own: str | None = None
    match draft.node:
        case nodes.Field(nodes.Name(base), name) if base == kind:
            own = name
    of_host = _is_of_host(draft.node)
    return Term(draft.node, draft.variables, table, of_host, own, sure)


def _is_of_host(node: Node) -> bool:
    return reads(node) <= _OF_HOST
