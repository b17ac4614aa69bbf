"""letters about a reader's own business: links to their data, to be forgotten, to change their address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "own_letter",
        sa.Column("id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("recipient_hash", sa.Text(), nullable=True),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("edition_id", _ID, nullable=True),
        sa.Column("used_at", _TIME, nullable=True),
        sa.Column("voided_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_own_letter_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_letter")),
    )
    op.create_index("ix_own_letter_subscriber_id_asked_at", "own_letter", ["subscriber_id", "asked_at"])
    for column in ("recipient_hash", "due_at", "edition_id"):
        op.create_index(
            op.f(f"ix_own_letter_{column}"),
            "own_letter",
            [column],
            sqlite_where=sa.text(f"{column} IS NOT NULL"),
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def downgrade() -> None:
    """Undo."""
    op.drop_table("own_letter")
