"""terms of articles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "term",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("key", name=op.f("uq_term_key")),
    )
    op.create_table(
        "term_stem",
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("stem", sa.Text(), nullable=False),
        sa.Column("term_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_term_stem_term_id_term")),
        sa.PrimaryKeyConstraint("language", "stem", "term_id", name=op.f("pk_term_stem")),
    )
    op.create_table(
        "article_terms",
        sa.Column("article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("analyser_version", sa.Integer(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_terms_article_id_article"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_article_terms")),
    )
    op.create_index(op.f("ix_article_terms_analyser_version"), "article_terms", ["analyser_version"])
    op.create_index("ix_article_period", "article", ["published_at", "seen_at", "story_id", "revision", "killed_at"])
    # What was matched before is analysed by and by: a sweep looks for versions other than its own.
    op.execute(
        "INSERT INTO article_terms (article_id, revision, analyser_version) "
        "SELECT id, revision, 0 FROM article WHERE matched_at IS NOT NULL"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_article_period", table_name="article")
    op.drop_table("article_terms")
    op.drop_table("term_stem")
    op.drop_table("term")
