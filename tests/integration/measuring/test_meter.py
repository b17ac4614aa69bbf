"""The figures as they are kept: written down together, added up, never lost to a database that is away for a while."""

from __future__ import annotations

import functools
import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from tests import builders
from worker.measures import Measure, Visitor
from worker.measuring.classify import Asked
from worker.measuring.run import LEAST_READERS, Meter
from worker.measuring.window import JUDGED_AFTER_S
from worker.model import EditionId
from worker.store import editions, measurements

BROWSER = Asked(agent="Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0")
NOBODY = dict.fromkeys(Visitor, 0)


class Clock:
    """Seconds, as a test says."""

    def __init__(self) -> None:
        self.at_s = 1_000.0

    def __call__(self) -> float:
        return self.at_s


def readers(conn, count=LEAST_READERS):
    return [builders.reader(conn) for _ in range(count)]


@pytest.fixture
def send(database):
    """An edition, made a minute ago, and two articles of the story in it."""
    with database.write() as conn:
        one, story = builders.article(conn, title="one", url="https://a.example/one")
        two, _ = builders.article(conn, title="two", url="https://a.example/two", story=story)
        edition = builders.edition(conn, readers(conn), story=story)
    builders.set_clock(database, ahead=timedelta(minutes=1))
    return edition, one, two


@pytest.fixture
def make_meter(database):
    """Meters whose own thread never comes to write anything."""
    made = []

    def make(clock, *measures):
        meter = Meter(database, measures=measures or tuple(Measure), clock=clock)
        made.append(meter)
        return meter

    yield make
    for meter in made:
        meter.close()


def totals(database, edition):
    with database.read() as conn:
        return measurements.totals(conn, edition)


def test_what_is_counted_is_written_down_once_it_is_judged_and_added_to_what_is_there(database, send, make_meter):
    edition, one, two = send
    clock = Clock()
    meters = [make_meter(clock), make_meter(clock)]  # of two processes
    for number, meter in enumerate(meters):
        assert meter.click(edition, one, BROWSER, address=f"203.0.113.{number}") == "https://a.example/one"
        meter.open(edition, Asked(agent="Mozilla/5.0"), address="203.0.113.9")
        meter.flush()
    assert totals(database, edition) == {}
    clock.at_s += JUDGED_AFTER_S
    for meter in meters:
        meter.flush()
        meter.flush()
    meters[0].click(edition, two, BROWSER, address="203.0.113.1")
    meters[0].flush(everything=True)
    assert totals(database, edition) == {
        Measure.CLICKS: NOBODY | {Visitor.PERSON: 3},
        Measure.OPENS: NOBODY | {Visitor.PREFETCH: 2},
    }
    with database.read() as conn:
        links = measurements.by_link(conn, edition)
        hours = measurements.by_hour(conn, edition)
    assert [(link.article, link.url, link.counts[Visitor.PERSON]) for link in links] == [
        (one, "https://a.example/one", 2),
        (two, "https://a.example/two", 1),
    ]
    assert sum(hour.counts[Visitor.PERSON] for hour in hours) == 3
    assert all(hour.hour.minute == hour.hour.second == hour.hour.microsecond == 0 for hour in hours)
    assert meters[0].totals()[Measure.CLICKS, Visitor.PERSON] == 2


def test_the_parts_of_an_issue_are_told_together(database, send, make_meter):
    edition, one, _ = send
    with database.write() as conn:
        part = builders.edition(conn, readers(conn, 1))
        builders.change_edition(conn, part, parent_id=edition)
    builders.set_clock(database, ahead=timedelta(minutes=2))
    meter = make_meter(Clock())
    for number in (edition, part):
        meter.click(number, one, BROWSER, address="203.0.113.1")
    meter.flush(everything=True)
    assert totals(database, edition)[Measure.CLICKS][Visitor.PERSON] == 2
    assert totals(database, part) == {}


@pytest.mark.parametrize("count", [1, LEAST_READERS - 1])
def test_an_edition_of_few_readers_is_not_counted_for_that_would_be_counting_them(database, make_meter, count):
    with database.write() as conn:
        article, story = builders.article(conn, url="https://a.example/one")
        edition = builders.edition(conn, readers(conn, count), story=story)
    builders.set_clock(database, ahead=timedelta(minutes=1))
    clock = Clock()
    meter = make_meter(clock)
    ask = functools.partial(meter.click, edition, article, BROWSER, address="203.0.113.1")
    assert ask() == "https://a.example/one"
    meter.open(edition, BROWSER, address="203.0.113.1")
    meter.flush(everything=True)
    assert totals(database, edition) == {}
    with database.write() as conn:  # and then the rest of it is planned
        part = builders.edition(conn, readers(conn), story=story)
        builders.change_edition(conn, part, parent_id=edition)
    clock.at_s += 61
    ask()
    meter.flush(everything=True)
    assert totals(database, edition)[Measure.CLICKS][Visitor.PERSON] == 1


def test_links_that_few_of_an_editions_readers_had_are_told_as_one(database, send, make_meter):
    edition, one, _ = send
    with database.write() as conn:  # in a part, so that one mail of the edition tells other stories
        rare, story = builders.article(conn, url="https://a.example/rare")
        rarer, _ = builders.article(conn, url="https://a.example/rarer")
        part = builders.edition(conn, readers(conn, 1), story=story)
        builders.change_edition(conn, part, parent_id=edition)
    builders.set_clock(database, ahead=timedelta(minutes=2))
    meter = make_meter(Clock())
    for number, article in ((edition, one), (part, rare), (part, rarer)):
        assert meter.click(number, article, BROWSER, address=f"203.0.113.{article}").startswith("https://a.example/")
    meter.flush(everything=True)
    with database.read() as conn:
        links = measurements.by_link(conn, edition)
    assert [(link.article, link.counts[Visitor.PERSON]) for link in links] == [(None, 2), (one, 1)]


def test_what_came_in_while_the_database_was_away_is_written_down_later(
    database, send, make_meter, monkeypatch, caplog
):
    edition, one, _ = send
    meter = make_meter(Clock())
    meter.click(edition, one, BROWSER, address="203.0.113.1")

    def away(*_):
        raise OperationalError("INSERT", {}, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(measurements, "add", away)
        meter.flush(everything=True)
    assert "1 requests could not be counted yet (OperationalError)" in caplog.text
    assert totals(database, edition) == {}
    meter.flush()
    assert totals(database, edition)[Measure.CLICKS][Visitor.PERSON] == 1


def test_nothing_is_counted_of_what_nobody_wants_counted_and_its_links_lead_on(database, send, make_meter):
    edition, one, _ = send
    meter = make_meter(Clock(), Measure.OPENS)
    assert meter.click(edition, one, BROWSER, address="203.0.113.1") == "https://a.example/one"
    meter.flush(everything=True)
    assert totals(database, edition) == {}
    assert {measure for measure, _ in meter.totals()} == {Measure.OPENS}


def test_an_edition_that_is_not_there_is_not_counted(make_meter):
    meter = make_meter(Clock())
    meter.open(EditionId(10**9), BROWSER, address="203.0.113.1")
    meter.flush(everything=True)
    assert meter.click(1, 10**9, BROWSER, address="203.0.113.1") == ""
    assert meter.totals()[Measure.OPENS, Visitor.PERSON] == 0


def test_many_threads_lose_nothing(database, send):
    edition, one, _ = send
    meter = Meter(database, measures=tuple(Measure))
    addresses = itertools.count()

    def ask():
        for _ in range(50):
            meter.click(edition, one, BROWSER, address=f"2001:db8::{next(addresses):x}")
            meter.flush()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.close()
    assert totals(database, edition)[Measure.CLICKS][Visitor.PERSON] == 200


def test_clicks_before_an_edition_could_be_read_are_a_robots(database, make_meter):
    with database.write() as conn:
        article, story = builders.article(conn, url="https://a.example/one")
        edition = builders.edition(conn, readers(conn), story=story)
    clock = Clock()
    meter = make_meter(clock)
    meter.click(edition, article, BROWSER, address="203.0.113.1")
    clock.at_s += 60
    meter.click(edition, article, BROWSER, address="203.0.113.2")
    meter.flush(everything=True)
    counted = totals(database, edition)[Measure.CLICKS]
    assert (counted[Visitor.ROBOT], counted[Visitor.PERSON]) == (1, 1)
    with database.read() as conn:
        assert editions.audience_holds(conn)
