"""the public archive of newsletters' issues, each under a number that nobody can guess."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_CONTENT_OF_MOST = """
    SELECT issue.id, issue.newsletter_id, issue.due_at, delivery.content_id, count(*) AS copies
    FROM edition AS issue
    JOIN edition_draft ON edition_draft.edition_id = issue.id
    JOIN edition AS part ON part.id = issue.id OR part.parent_id = issue.id
    JOIN delivery ON delivery.edition_id = part.id
    WHERE issue.kind = 'newsletter' AND issue.newsletter_id IS NOT NULL
    GROUP BY issue.id, issue.newsletter_id, issue.due_at, delivery.content_id
    ORDER BY issue.id, copies, delivery.content_id DESC
"""


def upgrade() -> None:
    """Apply. Of an issue that was sent before, what most of its readers got is kept."""
    table = op.create_table(
        "archived_issue",
        sa.Column("edition_id", _ID, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("newsletter_id", _ID, nullable=False),
        sa.Column("content_id", _ID, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name="fk_archived_issue_edition_id_edition"),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletter.id"], name="fk_archived_issue_newsletter_id_newsletter"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["edition_content.id"], name="fk_archived_issue_content_id_edition_content"
        ),
        sa.PrimaryKeyConstraint("edition_id", name="pk_archived_issue"),
        sa.UniqueConstraint("public_id", name="uq_archived_issue_public_id"),
    )
    op.create_index("ix_archived_issue_newsletter_id_due_at", "archived_issue", ["newsletter_id", "due_at"])
    kinds = {"due_at": sa.DateTime(timezone=True)}
    sent: dict[int, dict[str, Any]] = {}  # of each issue the last row stays, which has the most copies
    for row in op.get_bind().execute(sa.text(_CONTENT_OF_MOST).columns(**kinds)):
        sent[row.id] = {
            "edition_id": row.id,
            "public_id": secrets.token_hex(12),
            "newsletter_id": row.newsletter_id,
            "content_id": row.content_id,
            "due_at": row.due_at,
        }
    if sent:
        op.bulk_insert(table, list(sent.values()))


def downgrade() -> None:
    """Undo."""
    op.drop_table("archived_issue")
