"""subscriptions at WebSub hubs, and what hubs have pushed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_STATES = sa.Enum("wanted", "asked", "active", "refused", "leaving", "ended", native_enum=False, length=16)
_LIVE = sa.text("state IN ('wanted', 'asked', 'active')")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "websub",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source_id", _ID, nullable=True),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.Text(), nullable=False),
        sa.Column("state", _STATES, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("asked_at", _MOMENT),
        sa.Column("verified_at", _MOMENT),
        sa.Column("lease_until", _MOMENT),
        sa.Column("next_try_at", _MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text(), nullable=False, server_default=""),
        sa.Column("absences", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("pushes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("forged", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_push_at", _MOMENT),
        sa.Column("last_thin_at", _MOMENT),
        sa.Column("suspects", sa.JSON(none_as_null=True)),
        sa.Column("suspects_until", _MOMENT),
        sa.Column("misses", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("missed_in_a_row", sa.Integer(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_websub_source_id_source"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_websub")),
    )
    op.create_index(op.f("ix_websub_source_id"), "websub", ["source_id"])
    op.create_index(op.f("ix_websub_next_try_at"), "websub", ["next_try_at"])
    op.create_index(op.f("ix_websub_suspects_until"), "websub", ["suspects_until"])
    op.create_index("uq_websub_live", "websub", ["source_id"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_table(
        "websub_push",
        sa.Column("id", _ID, nullable=False),
        sa.Column("websub_id", _ID, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("claimed_until", _MOMENT),
        sa.ForeignKeyConstraint(
            ["websub_id"], ["websub.id"], name=op.f("fk_websub_push_websub_id_websub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_websub_push")),
        sa.UniqueConstraint("websub_id", "body_hash", name=op.f("uq_websub_push_websub_id_body_hash")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("websub_push")
    op.drop_table("websub")
