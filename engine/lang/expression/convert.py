"""The white list: each node of Python's `ast` that the language has, as one of ours."""

from __future__ import annotations

import ast
import math
import unicodedata
from typing import Final, Literal

from engine.core.values import MISSING
from engine.lang.expression.nodes import (
    Arithmetic,
    Bool,
    Call,
    Comparator,
    Compare,
    Comprehension,
    Field,
    ListOf,
    Literal_,
    Name,
    Negative,
    Node,
    Not,
    Operator,
    Subscript,
)
from engine.lang.expression.patterns import compile_pattern
from engine.lang.expression.signatures import ELSEWHERE, FUNCTIONS, PATTERNS, WINDOWS
from engine.lang.expression.spelling import SIZES
from engine.lang.expression.suggest import did_you_mean
from engine.lang.expression.tokens import Token, Wrong
from engine.lang.expression.values import MAX_BITS, arithmetic

MAX_NODES: Final = 200

_COMPARATORS: Final[dict[type[ast.cmpop], Comparator]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_OPERATORS: Final[dict[type[ast.operator], Operator]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
}
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


class Converter:
    """One conversion: counts nodes, gathers names, knows each node's column in the text."""

    def __init__(self, line: str, tokens: list[Token]) -> None:
        self.names: set[str] = set()
        self._strings = {token.column: token.value for token in tokens if token.type == "string"}
        self._named = {token.column: token.text for token in tokens if token.type == "name"}
        self._line = line
        self._bytes = None if line.isascii() else _byte_columns(line)
        self._nodes = 0
        self._body: ast.expr = ast.Constant(None)
        self._variables: list[str] = []

    def convert(self, body: ast.expr) -> Node:
        """The whole tree; raises `Wrong`."""
        self._body = body
        return self._node(body)

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Where a node stands in the text: start and end."""
        return self._column(node), self._character(node.end_col_offset or 0)

    def _count(self) -> None:
        """One more node; stops at the limit, so that depth is bounded by it too."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            whole = sum(isinstance(node, ast.expr) for node in ast.walk(self._body))
            raise Wrong(
                0, f"an expression has at most {MAX_NODES} parts, this one {whole}; split it"
            )

    def _character(self, byte: int) -> int:
        """A byte column of the bracketed line as a character column of the text."""
        return (byte if self._bytes is None else self._bytes[byte]) - 1

    def _column(self, node: ast.expr) -> int:
        return self._character(node.col_offset)

    def _node(self, node: ast.expr) -> Node:
        self._count()
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._field(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.BoolOp():
                operands = tuple(self._node(value) for value in node.values)
                word: Literal["and", "or"] = "and" if isinstance(node.op, ast.And) else "or"
                return Bool(word, operands, self._column(node))
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.Compare():
                return self._compare(node)
            case ast.Call():
                return self._call(node.func, node.args, node.keywords, self._column(node))
            case ast.List():
                return ListOf(tuple(self._node(item) for item in node.elts), self._column(node))
            case ast.ListComp():
                return self._comprehension(node)
        raise Wrong(self._column(node), _refusal(node))

    def _constant(self, node: ast.Constant) -> Node:
        column, value = self._column(node), node.value
        if isinstance(value, str):
            return Literal_(self._strings[column], column)
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise Wrong(column, "this number is too large")
        if isinstance(value, float) and not math.isfinite(value):
            raise Wrong(column, "this number is too large")
        if isinstance(value, int | float):
            return Literal_(value, column)
        raise Wrong(column, "this is neither a number nor a string")

    def _spelled(self, name: str, column: int) -> str:
        """A name as written: Python would fold `ﬁ` to `fi`, and then read another field."""
        written = self._named.get(column, name)
        if unicodedata.normalize("NFKC", written) != written:
            raise Wrong(column, f"'{written}' has letters with several spellings; use a subscript")
        return written

    def _name(self, node: ast.Name) -> Node:
        column = self._column(node)
        name = self._spelled(node.id, column)
        if name in _CONSTANTS:
            return Literal_(_CONSTANTS[name], column)
        if name in SIZES:
            return Literal_(SIZES[name], column)
        if name not in self._variables:
            self.names.add(name)
        return Name(name, column)

    def _field(self, node: ast.Attribute) -> Node:
        end = self._character(node.end_col_offset or 0)
        column = end - 1
        while column not in self._named:
            column -= 1
        return Field(self._node(node.value), self._spelled(node.attr, column), column)

    def _subscript(self, node: ast.Subscript) -> Node:
        if isinstance(node.slice, ast.Slice | ast.Tuple):
            raise Wrong(self._column(node.slice), "a subscript takes one key or one index")
        base = self._node(node.value)
        return Subscript(base, self._node(node.slice), self._column(node.slice))

    def _unary(self, node: ast.UnaryOp) -> Node:
        column = self._column(node)
        operand = self._node(node.operand)
        if isinstance(node.op, ast.Not):
            return Not(operand, column)
        if not isinstance(node.op, ast.USub):
            raise Wrong(column, "a number is written without +")
        if isinstance(operand, Literal_):
            return self._folded("-", Literal_(0, column), operand, column)
        return Negative(operand, column)

    def _binary(self, node: ast.BinOp) -> Node:
        if isinstance(node.op, ast.BitOr):
            return self._pipe(node)
        operator = _OPERATORS.get(type(node.op))
        column = self._column(node)
        if operator is None:
            raise Wrong(column, "the operators on numbers are + - * / %")
        left, right = self._node(node.left), self._node(node.right)
        if isinstance(left, Literal_) and isinstance(right, Literal_):
            return self._folded(operator, left, right, column)
        return Arithmetic(operator, left, right, column)

    def _folded(self, operator: Operator, left: Literal_, right: Literal_, column: int) -> Literal_:
        """Arithmetic on constants, done once; what would always be missing is a mistake."""
        value = arithmetic(operator, left.value, right.value)
        if value is MISSING:
            if right.value == 0 and operator in "/%":
                raise Wrong(right.column, "division by zero")
            text = isinstance(left.value, str) or isinstance(right.value, str)
            hint = "; text is put together in a template, or with join([…])" if text else ""
            raise Wrong(column, f"{operator} works on numbers only{hint}")
        return Literal_(value, column)

    def _pipe(self, node: ast.BinOp) -> Node:
        column = self._column(node.right)
        match node.right:
            case ast.Name() as function:
                return self._call(function, [node.left], [], column)
            case ast.Call() as call:
                self._count()
                return self._call(call.func, [node.left, *call.args], call.keywords, column)
        raise Wrong(column, "after | comes a function: value | round(1)")

    def _compare(self, node: ast.Compare) -> Node:
        rest: list[tuple[Comparator, Node]] = []
        for operator, value in zip(node.ops, node.comparators, strict=True):
            comparator = _COMPARATORS.get(type(operator))
            if comparator is None:
                raise Wrong(self._column(value), "write == instead of 'is'")
            rest.append((comparator, self._node(value)))
        return Compare(self._node(node.left), tuple(rest), self._column(node))

    def _call(
        self, function: ast.expr, args: list[ast.expr], keywords: list[ast.keyword], column: int
    ) -> Node:
        if isinstance(function, ast.Attribute):
            end = self._character(function.end_col_offset or 0)
            raise Wrong(end - len(function.attr), _method(function.attr))
        if not isinstance(function, ast.Name):
            raise Wrong(column, "only a function is called, by its name: f(a)")
        self._count()
        name, place = function.id, self._column(function)
        last = any(keyword.arg in ("last", "ago", "ahead") for keyword in keywords)
        if name in WINDOWS or last:
            raise Wrong(place, f"{name}: windows are not available in this version")
        signature = FUNCTIONS.get(name)
        if signature is None:
            raise Wrong(place, f"there is no function '{name}'{_other_name(name)}")
        if keywords:
            shown = keywords[0].arg or "**"
            raise Wrong(
                self._column(keywords[0].value),
                f"{name} takes no '{shown}='; it is written {signature.usage}",
            )
        if len(args) < signature.required or (
            signature.most is not None and len(args) > signature.most
        ):
            raise Wrong(place, f"{name} is written {signature.usage}")
        arguments = tuple(self._node(argument) for argument in args)
        if name in PATTERNS:
            _check_pattern(name, arguments[1])
        return Call(name, arguments, (), column)

    def _comprehension(self, node: ast.ListComp) -> Node:
        column = self._column(node)
        if len(node.generators) != 1 or self._variables:
            raise Wrong(column, "a comprehension has one 'for', and stands in no other")
        only = node.generators[0]
        if not isinstance(only.target, ast.Name) or only.is_async:
            raise Wrong(self._column(only.target), "a comprehension has one variable, a name")
        if len(only.ifs) > 1:
            raise Wrong(self._column(only.ifs[1]), "a comprehension has one 'if'; join with 'and'")
        if any(isinstance(inner, ast.ListComp) for inner in ast.walk(only.iter)):
            raise Wrong(self._column(only.iter), "a comprehension stands in no other")
        source = self._node(only.iter)
        self._count()
        variable = self._spelled(only.target.id, self._column(only.target))
        if variable in _CONSTANTS or variable in SIZES:
            raise Wrong(self._column(only.target), f"'{variable}' cannot be a variable")
        self._variables.append(variable)
        condition = self._node(only.ifs[0]) if only.ifs else None
        element = self._node(node.elt)
        self._variables.pop()
        return Comprehension(element, variable, source, condition, column)


def _byte_columns(line: str) -> list[int]:
    """For each byte of `(line)` in UTF-8 the character it belongs to."""
    columns: list[int] = []
    for index, character in enumerate(f"({line})"):
        columns.extend([index] * len(character.encode("utf-8")))
    columns.append(len(line) + 2)
    return columns


def _check_pattern(name: str, pattern: Node) -> None:
    if not isinstance(pattern, Literal_) or not isinstance(pattern.value, str):
        raise Wrong(pattern.column, f"the pattern of {name} is written out: a string, no field")
    if "\b" in pattern.value:
        raise Wrong(
            pattern.column,
            r'in "…" \b is a backspace; for the edge of a word write r"…\b…" or \\b',
        )
    try:
        compile_pattern(pattern.value)
    except ValueError as error:
        raise Wrong(pattern.column, f"this pattern is not RE2: {error}") from None


def _method(name: str) -> str:
    known = name if name in FUNCTIONS else ELSEWHERE.get(name)
    hint = f"write {FUNCTIONS[known].usage}" if known else "call functions by name: f(a)"
    return f"values have no methods ('.{name}(…)'); {hint}"


def _other_name(name: str) -> str:
    if name in ELSEWHERE:
        return f"; did you mean '{ELSEWHERE[name]}'?"
    return did_you_mean(name, FUNCTIONS)


def _refusal(node: ast.expr) -> str:
    match node:
        case ast.IfExp():
            return "there is no conditional expression; split the rule, or use default(a, b)"
        case ast.Tuple():
            return "a list is written in square brackets: [a, b]"
        case ast.GeneratorExp():
            return "a comprehension is written in square brackets: [… for x in list]"
        case ast.Starred():
            return "* before a value is not part of the language"
        case _:
            return f"{type(node).__name__} is not part of the language"
