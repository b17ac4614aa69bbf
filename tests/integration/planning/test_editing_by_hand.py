"""`tocsin articles break` and `update`, `tocsin subscribers set`, as they are typed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.builders import article, breaking, follow, reader, topic
from tests.integration.conftest import SUPPRESSION_KEY
from worker.model import BelowFloor, Severity
from worker.store.schema import Article, Story, Subscriber
from worker.tokens import keyed_hash


@pytest.fixture
def news(database):
    """An article of a story that one reader follows."""
    with database.write() as conn:
        russia = topic(conn, "russia")
        follow(conn, reader(conn), russia)
        story = breaking(conn, russia)
        return conn.execute(sa.select(Article.id).where(Article.story_id == story)).scalar_one()


def test_news_is_broken(tocsin, database, news):
    with database.read() as conn:
        story = conn.execute(sa.select(Story.id)).scalar_one()
    (told,) = tocsin.ask("articles", "break", news, "--reason", "ours first")
    assert told == {
        "article": news,
        "story": story,
        "changed": True,
        "readers": 1,
        "says": f"article {news} is breaking news: it goes at once to whoever of 1 readers has not had it",
    }
    assert tocsin.rung == ["plan_alerts"]
    with database.read() as conn:
        assert conn.execute(sa.select(Article.severity)).scalar_one() is Severity.BREAKING


def test_an_update_is_marked(tocsin, database, news):
    (told,) = tocsin.ask("articles", "update", news, "--note", "Three ships")
    assert (told["update"], told["says"]) == (1, f"the story of article {news} is new again to everybody: update 1")
    with database.read() as conn:
        assert conn.execute(sa.select(Story.update_note)).scalar_one() == "Three ships"


@pytest.mark.parametrize("words", [("break", 99), ("update", 99, "--note", "x"), ("update", 1, "--note", " ")])
def test_what_is_not_there_or_says_nothing_is_refused_in_a_line(tocsin, database, words):
    with database.write() as conn:
        article(conn)
    code, out, err = tocsin("articles", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_a_readers_terms_are_set_and_taken_back(tocsin, database):
    address = "ada@readers.example"
    with database.write() as conn:
        number = reader(conn, "ada")
        values = {"address_hash": keyed_hash(SUPPRESSION_KEY, address)}
        conn.execute(sa.update(Subscriber).where(Subscriber.id == number).values(**values))
    columns = (
        Subscriber.quiet_from,
        Subscriber.quiet_to,
        Subscriber.alert_budget,
        Subscriber.digest_floor,
        Subscriber.below_floor,
    )
    words = ("--quiet", "22:00-7:00", "--budget", "3", "--floor", "2", "--below", "skip")
    assert tocsin("subscribers", "set", address, *words)[0] == 0
    with database.read() as conn:
        assert conn.execute(sa.select(*columns)).one() == ("22:00", "07:00", 3, 2, BelowFloor.SKIP)
    assert tocsin("subscribers", "set", address, "--quiet", "none", "--budget", "none")[0] == 0
    with database.read() as conn:
        assert conn.execute(sa.select(*columns)).one() == (None, None, None, 2, BelowFloor.SKIP)
    for wrong in (("--quiet", "late"), ("--quiet", "7:00-7:00"), ("--budget", "many"), ()):
        code, _, err = tocsin("subscribers", "set", address, *wrong)
        assert (code, err.count("\n")) == (2, 1)
