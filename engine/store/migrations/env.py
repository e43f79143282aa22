"""Alembic's entry: the connection comes from `engine.store.schema`; batch mode, for SQLite."""

from __future__ import annotations

from alembic import context

from engine.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
