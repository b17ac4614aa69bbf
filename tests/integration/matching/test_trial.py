"""A reader's trial of a query finds what a backtest of the same days finds, on both databases, and costs little."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from itertools import islice

import pytest

from tests import builders
from worker.errors import QueryError, TooLongError
from worker.matching import run_trial
from worker.matching.run import Matcher
from worker.matching.run_backtest import Effort, backtest
from worker.matching.run_trial import DAYS, SHOWN, try_query
from worker.store import topics
from worker.store.database import Database, now
from worker.web import trying


@pytest.fixture
def archive(database: Database) -> None:
    """Twelve stories of this week with the word, one older, one without, one told twice."""
    with database.write() as conn:
        at = now(conn)
        ids = []
        for number in range(12):
            published_at = at - timedelta(hours=1 + number)
            ids.append(builders.article(conn, f"Bear number {number}", summary="", published_at=published_at))
        ids.append(builders.article(conn, "An old bear", summary="", published_at=at - timedelta(days=8)))
        ids.append(builders.article(conn, "A quiet day", summary=""))
        ids.append(builders.article(conn, "Bear number 0 again", summary="", story=ids[0][1]))
        topic = topics.NewTopic(slug="bears", name={"en": "Bears"}, query="bear", canonical="bear")
        topics.put_topic(conn, topic)
    matcher = Matcher(database, gather=timedelta(seconds=60))
    for article_id, _ in ids:
        matcher.match(article_id)


@pytest.mark.usefixtures("archive")
def test_a_trial_counts_what_a_backtest_counts(database: Database) -> None:
    for query in ("bear", "@bears", "quiet OR bear", "bear -number", '"bear number"', "wolf"):
        trial = try_query(database, query, timezone="UTC")
        told = backtest(database, query, days=DAYS, timezone="UTC")
        assert (trial.stories, trial.all_stories, trial.is_estimated) == (
            told.stories,
            told.all_stories,
            told.estimated,
        ), query
        assert [sample.story for sample in trial.samples][:5] == [sample.story for sample in told.samples]
        assert len(trial.samples) == min(trial.stories, SHOWN)


@pytest.mark.usefixtures("archive")
def test_a_trial_that_may_read_little_guesses_and_one_that_takes_long_is_given_up(database: Database) -> None:
    trial = try_query(database, '"bear number"', timezone="UTC", effort=Effort(stories=0))
    assert trial.is_estimated
    assert 0 < trial.stories <= 12
    with pytest.raises(TooLongError):
        try_query(database, "bear", timezone="UTC", effort=Effort(total_s=-1))


def test_a_trial_of_no_topic_is_refused(database: Database) -> None:
    with pytest.raises(QueryError, match="there is no topic @wolves"):
        try_query(database, "@wolves", timezone="UTC")


def test_while_some_wait_for_their_trial_others_are_told_at_once_that_we_are_busy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits keeps a thread from all other pages: a crowd of trials must not shut the house."""
    begun, may_end = threading.Event(), threading.Event()

    def takes_long(*_given: object, **_options: object) -> None:
        begun.set()
        assert may_end.wait(30)
        raise TooLongError("no answer")

    monkeypatch.setattr(run_trial, "try_query", takes_long)
    monkeypatch.setattr(trying, "_WAIT_S", 30.0)
    trials = trying.Trials()
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(trials.of, database, f"word{number}", timezone="UTC") for number in range(20)]
        assert begun.wait(30)
        assert [one.result() for one in islice(as_completed(asked, timeout=30), 15)] == [None] * 15
        assert trials.of(database, "word", timezone="UTC") is None
        may_end.set()
        assert [one.result(30) for one in asked] == [None] * 20
