"""quicker conditions: two partial indexes of deliveries, which SQLite checks for every step of every mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0042"
branch_labels = None
depends_on = None

_UNSETTLED = ("planned", "leased", "deferred", "committing", "unknown")
_ENDED = ("expired", "cancelled", "refused")


def upgrade() -> None:
    """Apply."""
    _replace(_any_of(_UNSETTLED), f"({_any_of(_ENDED)}) AND returned_at IS NULL")


def downgrade() -> None:
    """Undo."""
    _replace(f"state IN {_UNSETTLED}", f"state IN {_ENDED} AND returned_at IS NULL")


def _any_of(states: tuple[str, ...]) -> str:
    return " OR ".join(f"state = '{state}'" for state in states)


def _replace(unsettled: str, unreturned: str) -> None:
    for name, columns, where in (
        ("ix_delivery_unsettled", ["state", "edition_id"], sa.text(unsettled)),
        ("ix_delivery_unreturned", ["id"], sa.text(unreturned)),
    ):
        op.drop_index(name, table_name="delivery")
        op.create_index(name, "delivery", columns, sqlite_where=where, postgresql_where=where)
