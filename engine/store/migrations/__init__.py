"""Alembic's migrations, run by `engine.store.schema` when a database is opened."""
