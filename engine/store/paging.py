"""Pages of a list, newest first, by an opaque cursor: the place after the last item shown."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.core.errors import StoreError

T = TypeVar("T")
MOST = 1000
"""No page is longer, whatever is asked for."""


class CursorError(StoreError):
    """A cursor that no page of ours gave out."""

    code = "invalid-cursor"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items, and the cursor that gives the next ones (None at the end)."""

    items: Sequence[T]
    next: str | None


def encode_cursor(place: int) -> str:
    """The cursor for all that comes before `place`."""
    return base64.urlsafe_b64encode(f"1.{place}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> int | None:
    """The place a cursor means; None for none. Raises `CursorError`."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, _, place = text.decode("ascii").partition(".")
        if version == "1" and place.isdigit() and len(place) < 19:
            return int(place)
    except (binascii.Error, ValueError):
        pass
    raise CursorError("the cursor is not one that a list gave out; leave it out to begin anew")


def within(limit: int) -> int:
    """A page's length, kept between 1 and `MOST`."""
    return max(1, min(limit, MOST))
