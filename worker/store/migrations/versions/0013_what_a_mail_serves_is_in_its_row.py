"""what a mail serves is in its row: no links beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What was planned before 0011 says it in links only."""
    gathered = "json_group_array(s.subscription_id)" if _is_sqlite() else "array_agg(s.subscription_id)"
    op.execute(
        f"UPDATE delivery SET serves = (SELECT {gathered} FROM delivery_subscription AS s"  # noqa: S608  a choice of two
        " WHERE s.delivery_id = delivery.id) WHERE serves IS NULL"
        " AND id IN (SELECT delivery_id FROM delivery_subscription)"
    )
    op.drop_table("delivery_subscription")


def downgrade() -> None:
    """Undo."""
    op.create_table(
        "delivery_subscription",
        sa.Column("delivery_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "subscription_id", name=op.f("pk_delivery_subscription")),
    )
    op.create_index(op.f("ix_delivery_subscription_subscription_id"), "delivery_subscription", ["subscription_id"])
    # As far as the subscriptions are there still: 0011 has foreign keys on these.
    one = "json_each(d.serves) AS one" if _is_sqlite() else "unnest(d.serves) AS one(value)"
    op.execute(
        "INSERT INTO delivery_subscription (delivery_id, subscription_id)"  # noqa: S608  a choice of two
        f" SELECT d.id, s.id FROM delivery AS d CROSS JOIN {one} JOIN subscription AS s ON s.id = one.value"
    )


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
