"""What values mean: equality, order and arithmetic without coercion, and never an exception.

Only JSON's types exist: null, booleans, numbers, text, lists, objects. Python's `True == 1` and
its kin do not hold here. NaN behaves as in Python: it equals nothing, itself included.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.core.values import MISSING

MAX_BITS: Final = 128
"""Integers wider than this are missing once computed with (data itself may hold any)."""
MAX_MADE: Final = 64 * 1024
"""Bytes (UTF-8) a string made by an expression may have."""
MAX_COMPARED: Final = 20_000
"""Values looked at by one deep comparison; beyond it the comparison is false."""
MAX_DEPTH: Final = 64

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def is_number(value: Any) -> bool:
    """Whether it is a number; booleans are none."""
    kind = type(value)
    return kind is int or kind is float or (kind is not bool and isinstance(value, int | float))


def is_list(value: Any) -> bool:
    """Whether it is a list."""
    return isinstance(value, list | tuple)


def equal(left: Any, right: Any) -> bool | None:
    """Strict, deep equality; None where a comparison would have to look at too much."""
    kind = type(left)
    if kind is type(right) and kind in _SCALARS:
        return bool(left == right)
    return _equal(left, right, [MAX_COMPARED], MAX_DEPTH)


def _equal(left: Any, right: Any, budget: list[int], depth: int) -> bool | None:
    budget[0] -= 1
    if budget[0] < 0 or depth < 0:
        return None
    if is_number(left):
        return is_number(right) and bool(left == right)
    if isinstance(left, str):
        return isinstance(right, str) and left == right
    if left is None or isinstance(left, bool):
        return left is right
    if isinstance(left, Mapping):
        if not isinstance(right, Mapping) or len(left) != len(right):
            return False
        if any(type(key) is not str or key not in right for key in left):
            return False
        return _all_equal(((left[key], right[key]) for key in left), budget, depth - 1)
    if is_list(left):
        if not is_list(right) or len(left) != len(right):
            return False
        return _all_equal(zip(left, right, strict=True), budget, depth - 1)
    return False


def _all_equal(pairs: Iterable[tuple[Any, Any]], budget: list[int], depth: int) -> bool | None:
    for left, right in pairs:
        same = _equal(left, right, budget, depth)
        if same is not True:
            return same
    return True


def contained(item: Any, container: Any) -> bool | None:
    """Whether a list has it, a text has it within, or an object has it as a key."""
    if isinstance(container, str):
        return isinstance(item, str) and item in container
    if isinstance(container, Mapping):
        return isinstance(item, str) and item in container
    if not is_list(container):
        return False
    budget = [MAX_COMPARED]
    unknown = False
    for candidate in container:
        same = _equal(item, candidate, budget, MAX_DEPTH)
        if same:
            return True
        unknown = unknown or same is None
    return None if unknown else False


def ordered(left: Any, right: Any) -> bool:
    """Whether the two have an order: both numbers or both text."""
    if is_number(left):
        return is_number(right)
    return isinstance(left, str) and isinstance(right, str)


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """`left operator right` on numbers; MISSING on all else, on division by zero, and where the
    result is not finite or an integer wider than 128 bits."""
    if not is_number(left) or not is_number(right):
        return MISSING
    try:
        if operator == "+":
            result = left + right
        elif operator == "-":
            result = left - right
        elif operator == "*":
            result = _product(left, right)
        elif operator == "/":
            result = left / right
        else:
            result = left % right
    except (ZeroDivisionError, OverflowError):
        return MISSING
    return within_bounds(result)


def _product(left: Any, right: Any) -> Any:
    wide = isinstance(left, int) and isinstance(right, int)
    if wide and left.bit_length() + right.bit_length() > 2 * MAX_BITS:
        return MISSING if left and right else 0
    return left * right


def within_bounds(number: Any) -> Any:
    """A computed number, or MISSING where it is not finite or too wide."""
    if isinstance(number, float):
        return number if math.isfinite(number) else MISSING
    if isinstance(number, int):
        return number if number.bit_length() <= MAX_BITS else MISSING
    return MISSING


def made(text: str) -> Any:
    """A string an expression made, or MISSING where it is longer than 64 kB."""
    if len(text) > MAX_MADE:
        return MISSING
    if text.isascii() or len(text.encode("utf-8", "surrogatepass")) <= MAX_MADE:
        return text
    return MISSING


def read_field(base: Any, name: str) -> Any:
    """`base.name`: MISSING where base is no object or has no such field."""
    if type(base) is dict or isinstance(base, Mapping):
        return base.get(name, MISSING)
    return MISSING


def read_index(base: Any, index: Any) -> Any:
    """`base[index]`: a text key of an object, a whole number of a list (below 0 from the end)."""
    if isinstance(base, Mapping):
        return base.get(index, MISSING) if isinstance(index, str) else MISSING
    if is_list(base) and isinstance(index, int) and not isinstance(index, bool):
        return base[index] if -len(base) <= index < len(base) else MISSING
    return MISSING
