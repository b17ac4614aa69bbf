"""What is copied into PostgreSQL stands there as it was given, whatever is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.model import SubscriberStatus
from worker.store import bulk
from worker.store.schema import Subscriber

_COLUMNS = ("address_hash", "email", "name", "status", "consent", "confirmations", "paused_until", "created_at")
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
_JSON = st.dictionaries(_TEXTS, st.none() | st.booleans() | st.integers(-5, 5) | _TEXTS | st.lists(_TEXTS), max_size=3)
_MOMENTS = st.integers(0, 10**15).map(lambda us: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us))
_ROWS = st.tuples(
    st.none() | _TEXTS,
    _TEXTS,
    st.sampled_from(SubscriberStatus),
    _JSON,
    st.integers(0, 2**31 - 1),
    st.none() | _MOMENTS,
    _MOMENTS,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROWS, min_size=1, max_size=20))
def test_every_value_comes_back_as_it_was(database, rows):
    given_rows = [(f"{number:064x}", *row) for number, row in enumerate(rows)]
    with database.write() as conn:
        attempt = conn.begin_nested()
        assert bulk.insert(conn, Subscriber, _COLUMNS, given_rows) == len(rows)
        query = sa.select(*(getattr(Subscriber, name) for name in _COLUMNS)).order_by(Subscriber.address_hash)
        assert [tuple(row) for row in conn.execute(query)] == given_rows
        attempt.rollback()
