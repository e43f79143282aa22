"""The text of an expression in tokens, strings decoded: what is looked at before `ast` sees it.

Doing this first gives errors their exact column, keeps hostile text from the parser (null bytes,
surrogates, thousands of brackets), and leaves `ast` one line of the same length in which every
string is blank, so that a column in it is a column in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from engine.lang.expression.spelling import wrong_character, wrong_number

MAX_CHARACTERS: Final = 4000
MAX_NESTING: Final = 90

TokenType = Literal["name", "number", "string", "operator", "end"]

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\r\n]+|\#[^\n]*)
  | (?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)
  | (?P<string>[rRbBuUfF]{0,2}["'])
  | (?P<name>[^\W\d]\w*)
  | (?P<operator>===|!==|\*\*|//|<<|>>|<>|:=|->|=>|&&|\|\||\+\+
        |[<>=!]=|[-+*/%|&^~@<>=!.,:;?$`(){}\[\]\\])
    """,
    re.VERBOSE,
)
_WORD: Final = re.compile(r"\w+")
_DIGITS: Final = frozenset("0123456789_")
_PAIRS: Final = {")": "(", "]": "["}
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL
)
_SIMPLE: Final = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r",
    "t": "\t", "v": "\v", "\n": "",
}  # fmt: skip


class Wrong(Exception):
    """Stops parsing: what is wrong, and at which column of the text."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


@dataclass(frozen=True, slots=True)
class Token:
    """`text` as written; `value` is a string's meaning."""

    type: TokenType
    text: str
    column: int
    value: str = ""


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, an `end` last; raises `Wrong`."""
    if len(text) > MAX_CHARACTERS:
        raise Wrong(
            0,
            f"an expression has at most {MAX_CHARACTERS:,} characters, this one {len(text):,}; "
            "split it into several parts",
        )
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Wrong(at, wrong_character(text[at]))
        if found.lastgroup == "string":
            tokens.append(_string(text, at, found.end()))
            at += len(tokens[-1].text)
            continue
        if found.lastgroup != "space":
            tokens.append(_plain(text, found))
        at = found.end()
    tokens.append(Token("end", "", len(text)))
    _check_brackets(tokens)
    return tokens


def one_line(text: str, tokens: list[Token]) -> str:
    """`text` for `ast`: every string blanked, every break and comment a space, the same length."""
    line = [" "] * len(text)
    for token in tokens:
        shown = token.text
        if token.type == "string":
            shown = '"' + "_" * (len(shown) - 2) + '"'
        line[token.column : token.column + len(shown)] = shown
    return "".join(line)


def _plain(text: str, found: re.Match[str]) -> Token:
    token, at = found.group(), found.start()
    if found.lastgroup == "number":
        behind = _WORD.match(text, found.end())
        if behind is not None or (token[0] == "0" and token[1:2] in _DIGITS):
            raise Wrong(at, wrong_number(token, behind.group() if behind else ""))
        return Token("number", token, at)
    return Token("name" if found.lastgroup == "name" else "operator", token, at)


def _string(text: str, start: int, opened: int) -> Token:
    prefix, quote = text[start : opened - 1].lower(), text[opened - 1]
    if "f" in prefix:
        raise Wrong(start, "f-strings are not part of the language; use a template: {{ … }}")
    if prefix not in ("", "r"):
        raise Wrong(start, f"a string has no prefix {prefix!r} here; write it without")
    if text.startswith(quote * 2, opened):
        raise Wrong(start, "triple quotes are not part of the language; use one pair of quotes")
    at = opened
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise Wrong(start, f"this string is not closed: a {quote} is missing")
    inner = text[opened:at]
    value = inner if prefix == "r" else _ESCAPE.sub(_unescape, inner)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Wrong(start, "this string holds half a surrogate pair, which is no character")
    return Token("string", text[start : at + 1], start, value)


def _unescape(found: re.Match[str]) -> str:
    two, four, eight, octal, other = found.groups()
    if octal is not None:
        return chr(int(octal, 8))
    number = two or four or eight
    if number is not None:
        code = int(number, 16)
        return chr(code) if code <= 0x10FFFF else "\ud800"
    return _SIMPLE.get(other, "\\" + other)


def _check_brackets(tokens: list[Token]) -> None:
    opened: list[Token] = []
    for token in tokens:
        if token.type != "operator":
            continue
        if token.text in "([":
            opened.append(token)
            if len(opened) > MAX_NESTING:
                raise Wrong(token.column, f"brackets nest more than {MAX_NESTING} deep")
        elif token.text in ")]":
            if not opened or opened[-1].text != _PAIRS[token.text]:
                raise Wrong(token.column, f"this {token.text} closes nothing")
            opened.pop()
    if opened:
        raise Wrong(opened[-1].column, f"this {opened[-1].text} is not closed")
