"""An article's ledger from what is stored: its own moments, and those of the mails that it led to."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests import builders
from tests.integration.conftest import Tocsin
from worker.intake.run_ledger import ledger_of
from worker.lifecycle import State
from worker.model import ArticleId, EditionKind, StoryId
from worker.store import articles
from worker.store.database import Database, now
from worker.store.schema import Article, Delivery

S = timedelta(seconds=1)


@pytest.fixture
def told(database: Database) -> tuple[ArticleId, StoryId]:
    """An article that was matched and alerted to three readers, of whom two have it, and is in a digest that waits."""
    with database.write() as conn:
        at = now(conn) - timedelta(hours=1)
        article, story = builders.article(conn, "Etna throws lava", published_at=at)
        builders.match(conn, article, builders.topic(conn, "volcanoes"))
        conn.execute(
            sa.update(Article).where(Article.id == article).values(seen_at=at + 30 * S, matched_at=at + 31 * S)
        )
        readers = [builders.reader(conn) for _ in range(3)]
        alert = builders.edition(conn, readers, kind=EditionKind.ALERT, story=story)
        builders.edition(conn, readers, story=story)
        for number, reader in enumerate(readers):
            moments = {"matched_at": at + 31 * S, "planned_at": at + 40 * S}
            if number < 2:
                moments |= {"committed_at": at + 41 * S, "accepted_at": at + (42 + 10 * number) * S}
            mine = (Delivery.edition_id == alert, Delivery.subscriber_id == reader)
            state = State.ACCEPTED if number < 2 else State.PLANNED
            conn.execute(sa.update(Delivery).where(*mine).values(state=state, **moments))
    return article, story


def test_the_steps_are_those_of_the_first_alert(database, told):
    found = ledger_of(database, told[0])
    assert found is not None
    shown = found.told()
    assert shown["lag_s"] == {"seen": 30.0, "matched": 1.0, "planned": 9.0, "committed": 1.0, "accepted": 1.0}
    assert (shown["deliveries"], shown["accepted"]) == (3, 2)
    assert shown["last_accepted_at"] - shown["accepted_at"] == 10 * S
    assert shown["median_accepted_at"] == shown["accepted_at"]
    (digest,) = shown["others"]
    assert (digest["kind"], digest["deliveries"], digest["accepted"], digest["accepted_at"]) == ("digest", 3, 0, None)


def test_an_article_that_came_after_the_alert_led_to_none_and_names_the_storys_first(database, told):
    first, story = told
    with database.write() as conn:
        later, _ = builders.article(conn, "Etna throws lava", story=story, outlet="Courier")
    found = ledger_of(database, later)
    assert found is not None
    assert found.told()["deliveries"] == 0
    assert found.told()["story"] == {"id": story, "articles": 2, "first_article": first}


def test_a_change_that_is_matched_again_leaves_the_first_match_in_the_ledger(database, told):
    with database.write() as conn:
        row = articles.by_id(conn, told[0])
        assert row is not None
        assert articles.update_article(
            conn, told[0], revision=1, bands=(), title="Etna is quiet", summary="", body="", reason="changed"
        )
        assert articles.mark_matched(conn, told[0], revision=2)
    found = ledger_of(database, told[0])
    assert found is not None
    assert found.told()["lag_s"]["matched"] == 1.0


def test_the_command_shows_it(tocsin: Tocsin, told):
    (row,) = tocsin.ask("articles", "show", told[0])
    assert row["ledger"]["accepted_at"].endswith("Z")
    assert row["ledger"]["lag_s"]["seen"] == 30.0
    _, out, _ = tocsin("articles", "show", told[0])
    steps = [line.split()[0] for line in out.splitlines() if line.rstrip().endswith(" s")]
    assert steps == ["seen", "matched", "planned", "committed", "accepted"]
    assert "3 alerts, 2 accepted: the first " in out
    assert "3 digests, 0 accepted" in out


def test_where_there_is_no_article_there_is_no_ledger(database):
    assert ledger_of(database, ArticleId(99)) is None
