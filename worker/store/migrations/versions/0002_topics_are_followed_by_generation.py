"""topics are followed by generation, and own queries that nobody follows sleep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Columns are added in place: to copy the table, as a batch does on SQLite, would break what refers to it."""
    op.add_column("topic", sa.Column("generation", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("topic", sa.Column("dormant", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_topic_generation", "topic", ["generation"])
    op.execute(
        "UPDATE topic SET dormant = true WHERE slug IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM subscription WHERE subscription.topic_id = topic.id AND subscription.ended_at IS NULL)"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_topic_generation", table_name="topic")
    op.drop_column("topic", "dormant")
    op.drop_column("topic", "generation")
