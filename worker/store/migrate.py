"""Brings a database to this program's version, and refuses one that is from a newer program.

Called by `tocsin db upgrade`, `up` and `demo`; every other command calls `check_version` and changes nothing.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from worker.errors import ConfigurationError
from worker.store.database import Database
from worker.store.schema.base import BigId, PictureJson, UtcDateTime


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


def upgrade(database: Database) -> str:
    """Apply the missing migrations, each all or nothing, and return the revision reached."""
    with database.write() as conn:
        if not database.is_sqlite:
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        _refuse_newer(conn)
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
    at = MigrationContext.configure(conn).get_current_revision()
    if at is not None and at not in _revisions():
        raise ConfigurationError(
            f"the database is at version {at}, which this program does not know: it was made by a newer Tocsin; "
            "install that version, or restore a backup"
        )
    return at


@functools.cache
def _revisions() -> tuple[str, ...]:
    """Return all revisions that this program knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
