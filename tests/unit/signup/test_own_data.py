"""A reader's file about themselves: nothing of what is told is left out, and nobody has to know our columns."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from worker.model import SubscriberStatus
from worker.signup.own_data import as_file, portrait
from worker.store.schema import OwnLetter, Subscriber, Subscription

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
LEAVES = st.text(min_size=1, max_size=5) | st.integers() | st.booleans()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text("abc_", min_size=1), inner, min_size=1)
    ),
    max_leaves=12,
)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["reader", "events", "letters", "something new"]), VALUES))
def test_nothing_that_is_held_is_left_out(told):
    drawn = portrait(told, newsroom="The Courier", at=AT)
    del drawn["held by"], drawn["written down"]
    assert sorted(map(repr, leaves(drawn))) == sorted(map(repr, leaves(told)))


def test_no_two_columns_of_a_table_have_one_name():
    for table in (Subscriber, Subscription, OwnLetter):
        record = {column.name: f"value of {column.name}" for column in table.__table__.columns}
        (named,) = (portrait({"reader": record}, newsroom="", at=AT)["about you"],)
        assert len(named) == len(record), table.__tablename__


def test_times_and_words_are_readable_and_what_is_blank_is_not_there():
    reader = {
        "email": "jo@example.org",
        "status": SubscriberStatus.ACTIVE,
        "created_at": AT,
        "left_at": None,
        "name": "",
    }
    told: dict[str, Any] = {"reader": {**reader, "alert_budget": 0}, "events": [], "suppression": None}
    file = json.loads(as_file(portrait(told, newsroom="항구일보", at=AT)))
    assert file == {
        "held by": "항구일보",
        "written down": "2026-11-29T12:00:00Z",
        "about you": {
            "address": "jo@example.org",
            "standing": "active",
            "since": "2026-11-29T12:00:00Z",
            "alerts a day at most": 0,
        },
    }
    assert "항구일보".encode() in as_file(portrait(told, newsroom="항구일보", at=AT))
