"""The reference evaluator: an expression as one Python closure, which defines what is true.

A closure takes the scope (a mapping of top-level names to values) and gives a value of JSON's
types or MISSING. None ever raises, whatever the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.core.values import MISSING
from engine.lang.expression.comparing import compile_compare
from engine.lang.expression.functions import RUNTIME
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
from engine.lang.expression.patterns import compile_pattern, utf8
from engine.lang.expression.signatures import PATTERNS
from engine.lang.expression.values import (
    arithmetic,
    is_list,
    is_number,
    read_field,
    read_index,
    within_bounds,
)

Scope = Mapping[str, Any]
Evaluator = Callable[[Scope], Any]

CALENDARS: Final = "during()"
"""Where a scope holds the callable behind `during("name")`: a name no fact kind can have."""
MAX_ITEMS: Final = 10_000
"""Items of the longest list a comprehension walks; beyond it the value is missing."""

_MAX_REMEMBERED: Final = 4096
_remembered: dict[int, tuple[Expression, Evaluator]] = {}


class _Bound:
    """A scope with one more name: the variable of a comprehension."""

    __slots__ = ("name", "outer", "value")

    def __init__(self, outer: Any, name: str) -> None:
        self.outer = outer
        self.name = name
        self.value: Any = MISSING

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.value if name == self.name else self.outer.get(name, otherwise)


def compile_expression(source: Expression | Node) -> Evaluator:
    """The closure of an expression; keep it where the expression is asked often."""
    return _compile(source.root if isinstance(source, Expression) else source)


def evaluate(expression: Expression, scope: Scope) -> Any:
    """The expression's value in `scope`; the closure is remembered by the object's identity."""
    known = _remembered.get(id(expression))
    if known is None or known[0] is not expression:
        if len(_remembered) >= _MAX_REMEMBERED:
            _remembered.clear()
        known = (expression, compile_expression(expression))
        _remembered[id(expression)] = known
    return known[1](scope)


def _compile(node: Node) -> Evaluator:
    match node:
        case Literal_(value):
            return lambda scope: value
        case Name(name):
            return lambda scope: scope.get(name, MISSING)
        case Field():
            return _field(node)
        case Subscript(base, index):
            inner, key = _compile(base), _compile(index)
            return lambda scope: read_index(inner(scope), key(scope))
        case Compare():
            return compile_compare(node, _compile)
        case Bool() | Not():
            return _logic(node)
        case Arithmetic() | Negative():
            return _number(node)
        case Call():
            return _call(node)
        case ListOf(items):
            return _list(tuple(_compile(item) for item in items))
        case Comprehension():
            return _comprehension(node)


def _field(node: Field) -> Evaluator:
    name = node.name
    if isinstance(node.base, Name):
        base_name = node.base.name

        def field_of_name(scope: Scope) -> Any:
            base = scope.get(base_name)
            return base.get(name, MISSING) if type(base) is dict else read_field(base, name)

        return field_of_name
    inner = _compile(node.base)
    return lambda scope: read_field(inner(scope), name)


def _number(node: Arithmetic | Negative) -> Evaluator:
    if isinstance(node, Arithmetic):
        operator, left, right = node.operator, _compile(node.left), _compile(node.right)
        return lambda scope: arithmetic(operator, left(scope), right(scope))
    inner = _compile(node.operand)

    def negative(scope: Scope) -> Any:
        value = inner(scope)
        return within_bounds(-value) if is_number(value) else MISSING

    return negative


def _logic(node: Bool | Not) -> Evaluator:
    if isinstance(node, Not):
        judged = _compile(node.operand)
        return lambda scope: judged(scope) is not True
    operands = tuple(_compile(operand) for operand in node.operands)
    if len(operands) == 2:
        first, second = operands
        if node.operator == "and":
            return lambda scope: first(scope) is True and second(scope) is True
        return lambda scope: first(scope) is True or second(scope) is True

    def all_of(scope: Scope) -> bool:
        for operand in operands:  # noqa: SIM110 - a loop is half as long as all() with a generator
            if operand(scope) is not True:
                return False
        return True

    def any_of(scope: Scope) -> bool:
        for operand in operands:  # noqa: SIM110
            if operand(scope) is True:
                return True
        return False

    return all_of if node.operator == "and" else any_of


def _call(node: Call) -> Evaluator:
    arguments = tuple(_compile(argument) for argument in node.arguments)
    if node.function == "defined":
        only = arguments[0]
        return lambda scope: only(scope) is not MISSING
    if node.function == "default":
        return _default(*arguments)
    if node.function == "during":
        return _during(arguments[0])
    if node.function in PATTERNS:
        return _pattern(node, arguments[0])
    function = RUNTIME[node.function]
    if len(arguments) == 1:
        only = arguments[0]
        return lambda scope: function(only(scope))
    if len(arguments) == 2:
        first, second = arguments
        return lambda scope: function(first(scope), second(scope))
    return lambda scope: function(*[argument(scope) for argument in arguments])


def _pattern(node: Call, text: Evaluator) -> Evaluator:
    """`search` and `matches` with their pattern compiled; the parser lets only strings pass."""
    whole = node.function == "matches"
    pattern = node.arguments[1]
    compiled = compile_pattern(str(pattern.value) if isinstance(pattern, Literal_) else "")
    judge = compiled.fullmatch if whole else compiled.search

    def found(scope: Scope) -> Any:
        value = text(scope)
        return judge(utf8(value)) is not None if isinstance(value, str) else MISSING

    return found


def _default(value: Evaluator, otherwise: Evaluator) -> Evaluator:
    def default(scope: Scope) -> Any:
        found = value(scope)
        return otherwise(scope) if found is MISSING else found

    return default


def _during(calendar: Evaluator) -> Evaluator:
    def during(scope: Scope) -> Any:
        is_open = scope.get(CALENDARS)
        name = calendar(scope)
        if not callable(is_open) or not isinstance(name, str):
            return MISSING
        return is_open(name)

    return during


def _list(items: tuple[Evaluator, ...]) -> Evaluator:
    def values(scope: Scope) -> list[Any]:
        made = [item(scope) for item in items]
        return [value for value in made if value is not MISSING]

    return values


def _comprehension(node: Comprehension) -> Evaluator:
    source, element, name = _compile(node.source), _compile(node.element), node.variable
    condition = None if node.condition is None else _compile(node.condition)

    def values(scope: Scope) -> Any:
        items = source(scope)
        if not is_list(items) or len(items) > MAX_ITEMS:
            return MISSING
        bound: Any = _Bound(scope, name)
        found: list[Any] = []
        for item in items:
            bound.value = item
            if condition is None or condition(bound) is True:
                value = element(bound)
                if value is not MISSING:
                    found.append(value)
        return found

    return values
