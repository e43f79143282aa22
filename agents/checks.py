"""Looking at a service from outside: does its address answer?

The address that was checked is the one connected to; link-local ones (clouds hand out keys
there) never are. No redirects are followed, and the environment's proxies are not asked.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from typing import Literal
from urllib.parse import urlsplit

State = Literal["running", "stopped", "failed", "unknown"]


def check_http(url: str, expect: int, timeout: float) -> State:
    """`running` where a GET answers with the status expected, `failed` where it answers otherwise
    or breaks off, `stopped` where nobody listens, `unknown` where the name has no address."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        stream = _connect(host, parts.port or (443 if secure else 80), timeout)
        if secure:
            stream = ssl.create_default_context().wrap_socket(stream, server_hostname=host)
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
        connection.sock = stream
        try:
            connection.request("GET", path, headers={"User-Agent": "wakil", "Connection": "close"})
            return "running" if connection.getresponse().status == expect else "failed"
        finally:
            connection.close()
    except ConnectionRefusedError:
        return "stopped"
    except (socket.gaierror, UnicodeError):
        return "unknown"
    except (OSError, http.client.HTTPException):
        return "failed"


def check_tcp(address: str, timeout: float) -> State:
    """`running` where `host:port` accepts a connection; else as `check_http`."""
    host, _, port = address.rpartition(":")
    try:
        _connect(host.strip("[]"), int(port), timeout).close()
    except ConnectionRefusedError:
        return "stopped"
    except (socket.gaierror, UnicodeError):
        return "unknown"
    except OSError:
        return "failed"
    return "running"


def _connect(host: str, port: int, timeout: float) -> socket.socket:
    """Connects to the first address of the host that answers and is not link-local."""
    problem: OSError = OSError(f"{host} has no address that may be connected to")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        if ipaddress.ip_address(str(address[0]).partition("%")[0]).is_link_local:
            continue
        stream = socket.socket(family, kind, protocol)
        stream.settimeout(timeout)
        try:
            stream.connect(address)
        except OSError as error:
            stream.close()
            problem = error
        else:
            return stream
    raise problem
