"""when sources publish, what they bear, and since when they say that they have moved."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("moved_since", sa.DateTime(timezone=True)),
        sa.Column("bears_s", sa.Double()),
        sa.Column("published_lately", sa.JSON(none_as_null=True)),
    ]


def upgrade() -> None:
    """Apply."""
    for column in _columns():
        op.add_column("source", column)


def downgrade() -> None:
    """Undo."""
    for column in reversed(_columns()):
        op.drop_column("source", column.name)
