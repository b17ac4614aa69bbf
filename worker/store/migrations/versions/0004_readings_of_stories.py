"""what articles say that could be their story."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "story_reading",
        sa.Column("article_id", big, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("story_id", big, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_story_reading_article_id_article"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["story.id"], name=op.f("fk_story_reading_story_id_story"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_story_reading")),
        sa.UniqueConstraint("seq", name=op.f("uq_story_reading_seq")),
    )
    op.create_index(op.f("ix_story_reading_story_id"), "story_reading", ["story_id"])
    op.create_index(op.f("ix_story_reading_published_at"), "story_reading", ["published_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("story_reading")
