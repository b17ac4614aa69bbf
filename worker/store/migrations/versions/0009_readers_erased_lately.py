"""readers erased lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ERASED = "erased_at IS NOT NULL"


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_subscriber_erased_at",
        "subscriber",
        ["erased_at"],
        sqlite_where=sa.text(_ERASED),
        postgresql_where=sa.text(_ERASED),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_subscriber_erased_at", table_name="subscriber")
