"""api keys have rates and an end; requests may be repeated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("api_key", sa.Column("prefix", sa.Text(), nullable=False, server_default=""))
    op.add_column("api_key", sa.Column("rate_per_minute", sa.Integer(), nullable=True))
    op.add_column("api_key", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_key", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_request_key_hash")),
    )
    op.create_index(op.f("ix_request_claimed_at"), "request", ["claimed_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_request_claimed_at"), table_name="request")
    op.drop_table("request")
    for name in ("last_used_at", "expires_at", "rate_per_minute", "prefix"):
        op.drop_column("api_key", name)
