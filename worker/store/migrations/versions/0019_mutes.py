"""topics and stories that readers have muted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MUTED = sa.text("muted_until IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.add_column("subscription", sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_subscription_muted_until", "subscription", ["muted_until"], sqlite_where=_MUTED, postgresql_where=_MUTED
    )
    op.create_table(
        "story_mute",
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("story_id", _BIG, nullable=False),
        sa.Column("muted_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("muted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_story_mute_subscriber_id_subscriber")
        ),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_story_mute_story_id_story")),
        sa.PrimaryKeyConstraint("subscriber_id", "story_id", name=op.f("pk_story_mute")),
    )
    op.create_index(op.f("ix_story_mute_story_id"), "story_mute", ["story_id"])
    op.create_index(op.f("ix_story_mute_muted_until"), "story_mute", ["muted_until"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("story_mute")
    op.drop_index("ix_subscription_muted_until", table_name="subscription")
    op.drop_column("subscription", "muted_until")
