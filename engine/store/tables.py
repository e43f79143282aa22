"""Every table. The migrations beside this file make them; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from engine.store.types import Identity, Instant, JsonText, PlainText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, PlainText, nullable=null)


def _instant(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, Instant, nullable=null)


facts = Table(
    "facts",
    metadata,
    Column("first", Identity, nullable=False, autoincrement=False),
    _text("kind"),
    Column("last", Identity, nullable=False),
    Column("count", Integer, nullable=False),
    _instant("earliest"),
    _instant("latest"),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("first", "kind"),
    Index(None, "last"),
    Index(None, "kind", "last"),
    Index(None, "latest"),
)
"""The journal. A row with kind `` is a commit as it came; others are compressed blocks of one
kind. `first` and `last` are the places in the journal of the span that the row is part of."""

decisions = Table(
    "decisions",
    metadata,
    Column("id", Identity, primary_key=True),
    _instant("at"),
    _instant("arrived"),
    _text("ruleset"),
    _text("rule"),
    _text("decision"),
    Column("key", JsonText, nullable=False),
    Column("data", JsonText, nullable=False),
    _text("firing"),
    Column("place", Integer, nullable=False),
    Column("because", JsonText, nullable=False),
    Column("labels", JsonText, nullable=False),
    _text("mode", null=True),
    _text("commit"),
    UniqueConstraint("firing", "place", "decision", "at"),
    Index(None, "rule", "id"),
    Index(None, "at"),
)

outbox = Table(
    "outbox",
    metadata,
    _text("run"),
    _instant("created"),
    Column("body", JsonText, nullable=False),
    PrimaryKeyConstraint("run"),
)
"""Runs that a recorded decision starts and that have not been handed over yet."""

alerts = Table(
    "alerts",
    metadata,
    Column("number", Identity, primary_key=True),
    _text("firing"),
    _text("ruleset"),
    _text("rule"),
    Column("key", JsonText, nullable=False),
    _text("text"),
    _text("severity"),
    _text("tell"),
    _text("status"),
    _instant("opened"),
    _instant("updated"),
    _instant("resolved", null=True),
    _text("resolved_reason", null=True),
    _instant("acknowledged", null=True),
    _text("acknowledged_by", null=True),
    Column("stale", Boolean(create_constraint=False), nullable=False),
    Column("labels", JsonText, nullable=False),
    UniqueConstraint("firing"),
    Index(None, "status", "number"),
    Index(None, "updated"),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Identity, primary_key=True),
    _text("id"),
    _text("playbook"),
    _text("status"),
    Column("inputs", JsonText, nullable=False),
    Column("trigger", JsonText, nullable=False),
    _text("firing", null=True),
    _text("commit"),
    _text("host", null=True),
    _instant("created"),
    _instant("started", null=True),
    _instant("ended", null=True),
    _text("error", null=True),
    Column("reasons", JsonText, nullable=False),
    Column("dry_run", Boolean(create_constraint=False), nullable=False),
    UniqueConstraint("id"),
    Index(None, "status", "number"),
    Index(None, "playbook", "created"),
    Index(None, "firing"),
    Index(None, "created"),
)

steps = Table(
    "steps",
    metadata,
    Column("number", Identity, primary_key=True),
    _text("run"),
    _text("path"),
    Column("attempt", Integer, nullable=False),
    _text("name"),
    _text("phase"),
    _text("status"),
    _text("uses"),
    _instant("started"),
    _instant("ended", null=True),
    Column("inputs", JsonText, nullable=False),
    Column("outputs", JsonText, nullable=False),
    _text("error", null=True),
    _text("log"),
    UniqueConstraint("run", "path", "attempt"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("number", Identity, primary_key=True),
    _text("id"),
    _text("run"),
    _text("step"),
    _text("message"),
    _text("role"),
    _text("digest"),
    _text("status"),
    _instant("created"),
    _instant("expires", null=True),
    _text("requester"),
    Column("not_requester", Boolean(create_constraint=False), nullable=False),
    Column("count", Integer, nullable=False),
    _text("on_timeout"),
    Column("answers", JsonText, nullable=False),
    UniqueConstraint("id"),
    Index(None, "status", "number"),
    Index(None, "run"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=False),
    _instant("at"),
    _text("actor"),
    _text("action"),
    _text("target"),
    Column("detail", JsonText, nullable=False),
    _text("mac"),
    Index(None, "at"),
)

users = Table(
    "users",
    metadata,
    _text("name"),
    _text("role"),
    _text("password"),
    _instant("created"),
    PrimaryKeyConstraint("name"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Identity, primary_key=True),
    _text("name"),
    _text("role"),
    _text("hash"),
    _instant("created"),
    _text("created_by"),
    _instant("last_used", null=True),
    UniqueConstraint("hash"),
)

sessions = Table(
    "sessions",
    metadata,
    _text("hash"),
    _text("user"),
    _instant("created"),
    _instant("expires"),
    PrimaryKeyConstraint("hash"),
    Index(None, "user"),
    Index(None, "expires"),
)

snapshots = Table(
    "snapshots",
    metadata,
    _text("name"),
    Column("version", Integer, nullable=False),
    Column("position", Identity, nullable=False),
    _instant("at"),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name"),
)

agent_memory = Table(
    "agent_memory",
    metadata,
    _text("agent"),
    _text("key"),
    Column("value", JsonText, nullable=False),
    PrimaryKeyConstraint("agent", "key"),
)

agent_events = Table(
    "agent_events",
    metadata,
    Column("id", Identity, primary_key=True),
    _instant("at"),
    _text("agent"),
    _text("event"),
    Column("detail", JsonText, nullable=False),
    Index(None, "agent", "id"),
    Index(None, "at"),
)

settings = Table(
    "settings",
    metadata,
    _text("key"),
    Column("value", JsonText, nullable=False),
    PrimaryKeyConstraint("key"),
)
