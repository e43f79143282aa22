"""Where a request came through and from: peer, scheme, Host, Origin.

Host must be configured or loopback, so that a name rebound to us is refused. An Origin must be
exactly the page's own: scheme, host and port of the request itself, or the public URL's.
Forwarded headers count only when the peer is a trusted proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from webui.settings import Network, WebSettings


@dataclass(frozen=True, slots=True)
class Arrival:
    """`address` is the client's, `host` as the client named it (with port), lower case."""

    address: str
    scheme: str
    host: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"


def arrival_of(
    headers: Mapping[str, str], peer: str, scheme: str, settings: WebSettings
) -> Arrival:
    """How a request arrived; `headers` by their usual names."""
    host = headers.get("Host", "").lower()
    if not _trusted(peer, settings.trusted_proxies):
        return Arrival(peer, scheme, host)
    forwarded = [part.strip() for part in headers.get("X-Forwarded-For", "").split(",")]
    address = peer
    for hop in reversed([part for part in forwarded if part]):
        address = hop
        if not _trusted(hop, settings.trusted_proxies):
            break
    proto = headers.get("X-Forwarded-Proto", "").strip().lower()
    outer = headers.get("X-Forwarded-Host", "").strip().lower()
    return Arrival(address, proto if proto in ("http", "https") else scheme, outer or host)


def host_allowed(host: str, settings: WebSettings) -> bool:
    """Whether `host` (with or without port) is configured or loopback."""
    name = _name_of(host)
    if name is None:
        return False
    if name == "localhost" or name in settings.hosts:
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def origin_allowed(origin: str, arrival: Arrival, settings: WebSettings) -> bool:
    """Whether a page of this origin may call us."""
    own = origin == arrival.origin and host_allowed(arrival.host, settings)
    return own or (settings.public_origin is not None and origin == settings.public_origin)


def _name_of(host: str) -> str | None:
    """The name without its port; None where that is not how a Host is written."""
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        port = port.removeprefix(":") if bracket else "x"
    else:
        name, _, port = host.partition(":")
    return name if name and (port == "" or port.isdigit()) else None


def _trusted(address: str, proxies: tuple[Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in proxies)
