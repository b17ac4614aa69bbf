"""what the preflight of an edition has found, and who lets it go all the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "preflight",
        sa.Column("edition_id", _ID, nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", _TIME, nullable=True),
        sa.Column("claimed_until", _TIME, nullable=True),
        sa.Column("looked_at", _TIME, nullable=True),
        sa.Column("mark", sa.Text(), server_default="", nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("held_by", sa.Text(), server_default="", nullable=False),
        sa.Column("waived_by", sa.Text(), server_default="", nullable=False),
        sa.Column("waived_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_preflight_edition_id_edition")),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_preflight")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("preflight")
