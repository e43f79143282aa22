"""Fixtures that several areas share."""

from support.postgres import postgres
from support.stores import database, store

__all__ = ["database", "postgres", "store"]
