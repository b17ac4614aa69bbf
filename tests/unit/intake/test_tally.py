"""Counting how long things took: by bounds, cumulative as Prometheus wants it, and kept as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.intake.tally import BOUNDS_S, Row, Tally, cumulative

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


@given(st.lists(st.floats(0, 1e6), max_size=30))
def test_each_span_is_counted_up_to_every_bound_that_it_keeps(spans):
    row = Row()
    for span in spans:
        row = row.with_span(span)
    found = cumulative(row)
    assert found["+Inf"] == len(spans)
    assert all(found[f"{bound:g}"] == sum(span <= bound for span in spans) for bound in BOUNDS_S)


def test_what_is_unknown_or_cannot_be_is_not_counted():
    tally = Tally(article=0, ended_at=AT)
    tally.count("seen", "article", None)
    tally.count("seen", "article", timedelta(seconds=-1))
    assert tally.rows == {}


def test_counts_by_other_bounds_begin_anew_and_go_on_where_they_were():
    tally = Tally(article=7, ended_at=AT)
    tally.count("seen", "article", timedelta(seconds=3))
    other = tally.stored().replace("86400.0", "86401.0")
    assert Tally.restored(other) == Tally(article=7, ended_at=AT)
