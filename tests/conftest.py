"""Fixtures that several areas share."""

from hypothesis import settings
from support.cli import wakil
from support.postgres import postgres
from support.stores import database, store

__all__ = ["database", "postgres", "store", "wakil"]

# A busy machine is slow: how long an example takes proves nothing.
settings.register_profile("wakil", deadline=None)
settings.load_profile("wakil")
