"""how sources are polled: their state, their pace, and what they ask of whoever polls them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_STATES = sa.Enum("active", "paused", "gone", native_enum=False, length=16)


def _columns() -> list[sa.Column[Any]]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("last_news_at", moment),
        sa.Column("last_status", sa.Integer()),
        sa.Column("host", sa.Text(), nullable=False, server_default=""),
        sa.Column("state", _STATES, nullable=False, server_default="active"),
        sa.Column("state_since", moment),
        sa.Column("state_reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("format", sa.Text(), nullable=False, server_default=""),
        sa.Column("pages", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("every_s", sa.Double()),
        sa.Column("poll_every_s", sa.Double()),
        sa.Column("manners", sa.JSON(none_as_null=True)),
        sa.Column("refreshed_at", moment),
        sa.Column("body_hash", sa.Text(), nullable=False, server_default=""),
        sa.Column("moved_to", sa.Text(), nullable=False, server_default=""),
        sa.Column("moved_count", sa.Integer(), nullable=False, server_default="0"),
    ]


def upgrade() -> None:
    """Apply."""
    for column in _columns():
        op.add_column("source", column)
    op.create_index(op.f("ix_source_host"), "source", ["host"])
    source = sa.table("source", sa.column("id"), sa.column("url"), sa.column("host"))
    conn = op.get_bind()
    for row in conn.execute(sa.select(source.c.id, source.c.url).where(source.c.url.is_not(None))).all():
        conn.execute(sa.update(source).where(source.c.id == row.id).values(host=_host(row.url)))


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_source_host"), table_name="source")
    for column in reversed(_columns()):
        op.drop_column("source", column.name)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
