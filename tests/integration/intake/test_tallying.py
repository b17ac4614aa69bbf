"""How late news is, counted for `/metrics`: each article and mail once, after it has come to its end."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from tests import builders
from tests.integration.intake.watching import watched
from worker.intake.run_tallying import counted, tally
from worker.lifecycle import State
from worker.model import EditionKind, EditionStatus
from worker.store import lags
from worker.store.database import Database, now
from worker.store.schema import Article, Delivery, Edition
from worker.web.lag_metrics import lag_metrics

S = timedelta(seconds=1)


def counts(database: Database) -> dict[tuple[str, str], int]:
    with database.read() as conn:
        found = counted(conn)
    return {key: sum(row.counts) for key, row in found.rows.items()} if found else {}


def match_all(database: Database) -> None:
    with database.write() as conn:
        conn.execute(sa.update(Article).where(Article.matched_at.is_(None)).values(matched_at=Article.seen_at))


def alert(database: Database, *, ended_at: datetime, readers: int = 3) -> None:
    """Store an alert that was matched, planned and accepted before it ended."""
    with database.write() as conn:
        edition = builders.edition(conn, [builders.reader(conn) for _ in range(readers)], kind=EditionKind.ALERT)
        moments = {"matched_at": ended_at - 30 * S, "planned_at": ended_at - 10 * S, "accepted_at": ended_at - 7 * S}
        mine = Delivery.edition_id == edition
        conn.execute(sa.update(Delivery).where(mine).values(state=State.ACCEPTED, **moments))
        ended = {"status": EditionStatus.FINISHED, "finished_at": ended_at}
        conn.execute(sa.update(Edition).where(Edition.id == edition).values(**ended))


def test_every_article_is_counted_once_and_the_first_one_of_a_source_was_not_late(database):
    watched(database, pauses=0)
    match_all(database)
    assert tally(database)
    assert tally(database)
    assert counts(database) == {("matched", "article"): 1}
    watched(database, "Post", pauses=1, quiet_h=0)
    match_all(database)
    builders.set_clock(database, ahead=timedelta(minutes=5))
    tally(database)
    tally(database)
    assert counts(database) == {("matched", "article"): 3, ("seen", "article"): 1}


def test_an_article_that_is_not_matched_yet_waits_and_keeps_others_waiting_for_ten_minutes_at_most(database):
    watched(database, pauses=0, quiet_h=0.02)
    tally(database)
    assert counts(database) == {}
    builders.set_clock(database, ahead=timedelta(minutes=11))
    watched(database, "Post", pauses=0)
    with database.write() as conn:
        second = conn.execute(sa.select(sa.func.max(Article.id))).scalar_one()
        conn.execute(sa.update(Article).where(Article.id == second).values(matched_at=Article.seen_at))
    tally(database)
    assert counts(database) == {("matched", "article"): 1}


def test_mails_are_counted_by_kind_when_their_run_has_ended(database):
    at = builders.time_of(database)
    alert(database, ended_at=at - timedelta(minutes=1))
    tally(database)
    alert(database, ended_at=at - 30 * S, readers=2)
    tally(database)
    tally(database)
    assert counts(database) == {("accepted", "alert"): 3, ("planned", "alert"): 3}
    builders.set_clock(database, ahead=timedelta(minutes=1))
    alert(database, ended_at=builders.time_of(database) - 10 * S, readers=2)
    tally(database)
    assert counts(database) == {("accepted", "alert"): 5, ("planned", "alert"): 5}


def test_of_two_who_count_the_same_one_has_counted(database):
    with database.write() as conn:
        assert lags.swap(conn, None, "first")
        assert not lags.swap(conn, None, "second")
        assert lags.swap(conn, "first", "third")
        assert not lags.swap(conn, "first", "fourth")
        assert lags.kept(conn) == "third"


def test_metrics_show_them_as_a_histogram_and_only_names_before_anything_was(database):
    with database.read() as conn:
        assert all(line.startswith("#") for line in lag_metrics(conn))
        at = now(conn)
    alert(database, ended_at=at - timedelta(minutes=1))
    tally(database)
    with database.read() as conn:
        lines = list(lag_metrics(conn))
    labels = 'step="accepted",kind="alert"'
    assert f'tocsin_intake_lag_seconds_bucket{{{labels},le="2"}} 0' in lines
    assert f'tocsin_intake_lag_seconds_bucket{{{labels},le="5"}} 3' in lines
    assert f'tocsin_intake_lag_seconds_bucket{{{labels},le="+Inf"}} 3' in lines
    assert f"tocsin_intake_lag_seconds_sum{{{labels}}} 9.000" in lines
    assert f"tocsin_intake_lag_seconds_count{{{labels}}} 3" in lines
