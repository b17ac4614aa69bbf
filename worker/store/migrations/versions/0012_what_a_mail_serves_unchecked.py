"""what a mail serves, unchecked: links without foreign keys."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_DELIVERY = "fk_delivery_subscription_delivery_id_delivery"
_SUBSCRIPTION = "fk_delivery_subscription_subscription_id_subscription"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("delivery_subscription") as links:  # nothing refers to it: SQLite may make it anew
        links.drop_constraint(op.f(_DELIVERY), type_="foreignkey")
        links.drop_constraint(op.f(_SUBSCRIPTION), type_="foreignkey")


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("delivery_subscription") as links:
        links.create_foreign_key(op.f(_SUBSCRIPTION), "subscription", ["subscription_id"], ["id"])
        links.create_foreign_key(op.f(_DELIVERY), "delivery", ["delivery_id"], ["id"])
