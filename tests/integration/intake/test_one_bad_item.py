"""What one item of a document does to us costs no other item of it, no other source, and nobody's server."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa

from tests.contract.sources.scripted_web import Request, reply
from tests.integration.intake.test_polling_at_once import hangs, make_poller, serving, until  # noqa: F401  fixtures
from tests.integration.intake.test_polling_at_once import watch as watched_at
from tests.integration.intake.test_taking_in import intake, poller, rss, served, watch  # noqa: F401  fixtures
from worker.errors import ConfigurationError
from worker.intake import run, run_taking
from worker.model import ParsedArticle
from worker.store import sources
from worker.store.schema import Article

DRAWN = random.Random(8)


def titles(database) -> list[str]:
    with database.read() as conn:
        return sorted(conn.execute(sa.select(Article.title)).scalars())


def source_of(database, source_id):
    with database.read() as conn:
        return sources.by_id(conn, source_id)


@pytest.mark.parametrize("part", ["/", "/?q=", "/#!"])
def test_an_address_that_is_long_beyond_any_index_is_stored_and_known_again(database, intake, part):  # noqa: F811  the fixture
    source = source_of(database, watch(database, "https://courier.example/feed"))
    one, other = ("".join(chr(DRAWN.randrange(0xAC00, 0xD7A3)) for _ in range(1_900)) for _ in range(2))

    def told(words: str, scheme: str = "https") -> ParsedArticle:
        return ParsedArticle(url=f"{scheme}://courier.example{part}{words}", title="Ports agree", body=words[:50])

    first = intake.take_feed(source, [told(one), told(other)])
    assert (first.new, first.refused, first.broken) == (2, 0, 0)
    again = intake.take_feed(source, [told(one, "http"), told(other)])
    assert (again.new, again.articles) == (0, ())


def test_an_item_that_breaks_us_costs_no_other_and_is_taken_in_when_the_defect_is_gone(
    database,
    poller,  # noqa: F811  the fixture
    monkeypatch,
):
    take_in = run_taking.take_in

    def stumble(conn, items, *given, **within):
        if any(one.told.article.title == "Second" for one in items):
            raise ValueError("a defect of ours")
        return take_in(conn, items, *given, **within)

    feed = rss(("1", "First"), ("2", "Second"), ("3", "Third"))
    with served(lambda _: (200, feed)) as url:
        source_id = watch(database, url)
        with monkeypatch.context() as patched:
            patched.setattr(run, "take_in", stumble)
            assert len(poller.poll(source_id)) == 2
        assert titles(database) == ["First", "Third"]
        assert source_of(database, source_id).failures == 0
        assert len(poller.poll(source_id)) == 1, "though the document is as it was"
    assert titles(database) == ["First", "Second", "Third"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_is_not_asked_without_pause_while_what_it_tells_cannot_be_stored(
    database,
    make_poller,  # noqa: F811  the fixture
    monkeypatch,
):
    def full(*_: object) -> None:
        raise ConfigurationError("too many connections")

    asked: list[Request] = []

    async def answer(request, writer) -> None:
        asked.append(request)
        await reply(200, rss(("1", "First")))(request, writer)

    monkeypatch.setattr(run, "take_in", full)
    with serving({"/": answer}) as web:
        source_id = watched_at(database, web, "courier")
        before = source_of(database, source_id)
        make_poller().poll(source_id)
    after = source_of(database, source_id)
    assert len(asked) == 1
    assert after.claimed_until is None
    assert (after.failures, after.etag, after.body_hash, after.last_polled_at) == (0, "", "", None)
    assert (after.next_poll_at - before.next_poll_at).total_seconds() >= 30
