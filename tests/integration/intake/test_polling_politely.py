"""Politeness as a server sees it: what it is asked, and how it is left alone, move by move."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from tests.contract.sources.scripted_web import Answer, Request, reply
from tests.integration.intake.test_polling_at_once import serving
from tests.integration.intake.test_taking_in import intake, poller, rss, watch  # noqa: F401  two are fixtures
from worker.feeds import SourceState
from worker.intake.run_polling import Poller
from worker.model import SourceId
from worker.store import sources
from worker.store.database import Database, now

FEED = rss(("1", "First"), ("2", "Second"))


class Watched:
    """A source that is polled again and again, on other days."""

    def __init__(self, database: Database, poller: Poller, url: str) -> None:  # noqa: F811  the fixture's name
        self._database, self._poller = database, poller
        self.id: SourceId = watch(database, url)

    def poll(self) -> Row[Any]:
        """Poll it now, and return its row."""
        self._poller.poll(self.id)
        return self.row

    @property
    def row(self) -> Row[Any]:
        with self._database.read() as conn:
            found = sources.by_id(conn, self.id)
        assert found is not None
        return found

    def let_pass(self, time: timedelta, *columns: str) -> None:
        """Have so much time passed since the moments in these columns."""
        moments = {column: getattr(self.row, column) - time for column in columns}
        with self._database.write() as conn:
            sources.change(conn, self.id, **moments)


def test_a_source_that_says_for_a_day_that_it_has_moved_is_watched_where_it_is(database, poller):  # noqa: F811  fixture
    answers = {"/old": reply(301, Location="/new"), "/new": reply(200, FEED, ETag='"1"')}
    with serving(answers) as web:
        source = Watched(database, poller, web.url + "/old")
        assert source.poll().moved_to == web.url + "/new"
        source.poll()
        source.let_pass(timedelta(days=1), "moved_since")
        row = source.poll()
        assert (row.url, row.moved_to, row.failures) == (web.url + "/new", "", 0)
        source.poll()
        asked = [request.path + "?" * ("if-none-match" in request.headers) for request in web.requests]
    assert asked == ["/old", "/new", "/old?", "/new?", "/old", "/new", "/new?"]  # the third time as a whole


def test_a_source_whose_domain_was_given_up_stays_where_it_was_and_is_in_trouble(database, poller):  # noqa: F811  as above
    parked = b"<!doctype html><html><title>This domain is for sale</title><body>Call us</body></html>"
    with serving({"/feed": reply(200, FEED)}) as web:
        source = Watched(database, poller, web.url + "/feed")
        source.poll()
        web.answers |= {
            "/feed": reply(301, Location="/parked"),
            "/parked": reply(200, parked, Content_Type="text/html"),
        }
        row = source.poll()
    assert (row.url, row.failures) == (web.url + "/feed", 1)
    assert "HTML" in row.last_error or "web page" in row.last_error


def test_a_server_that_says_not_modified_for_ever_is_asked_for_the_whole_once_a_day(database, poller):  # noqa: F811  as above
    async def stuck(request: Request, writer: asyncio.StreamWriter) -> None:
        answer: Answer = reply(304) if "if-none-match" in request.headers else reply(200, FEED, ETag='"1"')
        await answer(request, writer)

    with serving({"/feed": stuck}) as web:
        source = Watched(database, poller, web.url + "/feed")
        statuses = [source.poll().last_status, source.poll().last_status]
        source.let_pass(timedelta(days=1), "refreshed_at")
        statuses.append(source.poll().last_status)
    assert statuses == [200, 304, 200]


def test_a_source_that_is_gone_is_believed_the_second_time_and_asked_no_more(database, poller):  # noqa: F811  as above
    with serving({"/feed": reply(410)}) as web:
        source = Watched(database, poller, web.url + "/feed")
        row = source.poll()
        assert (row.state, row.next_poll_at - row.last_polled_at >= timedelta(hours=1)) == (SourceState.ACTIVE, True)
        source.let_pass(timedelta(hours=1), "last_polled_at")
        row = source.poll()
    assert (row.state, row.next_poll_at) == (SourceState.GONE, None)
    assert "410" in row.state_reason


def test_a_server_that_chokes_on_its_own_validators_or_is_overrun_gets_what_it_needs(database, poller):  # noqa: F811  as above
    async def choking(request: Request, writer: asyncio.StreamWriter) -> None:
        await (reply(400) if "if-none-match" in request.headers else reply(200, FEED, ETag='"1"'))(request, writer)

    with serving({"/feed": choking}) as web:
        source = Watched(database, poller, web.url + "/feed")
        assert [source.poll().last_status for _ in range(3)] == [200, 400, 200]
        web.answers["/feed"] = reply(503, Retry_After="7200")
        row = source.poll()
        with database.read() as conn:
            assert row.next_poll_at > now(conn) + timedelta(minutes=119)
