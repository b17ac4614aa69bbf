"""folders of sources: where a list of feeds keeps each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("source", sa.Column("folder", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Undo. What was removed is watched no more, but earlier versions know no such state."""
    source = sa.table("source", sa.column("state"))
    op.execute(sa.update(source).where(source.c.state == "removed").values(state="gone"))
    op.drop_column("source", "folder")
