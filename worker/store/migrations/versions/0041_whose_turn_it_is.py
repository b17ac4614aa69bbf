"""whose turn it is: which sources are claimed is asked at every claim."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_HELD = sa.text("claimed_until IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_source_claimed_until", "source", ["claimed_until"], sqlite_where=_HELD, postgresql_where=_HELD)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_source_claimed_until", table_name="source")
