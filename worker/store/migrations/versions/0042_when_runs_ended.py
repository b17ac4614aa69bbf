"""when runs ended: an index, so that what has ended since is found without reading all runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    ended = sa.text("finished_at IS NOT NULL")
    op.create_index("ix_edition_finished_at", "edition", ["finished_at"], sqlite_where=ended, postgresql_where=ended)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_edition_finished_at", table_name="edition")
