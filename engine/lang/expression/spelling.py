"""What people write who come from Python, C or JavaScript, and what it is here."""

from __future__ import annotations

import keyword
import re
from typing import Final

_OPERATORS: Final = {
    "=": "= does not compare; write ==",
    "===": "write == instead of ===",
    "!==": "write != instead of !==",
    "<>": "write != instead of <>",
    "&&": "write 'and' instead of &&",
    "||": "write 'or' instead of ||",
    "!": "write 'not' instead of !",
    "&": "write 'and' instead of &",
    "**": "** is not part of the language; the operators on numbers are + - * / %",
    "//": "// is not part of the language; write / and round(…)",
    "++": "++ is not part of the language",
    ":=": "an expression assigns nothing; compare with ==",
    "->": "-> is not part of the language; a function is called by name: f(a), or a | f",
    "=>": "write >= instead of =>",
    "{": "objects and sets are not written in expressions; read a field, or list values: [a, b]",
    "}": "this } closes nothing",
    ":": "a colon is not part of the language: no slices, no lambda, no objects",
    ";": "one expression only: remove the semicolon",
    "?": "there is no conditional operator; split the rule, or use default(a, b)",
    "\\": "a line need not be continued with \\; simply go on",
}
_WORDS: Final = {
    "True": "write true, in lower case",
    "False": "write false, in lower case",
    "None": "write null instead of None",
    "TRUE": "write true, in lower case",
    "FALSE": "write false, in lower case",
    "NULL": "write null, in lower case",
    "AND": "write 'and', in lower case",
    "OR": "write 'or', in lower case",
    "NOT": "write 'not', in lower case",
    "IN": "write 'in', in lower case",
    "is": "write == instead of 'is' (and != instead of 'is not')",
    "lambda": "lambda is not part of the language",
    "else": "there is no conditional expression; split the rule, or use default(a, b)",
}
ALLOWED_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "for", "if"})
SIZES: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE_WORDS: Final = {
    "k": "KiB", "kb": "KiB", "kib": "KiB", "mb": "MiB", "mib": "MiB", "g": "GiB", "gb": "GiB",
    "gib": "GiB", "t": "TiB", "tb": "TiB", "tib": "TiB",
}  # fmt: skip


def wrong_operator(text: str) -> str:
    """What to say of an operator the language does not have."""
    return _OPERATORS.get(text, f"{text} is not part of the language")


def wrong_word(text: str) -> str | None:
    """What to say of a name that is none here; None where it is fine."""
    if text in _WORDS:
        return _WORDS[text]
    if keyword.iskeyword(text) and text not in ALLOWED_KEYWORDS:
        return f"'{text}' is a reserved word; read a field of that name by subscript: […]"
    return None


def wrong_number(text: str, behind: str) -> str:
    """What to say of a number with something stuck to it (`5m`, `1GiB`, `0x1F`, `007`)."""
    if not behind:
        return f"a number has no leading zeros: {text.lstrip('0_') or '0'}"
    if behind in ("s", "m", "h", "d", "w") and text.isdigit():
        return f'a duration is written in quotes here: "{text}{behind}"'
    size = _SIZE_WORDS.get(behind.lower())
    if size is not None:
        return f"a size is written as a product: {text} * {size}"
    if re.fullmatch(r"[xXoObB]\w*", behind) and text == "0":
        return "numbers are decimal only"
    return f"{text}{behind} is neither a number nor a name"


def wrong_character(character: str) -> str:
    """What to say of a character that belongs to no token."""
    if character in "“”„«»‘’‚":
        return f"write strings with straight quotes instead of {character}"
    shown = character if character.isprintable() and not character.isspace() else "this character"
    return f"{shown} (U+{ord(character):04X}) is not part of the language"
