"""Alembic's entry: runs the migrations on the connection that `worker.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from worker.store.migrate import METADATA_OPTIONS
from worker.store.schema import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, **METADATA_OPTIONS)
context.run_migrations()
