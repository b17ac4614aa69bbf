"""messages to endpoints that were given up are found by an index of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_webhook_message_failed",
        "webhook_message",
        ["endpoint_id"],
        sqlite_where=sa.text("state = 'failed'"),
        postgresql_where=sa.text("state = 'failed'"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_webhook_message_failed", table_name="webhook_message")
