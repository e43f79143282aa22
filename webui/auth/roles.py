"""Roles and what each may do: a viewer reads, an operator also acts, an admin also handles
tokens, users, keys, settings, backups."""

from __future__ import annotations

from typing import Final

from engine.store.people import Role

RANKS: Final[dict[Role, int]] = {"viewer": 0, "operator": 1, "admin": 2}


def at_least(role: Role, needed: Role) -> bool:
    """Whether `role` may do what `needed` may."""
    return RANKS[role] >= RANKS[needed]
