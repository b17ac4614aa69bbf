"""what messages were made with, and how each called its reader: so that a sent one can be made again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "look",
        sa.Column("id", _ID, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look")),
        sa.UniqueConstraint("hash", name=op.f("uq_look_hash")),
    )
    op.add_column("delivery", sa.Column("look_id", _ID, nullable=True))
    op.add_column("delivery", sa.Column("addressee", sa.Text(), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("delivery", "addressee")
    op.drop_column("delivery", "look_id")
    op.drop_table("look")
