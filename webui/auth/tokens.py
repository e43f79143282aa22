"""Tokens for programs: issued once, shown once, stored as a hash."""

from __future__ import annotations

from typing import Final

from engine.core.clock import Clock
from engine.core.errors import WakilError
from engine.core.values import MINUTE
from engine.store.people import Role, Token
from engine.store.store import Store
from webui.auth.secrets import hash_secret, new_secret

PREFIX: Final = "wakil_"
_LONGEST_NAME: Final = 100


class InvalidName(WakilError):
    """A name of a user or token that is empty, too long, or holds control characters."""

    code = "invalid-name"


def check_name(name: str) -> str:
    """The name, if it can be one. Raises `InvalidName`."""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InvalidName(
            f"a name has 1 to {_LONGEST_NAME} visible characters and no space at either end"
        )
    return name


def issue_token(store: Store, clock: Clock, name: str, role: Role, by: str) -> str:
    """A new token's text; names may repeat. Raises `InvalidName`."""
    secret = new_secret(PREFIX)
    store.tokens.add(check_name(name), role, hash_secret(secret), clock.now(), by)
    return secret


def find_token(store: Store, clock: Clock, secret: str) -> Token | None:
    """The token of that text; notes its use at most once a minute."""
    if len(secret) > 200:
        return None
    found = store.tokens.find(hash_secret(secret))
    now = clock.now()
    if found is not None and (found.last_used is None or now - found.last_used > MINUTE):
        store.tokens.used(found.id, now)
    return found
