"""what is counted of editions, by link and hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0021"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "measurement",
        sa.Column("edition_id", _ID, nullable=False),
        sa.Column("measure", sa.String(length=16), nullable=False),
        sa.Column("article_id", _ID, autoincrement=False, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visitor", sa.String(length=16), nullable=False),
        sa.Column("count", _ID, nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_measurement_edition_id_edition")),
        sa.PrimaryKeyConstraint("edition_id", "measure", "article_id", "hour", "visitor", name=op.f("pk_measurement")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("measurement")
