"""Sign-in, sign-out, and the session behind a cookie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.core.clock import Clock
from engine.core.values import DAY
from engine.store.people import Session, User
from engine.store.store import Store
from webui.auth.secrets import csrf_of, hash_secret, new_secret, password_fits

LASTS: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and its user; `cookie` is the secret the browser holds."""

    user: User
    cookie: str

    @property
    def csrf(self) -> str:
        return csrf_of(self.cookie)

    def to_json(self) -> dict[str, str]:
        """What the panel is told of it."""
        return {"user": self.user.name, "role": self.user.role, "csrf": self.csrf}


def sign_in(store: Store, clock: Clock, name: str, password: str) -> SignedIn | None:
    """A new session; None where name or password is wrong, equally slow for either."""
    user = store.users.get(name)
    if not password_fits(None if user is None else user.password, password) or user is None:
        return None
    return begin_session(store, clock, user)


def begin_session(store: Store, clock: Clock, user: User) -> SignedIn:
    """A new session for a user who has proved to be one."""
    cookie, now = new_secret(), clock.now()
    store.sessions.add(Session(hash_secret(cookie), user.name, now, now + LASTS))
    return SignedIn(user, cookie)


def find_session(store: Store, clock: Clock, cookie: str) -> SignedIn | None:
    """Who the cookie belongs to; None where it is unknown, has expired, or its user is gone."""
    if len(cookie) > 200:
        return None
    session = store.sessions.find(hash_secret(cookie))
    if session is None or session.expires <= clock.now():
        return None
    user = store.users.get(session.user)
    return None if user is None else SignedIn(user, cookie)


def sign_out(store: Store, cookie: str) -> None:
    """Ends the session."""
    store.sessions.end(hash_secret(cookie))
