"""what sources told: a hash by which an unchanged item costs nothing, and what changed in each of an article's versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("article", sa.Column("told_hash", sa.Text(), nullable=False, server_default=""))
    op.add_column("article_version", sa.Column("changed", sa.JSON(none_as_null=True)))
    op.add_column("article_version", sa.Column("state_hash", sa.Text(), nullable=False, server_default=""))
    op.add_column("article_version", sa.Column("material", sa.Boolean()))


def downgrade() -> None:
    """Undo."""
    op.drop_column("article_version", "material")
    op.drop_column("article_version", "state_hash")
    op.drop_column("article_version", "changed")
    op.drop_column("article", "told_hash")
