"""One description of every route: who may call it, what it takes, what it gives.

Registration, rights, checks of bodies and the OpenAPI document all come from these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from engine.core.values import Json
from engine.store.paging import Page
from engine.store.people import Role
from webui.auth.origins import Arrival
from webui.auth.throttle import Throttle
from webui.history import History
from webui.system import Identity, System

Method = Literal["GET", "POST", "PUT", "DELETE"]
Schema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter; `type` as in OpenAPI, `instant` for RFC 3339 text."""

    name: str
    type: Literal["string", "integer", "instant"] = "string"
    enum: tuple[str, ...] = ()
    description: str = ""


LIMIT = Parameter("limit", "integer", description="How many items a page holds, 1 to 1000.")
CURSOR = Parameter("cursor", description="`next` of the page before.")
PAGING = (LIMIT, CURSOR)


@dataclass(frozen=True, slots=True)
class Services:
    """What belongs to the web server itself."""

    throttle: Throttle
    history: History


@dataclass(frozen=True, slots=True)
class Call:
    """One request that may be answered: rights, query and body are checked already."""

    system: System
    services: Services
    arrival: Arrival
    who: Identity | None
    cookie: str | None
    """The session's, where it came with one that is good."""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    @property
    def by(self) -> Identity:
        """Who calls; only in routes that need a role."""
        assert self.who is not None
        return self.who

    @property
    def page(self) -> dict[str, Any]:
        """`limit` and `cursor` as the store's lists take them."""
        return {"limit": self.query.get("limit", 100), "cursor": self.query.get("cursor")}


@dataclass(frozen=True, slots=True)
class Answer:
    """`cookie`: a session's to set, `""` to remove it."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cookie: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """`path` below /api/v1 with `{name}` for variables; `role` None is open to all."""

    method: Method
    path: str
    handler: Callable[[Call], Answer]
    summary: str
    role: Role | None = "viewer"
    query: Sequence[Parameter] = ()
    body: Schema | None = None
    """JSON Schema of the body; None for a route without one."""
    body_required: bool = True
    most_bytes: int = 1 << 20
    status: int = 200
    gives: str = "object"
    """`object`, or `list` for a page of items."""

    @property
    def endpoint(self) -> str:
        return f"{self.method} {self.path}"


def listing(page: Page[Any], shown: Sequence[Json] | None = None) -> Answer:
    """A page as `{"items", "next"}`; `shown` where the items are not plain `to_json`s."""
    items = [item.to_json() for item in page.items] if shown is None else list(shown)
    return Answer({"items": items, "next": page.next})
