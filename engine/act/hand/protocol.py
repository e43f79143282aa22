"""The wire between server and hands: length-framed JSON over a Unix stream socket.

A frame is a four-byte big-endian length and that many bytes of UTF-8 JSON. A request is
`{v, id, run, step, attempt, verb, args, approval, deadline}`, at most 16 KiB; a reply
`{id, ok: true, …}` or `{id, error: {code, message}}`. `id` pairs them; it means nothing else.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, Literal

VERSION = 1
MAX_REQUEST = 16 * 1024
MAX_REPLY = 2 * 1024 * 1024
MAX_OUTPUT = 64 * 1024
_HEADER = struct.Struct(">I")
HEADER_SIZE = _HEADER.size
_FIELDS = {"v", "id", "run", "step", "attempt", "verb", "args", "approval", "deadline"}

Code = Literal["refused", "failed", "unknown"]


class HandError(Exception):
    """An order that is answered with an error; the message is for people."""

    code: Code = "failed"


class Refusal(HandError):
    """The list, a rate, the pause or a check said no: nothing was done."""

    code: Code = "refused"


class Failure(HandError):
    """It was tried and did not work."""


class Unknown(HandError):
    """It was begun, and whether it took effect cannot be known."""

    code: Code = "unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """One order as it came over the wire, checked for shape only."""

    id: int
    run: str
    step: str
    attempt: int
    verb: str
    args: dict[str, Any]
    approval: str | None
    deadline: int
    """Microseconds UTC."""

    @property
    def key(self) -> str:
        """What makes the order answered once: (run, step, attempt)."""
        return json.dumps([self.run, self.step, self.attempt], ensure_ascii=False)


def frame(message: dict[str, Any]) -> bytes:
    """A message as it goes over the wire."""
    body = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
    return _HEADER.pack(len(body)) + body


def body_size(header: bytes) -> int:
    """The length that a frame's header announces."""
    return int(_HEADER.unpack(header)[0])


def parse_json(body: bytes) -> Any:
    """JSON without NaN and Infinity; raises `Refusal` for whatever is not that."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("the request is not JSON") from error


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def parse_request(body: bytes) -> Request:
    """A request checked for shape; raises `Refusal`."""
    data = parse_json(body)
    if not isinstance(data, dict) or set(data) != _FIELDS:
        raise Refusal(f"a request has exactly the fields {', '.join(sorted(_FIELDS))}")
    if type(data["v"]) is not int or data["v"] != VERSION:
        raise Refusal(f"version {VERSION} of the protocol is spoken here")
    for name in ("id", "attempt", "deadline"):
        if type(data[name]) is not int or not 0 <= data[name] < 1 << 62:
            raise Refusal(f"{name} must be a whole number")
    for name, longest in (("run", 200), ("step", 500), ("verb", 40)):
        if not isinstance(data[name], str) or len(data[name]) > longest:
            raise Refusal(f"{name} must be text of at most {longest} characters")
        if any("\ud800" <= character <= "\udfff" for character in data[name]):
            raise Refusal(f"{name} must be text: half a character stands in it")
    if not isinstance(data["args"], dict):
        raise Refusal("args must be an object")
    if data["approval"] is not None and not isinstance(data["approval"], str):
        raise Refusal("approval must be text or null")
    fields = {name: data[name] for name in _FIELDS - {"v"}}
    return Request(**fields)


def text_argument(args: dict[str, Any], name: str, longest: int = 4096) -> str:
    """A required text argument without NUL; raises `Refusal`."""
    value = args.get(name)
    if not isinstance(value, str) or not value or len(value) > longest or "\0" in value:
        raise Refusal(f"{name} must be text of 1 to {longest} characters")
    return value


def whole_argument(args: dict[str, Any], name: str, least: int, most: int) -> int:
    """A required whole number within bounds; raises `Refusal`."""
    value = args.get(name)
    if type(value) is not int or not least <= value <= most:
        raise Refusal(f"{name} must be a whole number from {least} to {most}")
    return value
