"""The first admin: a link with a secret in its fragment, good for fifteen minutes and one use.

The fragment never reaches a server or its log by itself; the panel redeems it by POST. The link
goes to the terminal, or into a file for its owner alone, never into the log.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TextIO

from engine.core.clock import Clock
from engine.core.values import MINUTE
from engine.store.people import User
from engine.store.store import Store
from webui.auth.secrets import hash_password, hash_secret, new_secret
from webui.auth.tokens import check_name

LASTS: Final = 15 * MINUTE


def offer_setup(store: Store, clock: Clock, base_url: str) -> str | None:
    """The set-up link; None where there are users already. Voids an earlier link."""
    if store.users.count():
        return None
    secret = new_secret()
    store.users.offer_setup(hash_secret(secret), clock.now() + LASTS)
    return f"{base_url.rstrip('/')}/setup#{secret}"


def redeem_setup(store: Store, clock: Clock, secret: str, name: str, password: str) -> User | None:
    """Makes the first admin; None where the link is wrong, old or used.

    Raises `InvalidName`, `WeakPassword`; the link then stays good.
    """
    now = clock.now()
    user = User(check_name(name), "admin", hash_password(password), now)
    return user if store.users.redeem_setup(hash_secret(secret), now, user) else None


def hand_out(link: str, terminal: TextIO, file: Path) -> Path | None:
    """Shows the link on the terminal, or, where that is none, writes it to `file` (0600).

    Returns the file, to be named in the log; None where the terminal has it.
    """
    if terminal.isatty():
        terminal.write(f"Make the first admin (15 minutes): {link}\n")
        terminal.flush()
        return None
    file.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(link + "\n")
    return file
