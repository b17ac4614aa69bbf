"""pictures of stories, and where they come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("article", sa.Column("image", sa.JSON(), nullable=True))
    op.create_table(
        "picture_address",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("article_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_picture_address_article_id_article")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_address")),
    )
    op.create_index(op.f("ix_picture_address_article_id"), "picture_address", ["article_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("picture_address")
    # Not in a batch, which makes the table anew: on SQLite, rows that name an article forbid that it goes.
    op.drop_column("article", "image")
