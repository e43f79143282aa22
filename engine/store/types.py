"""Column types that mean the same on SQLite and PostgreSQL: instants, money, JSON, plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

from engine.core.errors import StoreError

Identity = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit number that either database counts up by itself (SQLite only does so for INTEGER)."""


def _whole(value: int | None) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError(f"expected an int, not {type(value).__name__}")
    return value


class Instant(TypeDecorator[int]):
    """Microseconds since 1970 UTC, as an integer; floats and datetimes are refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return _whole(value)


class NanoDollars(TypeDecorator[int]):
    """Money as integer billionths of a dollar; SQLite would store a DECIMAL as a float."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return _whole(value)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def dump_json(value: Any) -> str:
    """Compact ASCII JSON; mappings become objects. ASCII, because PostgreSQL takes neither NUL
    nor a lone surrogate in text, and hostile facts contain both."""
    return json.dumps(value, default=_plain, separators=(",", ":"))


class JsonText(TypeDecorator[Any]):
    """Any JSON value as text; only `json` ever reads it, so a stranger's row stays data."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return dump_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        try:
            return json.loads(value)
        except (ValueError, TypeError, RecursionError):
            raise StoreError("a value in the database is damaged: it is not JSON") from None


class PlainText(TypeDecorator[str]):
    """Text from anywhere: what PostgreSQL refuses in text (NUL, lone surrogates) is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
