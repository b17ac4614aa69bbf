"""What a veto would cost is counted over stored stories."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests import builders
from worker.errors import QueryError, TooLongError
from worker.matching.run_backtest import Effort
from worker.matching.run_vetoes import met_by, offered, vetoes
from worker.store.database import now


@pytest.fixture
def stories(database):
    """Store five stories of late and one of long ago, and return the articles' numbers."""
    titles = ("Quake in Akita", "Quake film opens", "Quake film sells out", "A film about a quake", "Calm in Akita")
    with database.write() as conn:
        at = now(conn) - timedelta(days=1)
        numbers = [builders.article(conn, title, published_at=at, summary="")[0] for title in titles]
        builders.article(conn, "Quake film of old", published_at=now(conn) - timedelta(days=30), summary="")
    return numbers


def test_each_word_says_how_many_stories_would_have_fallen_away(database, stories):
    assert stories
    found = vetoes(database, "quake", "Quake film opens")
    assert found.stories == 4
    assert {one.word: one.falls_away for one in found.words} == {"film": 3, "opens": 1}
    assert [one.query for one in found.words] == ["quake NOT film", "quake NOT opens"]
    assert not found.is_estimated


def test_topics_that_a_query_names_are_looked_into(database, stories):
    assert stories
    with database.write() as conn:
        builders.topic(conn, "quake")
    assert offered(database, "@quake", "Quake film opens") == ("film", "opens")
    with pytest.raises(QueryError):
        offered(database, "@nothing", "Quake film opens")


def test_who_takes_too_long_is_let_go(database, stories):
    assert stories
    with pytest.raises(TooLongError):
        vetoes(database, "quake", "Quake film opens", effort=Effort(total_s=-1))


def test_what_is_left_of_what_waits_is_found_with_its_evidence(database, stories):
    with database.write() as conn:
        topic = builders.own_query(conn, "quake NOT film")
        met = met_by(conn, topic, "quake NOT film", stories)
    assert [one.article_id for one in met] == stories[:1]
    assert [span["alias"] for span in met[0].match.evidence] == ["Quake"]
