"""Passwords, tokens and session cookies: made, hashed, compared.

Tokens and cookies hold 256 random bits, so a plain SHA-256 of them is safe to store and quick to
look up; passwords are argon2id.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.core.errors import WakilError

SHORTEST: Final = 8
LONGEST: Final = 1024
_hasher = PasswordHasher()


class WeakPassword(WakilError):
    """A password too short or too long."""

    code = "weak-password"


@cache
def _nobody() -> str:
    """The hash of a password that nobody has; made when it is first needed, for it is slow."""
    return _hasher.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    """An argon2id hash. Raises `WeakPassword`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"a password has {SHORTEST} to {LONGEST} characters")
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def password_fits(hashed: str | None, password: str) -> bool:
    """Whether the password is the hashed one; without a hash as slow as with one, and False."""
    if len(password) > LONGEST:
        return False
    try:
        _hasher.verify(hashed or _nobody(), password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def new_secret(prefix: str = "") -> str:
    """256 random bits as text."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """How a token, cookie or set-up link is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(cookie: str) -> str:
    """The CSRF token of a session: derived from its cookie, so nothing more is stored."""
    return hmac.new(cookie.encode("utf-8", "surrogatepass"), b"csrf", hashlib.sha256).hexdigest()


def csrf_fits(cookie: str, shown: str | None) -> bool:
    """Whether `shown` is the session's CSRF token."""
    return shown is not None and hmac.compare_digest(
        csrf_of(cookie).encode(), shown.encode("utf-8", "surrogatepass")
    )
