"""what events lead to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SENT = "provider_message_id <> ''"
_WAITS = "settled_at IS NULL"


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_delivery_provider_message_id",
        "delivery",
        ["provider_message_id"],
        sqlite_where=sa.text(_SENT),
        postgresql_where=sa.text(_SENT),
    )
    op.add_column("event", sa.Column("address_hash", sa.Text(), nullable=True))
    op.add_column("event", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("event", sa.Column("outcome", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_event_address_hash_occurred_at", "event", ["address_hash", "occurred_at"])
    op.create_index(
        "ix_event_unsettled", "event", ["id"], sqlite_where=sa.text(_WAITS), postgresql_where=sa.text(_WAITS)
    )
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("suppression") as suppression:  # SQLite adds no foreign key to a table that is there
        suppression.add_column(sa.Column("cause", sa.String(16), server_default="operator", nullable=False))
        suppression.add_column(sa.Column("event_id", big_id, nullable=True))
        suppression.create_foreign_key(
            op.f("fk_suppression_event_id_event"), "event", ["event_id"], ["id"], ondelete="SET NULL"
        )
        suppression.create_index(op.f("ix_suppression_event_id"), ["event_id"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("suppression") as suppression:
        suppression.drop_index(op.f("ix_suppression_event_id"))
        suppression.drop_constraint(op.f("fk_suppression_event_id_event"), type_="foreignkey")
        suppression.drop_column("event_id")
        suppression.drop_column("cause")
    op.drop_index("ix_event_unsettled", table_name="event")
    op.drop_index("ix_event_address_hash_occurred_at", table_name="event")
    op.drop_column("event", "outcome")
    op.drop_column("event", "settled_at")
    op.drop_column("event", "address_hash")
    op.drop_index("ix_delivery_provider_message_id", table_name="delivery")
