"""Engines of a test process that share what SQLAlchemy has worked out: each test has a database of its own, and none
has to have the same hundred statements compiled again. Decides nothing; `conftest.py` turns it on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import URL, Engine

from worker.store import database

_STATEMENTS: Final = 5_000
_known: dict[str, Any] = {}


def share_compiled_statements() -> None:
    """Have all databases that are opened from now on share a dialect a kind, and its compiled statements."""
    for make in ("_sqlite_engine", "_postgresql_engine"):
        setattr(database, make, _sharing(getattr(database, make)))


def _sharing(make: Callable[[URL], Engine]) -> Callable[[URL], Engine]:
    def made(url: URL) -> Engine:
        engine = make(url)
        within: Any = engine  # what SQLAlchemy documents for nobody
        known = _known.get(engine.dialect.name)
        if known is None or known.dialect.server_version_info is None:  # it has never connected
            within._compiled_cache.capacity = _STATEMENTS
            _known[engine.dialect.name] = engine
        else:
            within.dialect = within.pool._dialect = known.dialect
            within._compiled_cache = known._compiled_cache
        return engine

    return made
