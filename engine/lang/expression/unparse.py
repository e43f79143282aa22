"""A node as text again: the same text for the same meaning, however it was written."""

from __future__ import annotations

import json
import keyword
from typing import Final

from engine.lang.expression.nodes import (
    Arithmetic,
    Bool,
    Call,
    Compare,
    Comprehension,
    Field,
    ListOf,
    Literal_,
    Name,
    Negative,
    Node,
    Not,
    Subscript,
)

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)
_STRENGTH: Final = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT}


def unparse(node: Node) -> str:
    """The node's text; `parse` gives the same meaning back. 0, 0.0 and false stay different, so
    that it serves as a key for equal conditions."""
    return _text(node)[0]


def _text(node: Node) -> tuple[str, int]:
    match node:
        case Literal_(value):
            text = json.dumps(value, ensure_ascii=False)
            return text, _SIGN if text.startswith("-") else _ATOM
        case Name(name):
            return name, _ATOM
        case Field(base, name):
            if keyword.iskeyword(name):
                return f'{_within(base, _ATOM)}["{name}"]', _ATOM
            return f"{_within(base, _ATOM)}.{name}", _ATOM
        case Subscript(base, index):
            return f"{_within(base, _ATOM)}[{unparse(index)}]", _ATOM
        case Call(function, arguments):
            return f"{function}({', '.join(unparse(one) for one in arguments)})", _ATOM
        case ListOf(items):
            return f"[{', '.join(unparse(item) for item in items)}]", _ATOM
        case Comprehension():
            return _comprehension(node), _ATOM
    return _operation(node)


def _operation(node: Not | Negative | Arithmetic | Compare | Bool) -> tuple[str, int]:
    match node:
        case Not(operand):
            return f"not {_within(operand, _NOT)}", _NOT
        case Negative(operand):
            return f"-{_within(operand, _SIGN)}", _SIGN
        case Arithmetic(operator, left, right):
            strength = _STRENGTH[operator]
            return f"{_within(left, strength)} {operator} {_within(right, strength + 1)}", strength
        case Compare(first, rest):
            pieces = [_within(first, _SUM)]
            pieces += [f"{comparator} {_within(right, _SUM)}" for comparator, right in rest]
            return " ".join(pieces), _COMPARE
        case Bool(word, operands):
            strength = _OR if word == "or" else _AND
            return f" {word} ".join(_within(one, strength + 1) for one in operands), strength


def _comprehension(node: Comprehension) -> str:
    condition = "" if node.condition is None else f" if {_within(node.condition, _AND)}"
    source = _within(node.source, _AND)
    return f"[{unparse(node.element)} for {node.variable} in {source}{condition}]"


def _within(node: Node, least: int) -> str:
    text, strength = _text(node)
    return text if strength >= least else f"({text})"
