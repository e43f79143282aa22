"""The functions of the language: how many arguments, of which types, and what they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ANY: Final[frozenset[str]] = frozenset()
NUMBER: Final = frozenset({"number"})
INTEGER: Final = frozenset({"integer"})
TEXT: Final = frozenset({"string"})
BOOLEAN: Final = frozenset({"boolean"})
LIST: Final = frozenset({"array"})


@dataclass(frozen=True, slots=True)
class Signature:
    """`arguments` are sets of JSON type names, empty for any; those beyond `required` may be left
    out; `more` says that the last may come again and again."""

    arguments: tuple[frozenset[str], ...]
    required: int
    result: frozenset[str]
    usage: str
    more: bool = False

    @property
    def most(self) -> int | None:
        return None if self.more else len(self.arguments)

    def argument(self, index: int) -> frozenset[str]:
        """The types the `index`-th argument may have."""
        return self.arguments[min(index, len(self.arguments) - 1)]


_SIZED: Final = frozenset({"string", "array", "object"})
_KEY: Final = frozenset({"string", "integer"})

FUNCTIONS: Final[Mapping[str, Signature]] = {
    "defined": Signature((ANY,), 1, BOOLEAN, "defined(value)"),
    "default": Signature((ANY, ANY), 2, ANY, "default(value, otherwise)"),
    "get": Signature(
        (frozenset({"object", "array"}), _KEY, ANY), 2, ANY, "get(object, key, otherwise)"
    ),
    "matches": Signature((TEXT, TEXT), 2, BOOLEAN, 'matches(text, "pattern")'),
    "search": Signature((TEXT, TEXT), 2, BOOLEAN, 'search(text, "pattern")'),
    "startswith": Signature((TEXT, TEXT), 2, BOOLEAN, "startswith(text, prefix)"),
    "endswith": Signature((TEXT, TEXT), 2, BOOLEAN, "endswith(text, suffix)"),
    "contains": Signature((_SIZED, ANY), 2, BOOLEAN, "contains(text_or_list, value)"),
    "lower": Signature((TEXT,), 1, TEXT, "lower(text)"),
    "upper": Signature((TEXT,), 1, TEXT, "upper(text)"),
    "len": Signature((_SIZED,), 1, INTEGER, "len(text_or_list)"),
    "abs": Signature((NUMBER,), 1, NUMBER, "abs(number)"),
    "round": Signature((NUMBER, INTEGER), 1, NUMBER, "round(number, digits)"),
    "min": Signature((NUMBER | LIST, NUMBER), 1, NUMBER, "min(list) or min(a, b)", more=True),
    "max": Signature((NUMBER | LIST, NUMBER), 1, NUMBER, "max(list) or max(a, b)", more=True),
    "sum": Signature((LIST,), 1, NUMBER, "sum(list)"),
    "any": Signature((LIST,), 1, BOOLEAN, "any(list)"),
    "all": Signature((LIST,), 1, BOOLEAN, "all(list)"),
    "join": Signature((LIST, TEXT), 1, TEXT, 'join(list, ", ")'),
    "format_duration": Signature((NUMBER,), 1, TEXT, "format_duration(seconds)"),
    "format_bytes": Signature((NUMBER,), 1, TEXT, "format_bytes(bytes)"),
    "during": Signature((TEXT,), 1, BOOLEAN, 'during("calendar")'),
}
WINDOWS: Final = frozenset({"avg", "delta", "rate", "percentile", "predict", "share", "count"})
"""Functions that are windows always; `min`, `max` and `sum` are with `last=`."""

PATTERNS: Final = frozenset({"matches", "search"})
ELSEWHERE: Final[Mapping[str, str]] = {
    "regex": "search", "match": "matches", "fullmatch": "matches", "length": "len",
    "size": "len", "count": "len", "str": "join", "includes": "contains", "starts_with":
    "startswith", "ends_with": "endswith", "exists": "defined", "is_defined": "defined",
    "coalesce": "default", "lowercase": "lower", "uppercase": "upper", "to_lower": "lower",
}  # fmt: skip
"""Names other languages have for the same, for "did you mean"."""
