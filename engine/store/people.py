"""Users, tokens, sessions and the set-up link, as records; secrets are hashed before they come
here, and how is `webui.auth`'s affair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select, update

from engine.core.errors import NotFound
from engine.store.database import Database
from engine.store.tables import sessions, settings, tokens, users

Role = Literal["viewer", "operator", "admin"]
_SETUP = "setup.link"


@dataclass(frozen=True, slots=True)
class User:
    """`password` is an argon2 hash."""

    name: str
    role: Role
    password: str
    created: int


@dataclass(frozen=True, slots=True)
class Token:
    """`hash` is of the token's text; the text itself is nowhere."""

    id: int
    name: str
    role: Role
    hash: str
    created: int
    created_by: str
    last_used: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """`hash` is of the cookie's text."""

    hash: str
    user: str
    created: int
    expires: int


class Users:
    """Those who sign in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user: User) -> bool:
        """False where the name is taken."""
        row = {
            "name": user.name,
            "role": user.role,
            "password": user.password,
            "created": user.created,
        }
        with self._database.write() as connection:
            return self._database.insert_new(connection, users, row, ["name"])

    def get(self, name: str) -> User | None:
        with self._database.read() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        return None if row is None else _user(row)

    def list(self) -> Sequence[User]:
        """All, by name."""
        with self._database.read() as connection:
            return tuple(_user(row) for row in connection.execute(select(users).order_by("name")))

    def count(self) -> int:
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(users)).scalar_one()

    def set_password(self, name: str, password: str) -> None:
        """Replaces the hash and ends the user's sessions. Raises `NotFound`."""
        with self._database.write() as connection:
            changed = connection.execute(
                update(users).where(users.c.name == name).values(password=password)
            )
            if not changed.rowcount:
                raise NotFound(f"there is no user {name}")
            connection.execute(delete(sessions).where(sessions.c.user == name))

    def remove(self, name: str) -> None:
        """Removes a user and the user's sessions. Raises `NotFound`."""
        with self._database.write() as connection:
            if not connection.execute(delete(users).where(users.c.name == name)).rowcount:
                raise NotFound(f"there is no user {name}")
            connection.execute(delete(sessions).where(sessions.c.user == name))

    def offer_setup(self, hash_: str, expires: int) -> None:
        """The one link that makes the first admin; a new one voids the one before."""
        row = {"key": _SETUP, "value": {"hash": hash_, "expires": expires}}
        with self._database.write() as connection:
            self._database.upsert(connection, settings, row, ["key"])

    def redeem_setup(self, hash_: str, now: int, user: User) -> bool:
        """Makes the first user, once: False where the link is not this one, has expired or was
        used, or where there is a user already."""
        with self._database.write() as connection:
            offer = connection.execute(
                select(settings.c.value).where(settings.c.key == _SETUP).with_for_update()
            ).scalar()
            if offer is None or offer["hash"] != hash_ or offer["expires"] <= now:
                return False
            if connection.execute(select(func.count()).select_from(users)).scalar_one():
                return False
            connection.execute(delete(settings).where(settings.c.key == _SETUP))
            row = {
                "name": user.name,
                "role": user.role,
                "password": user.password,
                "created": user.created,
            }
            return self._database.insert_new(connection, users, row, ["name"])


class Tokens:
    """What programs show instead of a session. Names may repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, role: Role, hash_: str, created: int, created_by: str) -> Token:
        row = {
            "name": name,
            "role": role,
            "hash": hash_,
            "created": created,
            "created_by": created_by,
        }
        with self._database.write() as connection:
            number = connection.execute(insert(tokens).values(row).returning(tokens.c.id))
            return Token(number.scalar_one(), name, role, hash_, created, created_by)

    def find(self, hash_: str) -> Token | None:
        with self._database.read() as connection:
            row = connection.execute(select(tokens).where(tokens.c.hash == hash_)).first()
        return None if row is None else Token(*row)

    def used(self, number: int, at: int) -> None:
        """Notes when a token was last used."""
        with self._database.write() as connection:
            connection.execute(update(tokens).where(tokens.c.id == number).values(last_used=at))

    def list(self) -> Sequence[Token]:
        """All, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.id.desc()))
            return tuple(Token(*row) for row in rows)

    def remove(self, number: int) -> None:
        """Voids a token. Raises `NotFound`."""
        with self._database.write() as connection:
            if not connection.execute(delete(tokens).where(tokens.c.id == number)).rowcount:
                raise NotFound(f"there is no token {number}")


class Sessions:
    """Those who are signed in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session: Session) -> None:
        """Begins a session; those that have expired by its start are removed."""
        row = {
            "hash": session.hash,
            "user": session.user,
            "created": session.created,
            "expires": session.expires,
        }
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= session.created))
            connection.execute(insert(sessions).values(row))

    def find(self, hash_: str) -> Session | None:
        """The session, expired or not."""
        with self._database.read() as connection:
            row = connection.execute(select(sessions).where(sessions.c.hash == hash_)).first()
        return None if row is None else Session(*row)

    def end(self, hash_: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.hash == hash_))

    def end_all(self) -> None:
        """Signs everybody out."""
        with self._database.write() as connection:
            connection.execute(delete(sessions))


def _user(row: Any) -> User:
    return User(row.name, row.role, row.password, row.created)
