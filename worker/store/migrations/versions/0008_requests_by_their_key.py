"""deliveries know the provider's request that they went out in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery", sa.Column("request_key", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        op.f("ix_delivery_request_key"),
        "delivery",
        ["request_key"],
        sqlite_where=sa.text("request_key <> ''"),
        postgresql_where=sa.text("request_key <> ''"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_delivery_request_key"), table_name="delivery")
    op.drop_column("delivery", "request_key")
