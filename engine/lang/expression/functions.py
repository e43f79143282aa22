"""The functions at run time: each takes values, gives a value or MISSING, and never raises.

`defined`, `default`, `during` and the patterns need more than their arguments' values: they are
in `compiling`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from engine.core.values import MISSING
from engine.lang.expression.values import (
    MAX_MADE,
    arithmetic,
    contained,
    is_list,
    is_number,
    made,
    read_index,
    within_bounds,
)
from engine.lang.expression.wording import worded

_MAX_DIGITS: Final = 15


def startswith(text: Any, prefix: Any) -> Any:
    """Whether the text begins with the prefix."""
    both = isinstance(text, str) and isinstance(prefix, str)
    return text.startswith(prefix) if both else MISSING


def endswith(text: Any, suffix: Any) -> Any:
    """Whether the text ends with the suffix."""
    both = isinstance(text, str) and isinstance(suffix, str)
    return text.endswith(suffix) if both else MISSING


def contains(container: Any, item: Any) -> Any:
    """Whether a text, list or object has the item within."""
    if item is MISSING:
        return MISSING
    if isinstance(container, str):
        return item in container if isinstance(item, str) else MISSING
    if not is_list(container) and not isinstance(container, Mapping):
        return MISSING
    found = contained(item, container)
    return MISSING if found is None else found


def get(container: Any, key: Any, otherwise: Any = MISSING) -> Any:
    """`container[key]`, and `otherwise` where there is none."""
    found = read_index(container, key)
    return otherwise if found is MISSING else found


def lower(text: Any) -> Any:
    """The text in lower case."""
    return made(text.lower()) if isinstance(text, str) else MISSING


def upper(text: Any) -> Any:
    """The text in upper case."""
    return made(text.upper()) if isinstance(text, str) else MISSING


def length(value: Any) -> Any:
    """Characters of a text, items of a list, fields of an object."""
    return len(value) if isinstance(value, str | Mapping) or is_list(value) else MISSING


def absolute(number: Any) -> Any:
    """The number without its sign."""
    return within_bounds(abs(number)) if is_number(number) else MISSING


def rounded(number: Any, digits: Any = 0) -> Any:
    """Half away from zero, on the decimal digits a person sees; whole where `digits` is 0."""
    if not is_number(number) or within_bounds(number) is MISSING:
        return MISSING
    if not isinstance(digits, int) or isinstance(digits, bool) or abs(digits) > _MAX_DIGITS:
        return MISSING
    if isinstance(number, float) and abs(number) >= 1e15:
        return within_bounds(int(number)) if digits <= 0 else number
    if isinstance(number, int) and (digits >= 0 or number.bit_length() > 64):
        return number
    exact = Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return float(exact) if digits > 0 else int(exact)


def least(*values: Any) -> Any:
    """The least of the arguments, or of the one list."""
    return _extreme(values, min)


def greatest(*values: Any) -> Any:
    """The greatest of the arguments, or of the one list."""
    return _extreme(values, max)


def _extreme(values: Sequence[Any], choose: Callable[[Sequence[Any]], Any]) -> Any:
    if len(values) == 1:
        if not is_list(values[0]):
            return values[0] if is_number(values[0]) else MISSING
        values = values[0]
    if not values or not all(is_number(value) and value == value for value in values):
        return MISSING
    return choose(values)


def total(values: Any) -> Any:
    """The sum of a list of numbers; 0 of an empty one."""
    if not is_list(values):
        return MISSING
    result: Any = 0
    for value in values:
        result = arithmetic("+", result, value)
        if result is MISSING:
            return MISSING
    return result


def any_true(values: Any) -> Any:
    """Whether at least one item of the list is true."""
    return any(value is True for value in values) if is_list(values) else MISSING


def all_true(values: Any) -> Any:
    """Whether every item of the list is true."""
    return all(value is True for value in values) if is_list(values) else MISSING


def join(values: Any, separator: Any = ", ") -> Any:
    """The list's texts, numbers and booleans in one text."""
    if not is_list(values) or not isinstance(separator, str):
        return MISSING
    pieces: list[str] = []
    size = 0
    for value in values:
        if not isinstance(value, str | int | float):
            return MISSING
        pieces.append(worded(value))
        size += len(pieces[-1]) + len(separator)
        if size > MAX_MADE + len(separator):
            return MISSING
    return made(separator.join(pieces))


def duration_text(seconds: Any) -> Any:
    """Seconds as people say them, the two largest units: `2d 3h`, `5m`, `0.25s`."""
    if not is_number(seconds) or within_bounds(seconds) is MISSING:
        return MISSING
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < 1:
        return f"{sign}{rest:.2g}s" if rest else "0s"
    whole = rounded(rest)
    if whole is MISSING:
        return MISSING
    parts: list[str] = []
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
        if parts and (len(parts) == 2 or not count):
            break
    return sign + " ".join(parts)


def bytes_text(number: Any) -> Any:
    """Bytes as people say them: `512 B`, `1.5 GiB`."""
    if not is_number(number) or within_bounds(number) is MISSING:
        return MISSING
    sign, rest = ("-", -number) if number < 0 else ("", number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if rest < 1024:
            return f"{sign}{worded(rounded(rest, 1))} {unit}"
        rest = rest / 1024
    return f"{sign}{worded(rounded(rest, 1))} TiB"


RUNTIME: Final[Mapping[str, Callable[..., Any]]] = {
    "get": get,
    "startswith": startswith,
    "endswith": endswith,
    "contains": contains,
    "lower": lower,
    "upper": upper,
    "len": length,
    "abs": absolute,
    "round": rounded,
    "min": least,
    "max": greatest,
    "sum": total,
    "any": any_true,
    "all": all_true,
    "join": join,
    "format_duration": duration_text,
    "format_bytes": bytes_text,
}
