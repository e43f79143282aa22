"""Values and operators must take turns: errors that name the very token that breaks it.

`ast` would refuse the same texts, but its messages speak of Python and point beside the mistake.
"""

from __future__ import annotations

import keyword
from typing import Final

from engine.lang.expression.spelling import SIZES, wrong_operator, wrong_word
from engine.lang.expression.tokens import Token, Wrong

_BINARY_WORDS: Final = frozenset({"and", "or", "in", "for", "if"})
_OPERATORS: Final = frozenset("== != <= >= < > + - * / % | ( ) [ ] , .".split())  # noqa: SIM905
_SIGNS: Final = frozenset({"+", "-"})


def check_order(text: str, tokens: list[Token]) -> None:
    """Raises `Wrong` at the first token that cannot stand where it stands."""
    if len(tokens) == 1:
        raise Wrong(0, "an expression is expected here, and there is nothing")
    before: Token | None = None
    value_expected = True
    for index, token in enumerate(tokens):
        if token.type == "operator" and token.text not in _OPERATORS:
            if token.text != "=" or not _names_argument(tokens, index):
                raise Wrong(token.column, wrong_operator(token.text))
            value_expected, before = True, token
            continue
        if before is not None and before.text == "." and before.type == "operator":
            _check_field(text, tokens, index)
            value_expected = False
        elif token.type == "name" and token.text == "not":
            if not value_expected and tokens[index + 1].text != "in":
                raise Wrong(token.column, "an operator is missing before 'not'")
        elif token.type == "end":
            if value_expected:
                raise Wrong(token.column, "the expression ends where a value is expected")
        elif token.type == "operator":
            value_expected = _operator(token, before, value_expected)
        else:
            value_expected = _word(token, before, value_expected)
        before = token


def _names_argument(tokens: list[Token], index: int) -> bool:
    """Whether an `=` stands behind the name of an argument: `f(name=…`, `f(a, name=…`."""
    if index < 2 or tokens[index - 1].type != "name":
        return False
    opening = tokens[index - 2].text
    return opening == "," or (opening == "(" and index > 2 and tokens[index - 3].type == "name")


def _word(token: Token, before: Token | None, value_expected: bool) -> bool:
    """A name, a number, a string; gives whether a value is expected next."""
    if token.type == "name":
        if token.text in _BINARY_WORDS:
            if value_expected:
                raise Wrong(token.column, f"a value is missing before '{token.text}'")
            return True
        hint = wrong_word(token.text)
        if hint is not None:
            raise Wrong(token.column, hint)
    if not value_expected:
        raise Wrong(token.column, _missing_operator(token, before))
    return False


def _missing_operator(token: Token, before: Token | None) -> str:
    if before is not None and before.type == "number" and token.text in SIZES:
        return f"a size is written as a product: {before.text} * {token.text}"
    if before is not None and before.type == token.type == "string":
        return "a comma or an operator is missing between these two strings"
    return f"an operator is missing before {token.text[:40]}"


def _operator(token: Token, before: Token | None, value_expected: bool) -> bool:
    text = token.text
    if text == "(":
        if not value_expected and before is not None and before.type != "name":
            raise Wrong(token.column, "only a function is called, by its name: f(a)")
        return True
    if text == "[":
        return True
    if text in ")]":
        if value_expected and (before is None or before.text not in ("(", "[", ",")):
            raise Wrong(token.column, f"a value is missing before {text}")
        return False
    if value_expected and text not in _SIGNS:
        behind = f"after {before.text}" if before is not None else f"before {text}"
        raise Wrong(token.column, f"a value is missing {behind}")
    return True


def _check_field(text: str, tokens: list[Token], index: int) -> None:
    token = tokens[index]
    if token.type != "name":
        raise Wrong(token.column, "the name of a field is missing after the dot")
    if not keyword.iskeyword(token.text):
        return
    start = index - 1
    depth = 0
    while start > 0:
        previous = tokens[start - 1]
        depth += (previous.text in (")", "]")) - (previous.text in ("(", "["))
        chained = previous.type == "name" or previous.text == "."
        if depth < 0 or (depth == 0 and not chained and previous.text not in ("[", "(")):
            break
        if depth == 0 and previous.type == "name" and keyword.iskeyword(previous.text):
            break
        start -= 1
    base = text[tokens[start].column : tokens[index - 1].column].strip()
    raise Wrong(
        token.column,
        f"'{token.text}' is a reserved word; read the field by subscript: {base}[\"{token.text}\"]",
    )
