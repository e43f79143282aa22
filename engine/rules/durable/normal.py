"""The disjunctive form of a condition: an `or` of `and`s of atoms, negation within the atoms.

Comparisons, `in`, `and`, `or` and `not` are true or not true, nothing else, so De Morgan holds;
`not (a > 5)` is not `a <= 5`, though: it is true of a missing `a`, as a negated atom is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

from engine.lang.expression import nodes
from engine.lang.expression.nodes import Comparator, Node
from engine.rules.durable.classes import Predicate, Relation
from engine.rules.durable.trees import shape

WIDEST: Final = 16
"""So many disjuncts at most; a wider sub-expression is one term, judged as a whole."""

_MIRRORED: Final[dict[str, Relation]] = {
    "==": "==",
    "!=": "!=",
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
}


@dataclass(frozen=True, slots=True)
class Atom:
    """One test put to one term."""

    term: Node
    test: Predicate

    key: tuple[str, str]
    """Its term's shape and its test's key: the same for the same question."""


Conjunction = tuple[Atom, ...]


def disjuncts(condition: Node) -> list[Conjunction]:
    """The disjunctive form of a condition whose constants are folded."""
    return _form(condition, negated=False)


def _form(node: Node, *, negated: bool) -> list[Conjunction]:
    match node:
        case nodes.Not():
            return _form(node.operand, negated=not negated)
        case nodes.Bool():
            forms = [_form(operand, negated=negated) for operand in node.operands]
            form = _any(forms) if (node.operator == "or") is not negated else _all(forms)
        case nodes.Compare():
            sides = (node.first, *(side for _, side in node.rest))
            pairs = zip(sides, node.rest, strict=False)
            atoms = [_comparison(left, operator, right) for left, (operator, right) in pairs]
            if None in atoms:
                return _whole(node, negated=negated)
            forms = [[(_negate(atom),)] if negated else [(atom,)] for atom in atoms if atom]
            form = _any(forms) if negated else _all(forms)
        case _:
            return _whole(node, negated=negated)
    return _whole(node, negated=negated) if form is None else form


def _whole(node: Node, *, negated: bool) -> list[Conjunction]:
    return [(_atom(node, Predicate("true", negated=negated)),)]


def _atom(term: Node, test: Predicate) -> Atom:
    return Atom(term, test, (shape(term), test.key))


def _negate(atom: Atom) -> Atom:
    test = replace(atom.test, negated=not atom.test.negated)
    return Atom(atom.term, test, (atom.key[0], test.key))


def _any(forms: list[list[Conjunction]]) -> list[Conjunction] | None:
    return _distinct([conjunction for form in forms for conjunction in form])


def _all(forms: list[list[Conjunction]]) -> list[Conjunction] | None:
    product: list[Conjunction] | None = [()]
    for form in forms:
        if product is None or len(product) * len(form) > WIDEST * WIDEST:
            return None
        product = _distinct([(*left, *right) for left in product for right in form])
    return product


def _distinct(conjunctions: list[Conjunction]) -> list[Conjunction] | None:
    """Without repeated atoms and repeated conjunctions; None where too many are left."""
    found: dict[frozenset[tuple[str, str]], Conjunction] = {}
    for conjunction in conjunctions:
        atoms = {atom.key: atom for atom in conjunction}
        found.setdefault(frozenset(atoms), tuple(atoms.values()))
    return list(found.values()) if len(found) <= WIDEST else None


def _comparison(left: Node, operator: Comparator, right: Node) -> Atom | None:
    """The comparison as an atom, where one of its sides is constant and the other is not."""
    if not _comparable(left) or not _comparable(right):
        return None
    if isinstance(left, nodes.Literal_):
        mirrored = _MIRRORED.get(operator)
        if mirrored is None or isinstance(right, nodes.Literal_):
            return None
        return _atom(right, Predicate(mirrored, (left.value,)))
    if operator in ("in", "not in"):
        return _membership(left, operator, right)
    if isinstance(right, nodes.Literal_):
        return _atom(left, Predicate(operator, (right.value,)))
    return None


def _comparable(side: Node) -> bool:
    """Not so for a constant that is not finite: it has no place among the classes."""
    return not (
        isinstance(side, nodes.Literal_)
        and isinstance(side.value, float)
        and not isfinite(side.value)
    )


def _membership(left: Node, operator: Relation, right: Node) -> Atom | None:
    if not isinstance(right, nodes.ListOf):
        return None
    items = [item for item in right.items if _comparable(item)]
    constants = [item.value for item in items if isinstance(item, nodes.Literal_)]
    if len(constants) < len(right.items) or isinstance(left, nodes.ListOf):
        return None
    return _atom(left, Predicate(operator, tuple(constants)))
