"""How a command reaches Wakil: the running server, one elsewhere, or Wakil built in this process.

In all three cases it is the same HTTP API; alone, httpx speaks to it without a socket.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from engine.app.places import DataLock, DataLocked, ServerFile
from engine.cli.options import Where, resolve
from engine.cli.output import show
from engine.core.errors import Refused, SettingsError, WakilError

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class Api:
    """The REST API as commands use it; problem documents become errors."""

    def __init__(self, client: httpx.Client, *, alone: bool = False) -> None:
        self._client = client
        self.alone = alone
        """Whether Wakil lives in this process only: nobody else can answer or resume."""

    def get(self, path: str, **query: Any) -> Any:
        asked = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=asked)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("POST", path, json=dict(body or {}))

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            answer = self._client.request(method, f"/api/v1{path}", **arguments)
        except httpx.HTTPError as error:
            where = self._client.base_url
            raise WakilError(
                f"no Wakil answers at {where} ({error}): is 'wakil run' running there?"
            ) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _error_of(answer)


def segment(name: str) -> str:
    """A name or id as one piece of a path, whatever stands in it. Raises WakilError."""
    if name in ("", ".", ".."):
        raise WakilError(f"'{name}' names nothing")
    return quote(name.encode("utf-8", "replace"), safe="")


def _error_of(answer: httpx.Response) -> WakilError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    said = (
        problem.get("detail") or problem.get("title") or f"the server answered {answer.status_code}"
    )
    if answer.status_code in (401, 403):
        return Refused(f"{said} (WAKIL_TOKEN says who you are to a server elsewhere)")
    return WakilError(str(said))


@contextmanager
def connect(
    content: str | None, data: str | None, config: str | None, url: str | None
) -> Iterator[Api]:
    """The API of the server these options mean; ends with the `with` block."""
    if url is not None:
        with _remote(url, os.environ.get("WAKIL_TOKEN", "")) as client:
            yield Api(client)
        return
    where = resolve(content, data, config)
    if server := ServerFile.read(where.data):
        given = os.environ.get("WAKIL_TOKEN") if server.own else None
        with _remote(server.url, given or server.token) as client:
            yield Api(client)
        return
    with _alone(where) as client:
        yield Api(client, alone=True)


def _remote(url: str, token: str) -> httpx.Client:
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"--url takes an address such as http://127.0.0.1:8000, not {url!r}")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # No proxies from the environment: the token must not go anywhere but to the server named.
    return httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT, trust_env=False)


@contextmanager
def _alone(where: Where) -> Iterator[httpx.Client]:
    from engine.app.build import build
    from engine.app.machine import read_machine
    from engine.app.web import build_web

    os.umask(0o077)
    os.umask(0o077)
    lock = DataLock(where.data)
    try:
        lock.take()
    except DataLocked as error:
        raise DataLocked(f"{error}; it is starting or stopping: try again in a moment") from None
    try:
        machine = read_machine(where.content, where.data, where.config)
        with build(machine, watch=False) as wakil:
            web = build_web(wakil)
            transport = httpx.WSGITransport(app=web.app)
            headers = {"Authorization": f"Bearer {web.token}"}
            with httpx.Client(
                base_url="http://127.0.0.1", headers=headers, transport=transport
            ) as client:
                yield client
    finally:
        lock.free()


def say(text: str) -> None:
    """A line for people, on standard error: standard output is data."""
    show(text, err=True)
