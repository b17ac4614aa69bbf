"""how sources are: how well each one does, how it tells its news, and whether an article's date is its source's word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0036"
branch_labels = None
depends_on = None

_CONDITIONS = sa.Enum(
    "ok", "never", "failing", "silent", "slow", "moved", "held", "paused", "gone", native_enum=False, length=16
)
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("article", sa.Column("dated", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index("ix_article_source_id_seen_at", "article", ["source_id", "seen_at", "published_at", "dated"])
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "source_health",
        sa.Column("source_id", _BIG, nullable=False),
        sa.Column("condition", _CONDITIONS, nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rhythm", sa.JSON(none_as_null=True)),
        sa.Column("measured_at", moment),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_source_health_source_id_source"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_source_health")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("source_health")
    op.drop_index("ix_article_source_id_seen_at", table_name="article")
    op.drop_column("article", "dated")
