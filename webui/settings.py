"""What the machine's settings say of the web server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from engine.core.errors import SettingsError

STATIC = Path(__file__).parent / "static"
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`hosts`: names and addresses (lower case, without port) by which people reach Wakil beside
    loopback; `public_origin`: `https://wakil.example.org`, where `server.public_url` is set."""

    hosts: frozenset[str] = frozenset()
    public_origin: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    static: Path = STATIC
    most_panels: int = 200

    @classmethod
    def of(
        cls,
        *,
        host: str,
        public_url: str | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> WebSettings:
        """From the `server` settings. Raises `SettingsError`."""
        hosts = {host.lower().strip("[]")} - {"0.0.0.0", "::", ""}  # noqa: S104 - not a bind
        origin = None
        if public_url is not None:
            parts = urlsplit(public_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise SettingsError("server.public_url: not a web address; https://name is one")
            hosts.add(parts.hostname)
            origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
        return cls(frozenset(hosts), origin, tuple(_network(each) for each in trusted_proxies))


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise SettingsError(
            f"server.trusted_proxies: {text!r} is not an address; 10.0.0.5 or 10.0.0.0/24 is one"
        ) from None
