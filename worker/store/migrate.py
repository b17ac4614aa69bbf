"""Brings a database to this program's version, and refuses one that is from a newer program.

Called by `tocsin db upgrade`, `up` and `demo`; every other command calls `check_version` and changes nothing. Every
process begins with that check: Alembic, which takes its time, is loaded to upgrade only.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from worker.errors import ConfigurationError
from worker.store.database import Database
from worker.store.schema.base import BigId, PictureJson, UtcDateTime

if TYPE_CHECKING:
    from alembic.config import Config


def _render(kind: str, item: object, _context: object) -> str | bool:
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, PictureJson):
        return "sa.JSON()"
    if kind == "type" and item is BigId:
        return "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


METADATA_OPTIONS: Final[dict[str, Any]] = {"render_item": _render, "render_as_batch": True, "compare_type": True}

# Two processes that start together must not both migrate: PostgreSQL waits on this lock, SQLite on its write lock.
_MIGRATION_LOCK: Final = 0x70C51

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_AT: Final = sa.column("version_num", sa.String)
_VERSION: Final = sa.table("alembic_version", _AT)  # Alembic's own, of one row


def upgrade(database: Database) -> str:
    """Apply the missing migrations, each all or nothing, and return the revision reached."""
    with database.write() as conn:
        if not database.is_sqlite:
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        if _refuse_newer(conn) != head():
            from alembic import command  # noqa: PLC0415  see above

            config = _config()
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
    return head()


def check_version(database: Database) -> None:
    """Raise `ConfigurationError` unless the database is exactly of this program's version."""
    with database.read() as conn:
        at = _refuse_newer(conn)
    if at != head():
        state = f"at version {at}, this program needs {head()}" if at else "empty"
        shown = database.url.render_as_string(hide_password=True)
        raise ConfigurationError(f"the database {shown} is {state}: run `tocsin db upgrade`")


def head() -> str:
    """Return the newest revision that this program knows."""
    revisions = _revisions()
    if not revisions:
        raise ConfigurationError("this installation has lost its migrations: install it again")
    return revisions[0]


def _refuse_newer(conn: sa.Connection) -> str | None:
    at = conn.scalar(sa.select(_AT).select_from(_VERSION)) if sa.inspect(conn).has_table(_VERSION.name) else None
    if at is not None and at not in _revisions():
        raise ConfigurationError(
            f"the database is at version {at}, which this program does not know: it was made by a newer Tocsin; "
            "install that version, or restore a backup"
        )
    return at


@functools.cache
def _revisions() -> tuple[str, ...]:
    """Return all revisions that this program knows, the newest first: what its migrations' files are numbered by."""
    return tuple(sorted((file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/[0-9]*.py")), reverse=True))


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415  see above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
