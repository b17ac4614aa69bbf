"""steering editions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("edition", sa.Column("planned_as", sa.String(16), nullable=True))
    op.add_column("edition", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.add_column("edition", sa.Column("canary", sa.String(16), nullable=True))
    op.add_column("edition", sa.Column("canary_settled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("delivery_batch", sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("story", sa.Column("stopping_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_story_stopping_since",
        "story",
        ["stopping_since"],
        sqlite_where=sa.text("stopping_since IS NOT NULL"),
        postgresql_where=sa.text("stopping_since IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_story_stopping_since", table_name="story")
    op.drop_column("story", "stopping_since")
    op.drop_column("delivery_batch", "held")
    for name in ("canary_settled_at", "canary", "reason", "planned_as"):
        op.drop_column("edition", name)
