"""planning in full."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_edition_parent_id", "edition", ["parent_id"], "parent_id IS NOT NULL"),
    ("ix_edition_story_id", "edition", ["story_id"], "story_id IS NOT NULL"),
    (
        "ix_delivery_unreturned",
        "delivery",
        ["id"],
        "state IN ('expired', 'cancelled', 'refused') AND returned_at IS NULL",
    ),
    ("ix_subscriber_paused", "subscriber", ["paused_until"], "paused_at IS NOT NULL"),
    ("ix_newsletter_next_due_at", "newsletter", ["next_due_at"], "next_due_at IS NOT NULL"),
)


def upgrade() -> None:
    """Apply."""
    _create_tables()
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    for name, table, indexed, where in _INDEXES:
        _index(name, table, indexed, where)
    op.drop_index("ix_subscription_next_due_at", table_name="subscription")
    _index("ix_subscription_next_due_at", "subscription", ["next_due_at", "subscriber_id"], "next_due_at IS NOT NULL")
    op.drop_index("ix_subscription_newsletter_id", table_name="subscription")
    _index("ix_subscription_newsletter_id", "subscription", ["newsletter_id"], "newsletter_id IS NOT NULL")
    with op.batch_alter_table("content_story") as content_story:  # nothing refers to it: SQLite may make it anew
        content_story.add_column(
            sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        content_story.add_column(sa.Column("update_no", sa.Integer(), server_default="0", nullable=False))
        content_story.drop_constraint(op.f("fk_content_story_content_id_edition_content"), type_="foreignkey")
        content_story.drop_constraint(op.f("fk_content_story_story_id_story"), type_="foreignkey")


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("content_story") as content_story:
        content_story.create_foreign_key(op.f("fk_content_story_story_id_story"), "story", ["story_id"], ["id"])
        content_story.create_foreign_key(
            op.f("fk_content_story_content_id_edition_content"), "edition_content", ["content_id"], ["id"]
        )
        content_story.drop_column("update_no")
        content_story.drop_column("card_id")
    op.drop_index("ix_subscription_newsletter_id", table_name="subscription")
    op.create_index("ix_subscription_newsletter_id", "subscription", ["newsletter_id"])
    op.drop_index("ix_subscription_next_due_at", table_name="subscription")
    _index("ix_subscription_next_due_at", "subscription", ["next_due_at"], "next_due_at IS NOT NULL")
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
    for table in ("edition_draft", "correction", "burst", "omission", "owed_story", "story_card", "planning_run"):
        op.drop_table(table)


def _columns() -> dict[str, list[sa.Column[Any]]]:
    return {
        "story": [
            sa.Column("boost", sa.SmallInteger(), server_default="0", nullable=False),
            sa.Column("update_no", sa.Integer(), server_default="0", nullable=False),
            sa.Column("update_note", sa.Text(), server_default="", nullable=False),
            sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        ],
        "topic_story": [
            sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("rolls", sa.Boolean(), server_default=sa.false(), nullable=False),
        ],
        "edition": [
            sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
            sa.Column("story_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
            sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        ],
        "delivery": [
            sa.Column("serves", sa.JSON().with_variant(sa.ARRAY(sa.BigInteger()), "postgresql"), nullable=True),
            sa.Column("in_reply_to", sa.Text(), server_default="", nullable=False),
            sa.Column("quiet_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True),
            sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        ],
        "subscriber": [
            sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("quiet_from", sa.Text(), nullable=True),
            sa.Column("quiet_to", sa.Text(), nullable=True),
            sa.Column("alert_budget", sa.Integer(), nullable=True),
            sa.Column("digest_floor", sa.Integer(), server_default="1", nullable=False),
            sa.Column("below_floor", sa.String(16), server_default="merge", nullable=False),
        ],
        "newsletter": [
            sa.Column("timing", sa.String(16), server_default="newsroom", nullable=False),
            sa.Column("approval", sa.String(16), server_default="automatic", nullable=False),
            sa.Column("lead_s", sa.Integer(), server_default="3600", nullable=False),
            sa.Column("starts_on", sa.Date(), nullable=True),
            sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("disabled_reason", sa.Text(), server_default="", nullable=False),
        ],
        "source": [
            sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
            sa.Column("held_reason", sa.Text(), server_default="", nullable=False),
        ],
    }


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_tables() -> None:
    op.create_table(
        "planning_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.String(16),
            nullable=False,
        ),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planning_run")),
        sa.UniqueConstraint("kind", "slot", name=op.f("uq_planning_run_kind_slot")),
    )
    op.create_index(
        "ix_planning_run_unfinished",
        "planning_run",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "story_card",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("story_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("update_no", sa.Integer(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("personal_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_story_card_article_id_article")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_story_card_story_id_story")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_card")),
        sa.UniqueConstraint("hash", name=op.f("uq_story_card_hash")),
    )
    op.create_index("ix_story_card_article_id_revision", "story_card", ["article_id", "revision"], unique=False)
    op.create_index(
        "ix_story_card_personal_to",
        "story_card",
        ["personal_to"],
        unique=False,
        sqlite_where=sa.text("personal_to IS NOT NULL"),
        postgresql_where=sa.text("personal_to IS NOT NULL"),
    )
    op.create_table(
        "owed_story",
        sa.Column("subscriber_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("story_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "why",
            sa.String(16),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_owed_story_story_id_story")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_owed_story_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "story_id", name=op.f("pk_owed_story")),
    )
    op.create_index("ix_owed_story_due_at_subscriber_id", "owed_story", ["due_at", "subscriber_id"], unique=False)
    op.create_index(op.f("ix_owed_story_story_id"), "owed_story", ["story_id"], unique=False)
    op.create_table(
        "omission",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "why",
            sa.String(16),
            nullable=False,
        ),
        sa.Column("edition_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("stories", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_omission_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_omission")),
    )
    op.create_index("ix_omission_at", "omission", ["at"], unique=False)
    op.create_index("ix_omission_subscriber_id_at", "omission", ["subscriber_id", "at"], unique=False)
    op.create_table(
        "burst",
        sa.Column("topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_burst_topic_id_topic")),
        sa.PrimaryKeyConstraint("topic_id", name=op.f("pk_burst")),
    )
    op.create_index(op.f("ix_burst_summary_due_at"), "burst", ["summary_due_at"], unique=False)
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("story_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("faulty_upto", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("retracts", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("mails", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_correction_article_id_article")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_correction_story_id_story")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_article_id"), "correction", ["article_id"], unique=False)
    op.create_index(op.f("ix_correction_story_id"), "correction", ["story_id"], unique=False)
    op.create_index(
        "ix_correction_unsettled",
        "correction",
        ["id"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "edition_draft",
        sa.Column("edition_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("ranking", sa.JSON(), nullable=False),
        sa.Column("approved_by", sa.Text(), server_default="", nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_edition_draft_edition_id_edition")),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_edition_draft")),
    )
