"""The type check: every reference against what is known, before anything runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from engine.core.errors import Problem
from engine.lang.expression.check_calls import check_call
from engine.lang.expression.check_comparisons import check_pair
from engine.lang.expression.nodes import (
    Arithmetic,
    Bool,
    Call,
    Compare,
    Comprehension,
    Expression,
    Field,
    ListOf,
    Literal_,
    Name,
    Negative,
    Node,
    Not,
    Subscript,
)
from engine.lang.expression.signatures import FUNCTIONS
from engine.lang.expression.suggest import did_you_mean
from engine.lang.expression.types import (
    ANY,
    BOOLEAN,
    NUMBER,
    Names,
    NameType,
    list_type,
    value_type,
)
from engine.lang.expression.unparse import unparse
from engine.lang.expression.walk import shown_types, start_column


def check(
    expression: Expression,
    names: Names,
    *,
    condition: bool = False,
    calendars: Collection[str] | None = None,
) -> list[Problem]:
    """Every mistake in an expression, in order of place; empty where it is sound.

    `names` are the top-level names that may be read; `condition` says that it must be true or
    false; `calendars` are those `during` may name, None where they are not known. What never
    holds (a number compared with text, a value no enumeration has) is an error; what is only
    suspicious is a warning.
    """
    checker = Checker(expression, names, calendars)
    found = checker.infer(expression.root)
    if condition:
        checker.must_be_boolean(expression.root, found)
    return sorted(set(checker.problems))


class Checker:
    """One check: infers types from the leaves up and gathers problems on the way."""

    def __init__(
        self, expression: Expression, names: Names, calendars: Collection[str] | None
    ) -> None:
        self.problems: list[Problem] = []
        self.calendars = calendars
        self._expression = expression
        self._names = dict(names)

    def report(
        self, node: Node, message: str, severity: Literal["error", "warning"] = "error"
    ) -> None:
        """Adds a problem where the node begins: for `disk.mount` at `disk`."""
        place = self._expression.position(start_column(node))
        self.problems.append(Problem(place, message, "expression", severity))

    def infer(self, node: Node) -> NameType:
        """The type of a node; ANY where nothing is known, also behind a mistake."""
        match node:
            case Literal_(value):
                return value_type(value)
            case Name():
                return self._name(node)
            case Field(base, name):
                return self._member(node, base, name)
            case Subscript():
                return self._subscript(node)
            case Bool() | Not() | Compare():
                return self._judged(node)
            case Arithmetic() | Negative():
                return self._number(node)
            case Call(_, arguments):
                return check_call(self, node, [self.infer(one) for one in arguments])
            case ListOf(items):
                found = [self.infer(item) for item in items]
                groups = {one.groups() for one in found}
                return list_type(NameType(groups.pop()) if len(groups) == 1 else ANY)
            case Comprehension():
                return self._comprehension(node)

    def must_be_boolean(self, node: Node, found: NameType) -> None:
        """Only `true` is true: anything else here is a mistake."""
        if not found.types or "boolean" in found.types:
            return
        hint = "compare it"
        if "object" in found.types:
            hint = f"read a field of it, or write defined({unparse(node)})"
        self.report(node, f"{unparse(node)} is {shown_types(found)}, and only true is true; {hint}")

    def _name(self, node: Name) -> NameType:
        known = self._names.get(node.name)
        if known is not None:
            return known
        self.report(node, f"unknown name '{node.name}'{self._other_name(node.name)}")
        return ANY

    def _other_name(self, name: str) -> str:
        if name in FUNCTIONS:
            return f"; {name} is a function: {FUNCTIONS[name].usage}"
        variables = self._names.get("vars", ANY).fields or {}
        if name in variables:
            return f"; did you mean 'vars.{name}'?"
        return did_you_mean(name, self._names) or f'; text is written in quotes: "{name}"'

    def _member(self, node: Node, base: Node, name: str) -> NameType:
        owner = self.infer(base)
        if owner.types and "object" not in owner.types:
            self.report(node, f"{unparse(base)} is {shown_types(owner)} and has no fields")
            return ANY
        if owner.fields is None:
            return owner.rest or ANY
        if name in owner.fields:
            return owner.fields[name]
        if owner.rest is not None:
            return owner.rest
        hint = did_you_mean(name, owner.fields)
        if name in owner.renamed:
            hint = f"; it is called '{owner.renamed[name]}' now"
        self.report(node, f"{unparse(base)} has no {owner.noun} '{name}'{hint}")
        return ANY

    def _subscript(self, node: Subscript) -> NameType:
        if isinstance(node.index, Literal_) and isinstance(node.index.value, str):
            return self._member(node, node.base, node.index.value)
        owner, index = self.infer(node.base), self.infer(node.index)
        if owner.types and not owner.types & {"object", "array"}:
            self.report(
                node, f"{unparse(node.base)} is {shown_types(owner)}; nothing is read by subscript"
            )
            return ANY
        if owner.types == {"array"} and index.types and not index.groups() & {"number"}:
            self.report(node, f"{unparse(node.base)} is a list; its items are read by number: [0]")
        if owner.types == {"array"}:
            return replace(owner.items or ANY, optional=True)
        return owner.rest or ANY

    def _judged(self, node: Bool | Not | Compare) -> NameType:
        if isinstance(node, Compare):
            left, left_type = node.first, self.infer(node.first)
            for comparator, right in node.rest:
                right_type = self.infer(right)
                check_pair(self, comparator, (left, left_type), (right, right_type))
                left, left_type = right, right_type
            return BOOLEAN
        for operand in (node.operand,) if isinstance(node, Not) else node.operands:
            self.must_be_boolean(operand, self.infer(operand))
        return BOOLEAN

    def _number(self, node: Arithmetic | Negative) -> NameType:
        operator = "-" if isinstance(node, Negative) else node.operator
        operands = (node.operand,) if isinstance(node, Negative) else (node.left, node.right)
        for operand in operands:
            found = self.infer(operand)
            if found.types and "number" not in found.groups():
                self.report(
                    operand,
                    f"{unparse(operand)} is {shown_types(found)}; {operator} works on numbers only",
                )
        return NUMBER

    def _comprehension(self, node: Comprehension) -> NameType:
        source = self.infer(node.source)
        if source.types and "array" not in source.types:
            self.report(
                node.source,
                f"{unparse(node.source)} is {shown_types(source)}; a comprehension walks a list",
            )
        shadowed = self._names.get(node.variable)
        self._names[node.variable] = source.items or ANY
        if node.condition is not None:
            self.must_be_boolean(node.condition, self.infer(node.condition))
        element = self.infer(node.element)
        if shadowed is None:
            del self._names[node.variable]
        else:
            self._names[node.variable] = shadowed
        return list_type(element)
