"""who was asked lately, for the budgets of mailboxes and of all questions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Who was asked before begins the day anew."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "asking",
        sa.Column("id", big, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subscriber_id", big, nullable=True),
        sa.Column("mailbox_hash", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_asking_subscriber_id_subscriber")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asking")),
    )
    for column in ("mailbox_hash", "subscriber_id", "due_at"):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_asking_{column}", "asking", [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Undo."""
    op.drop_table("asking")
