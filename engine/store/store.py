"""The store: one database, one object a kind of record."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import StoreError
from engine.store.agents import AgentEvents, AgentMemory
from engine.store.alerts import Alerts
from engine.store.audit import Audit
from engine.store.database import Database, open_database
from engine.store.decisions import Decisions
from engine.store.journal import Journal
from engine.store.people import Sessions, Tokens, Users
from engine.store.retention import Retention
from engine.store.runs import Runs
from engine.store.schema import migrate
from engine.store.settings import SystemSettings
from engine.store.snapshots import Snapshots


class Store:
    """Everything Wakil keeps. Safe to use from any thread; not across `fork`."""

    def __init__(self, database: Database, keys: Path) -> None:
        self.database = database
        self.journal = Journal(database)
        self.decisions = Decisions(database)
        self.alerts = Alerts(database)
        self.runs = Runs(database)
        self.audit = Audit(database, keys)
        self.users = Users(database)
        self.tokens = Tokens(database)
        self.sessions = Sessions(database)
        self.snapshots = Snapshots(database)
        self.agent_events = AgentEvents(database)
        self.settings = SystemSettings(database)
        self.retention = Retention(database, self.audit)

    @classmethod
    def open(cls, database: str | Path, *, keys: Path | None = None) -> Store:
        """Opens a database, making or upgrading its tables.

        `database` is a path, `sqlite:///PATH` or `postgresql://…`; `keys` the directory of the
        audit key (default: the SQLite file's own). Raises `StoreError`, in a sentence, for a
        database that cannot be reached or has a schema newer than this program.
        """
        opened = open_database(database)
        try:
            if keys is None:
                if opened.path is None:
                    raise StoreError("a PostgreSQL database needs a directory for the audit key")
                keys = opened.path.parent
            migrate(opened)
            return cls(opened, keys)
        except BaseException:
            opened.close()
            raise

    def memory(self, agent: str) -> AgentMemory:
        """An agent's own small durable state."""
        return AgentMemory(self.database, agent)

    def close(self) -> None:
        """Closes every connection."""
        self.database.close()
