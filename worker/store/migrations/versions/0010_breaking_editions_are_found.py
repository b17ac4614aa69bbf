"""a breaking edition is found without a look at all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        op.f("ix_edition_breaking"),
        "edition",
        ["status"],
        sqlite_where=sa.text("severity = 'breaking'"),
        postgresql_where=sa.text("severity = 'breaking'"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_edition_breaking"), table_name="edition")
