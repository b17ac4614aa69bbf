"""Counted links and images, asked over real sockets: where they lead, what is kept, and what is not."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta

import httpx
import pytest

from tests import builders
from tests.http import NO_TLS
from tests.integration.conftest import Tocsin
from worker.measures import TRAP, Measure, Visitor
from worker.measuring.run import LEAST_READERS
from worker.store import measurements
from worker.tokens import Purpose

from .newspaper import API_KEY, Newspaper, served

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0-as-ada-has-it"}
PAGE = "https://paper.example/quake?a=1&b=2"


@pytest.fixture
def paper(open_newspaper):
    """A newspaper that counts."""
    return open_newspaper(measure="clicks opens", trusted_proxies="127.0.0.1")


@pytest.fixture
def off(open_newspaper):
    """A newspaper that does not."""
    return open_newspaper()


def edition_of(newspaper, url=PAGE):
    """Return an edition, made an hour ago, and an article in it."""
    with newspaper.house.database.write() as conn:
        article, story = builders.article(conn, url=url)
        edition = builders.edition(conn, [builders.reader(conn) for _ in range(LEAST_READERS)], story=story)
    builders.set_clock(newspaper.house.database, ahead=timedelta(hours=1))
    return edition, article


def link(newspaper, edition, article):
    return f"/c/{newspaper.house.tokens.sign(Purpose.CLICK, edition, article)}"


def image(newspaper, edition):
    return f"/o/{newspaper.house.tokens.sign(Purpose.OPEN, edition)}.gif"


def counted(newspaper, edition):
    newspaper.house.meter.flush(everything=True)
    with newspaper.house.database.read() as conn:
        return {
            (measure, who): count
            for measure, by in measurements.totals(conn, edition).items()
            for who, count in by.items()
            if count
        }


def test_a_link_leads_to_its_story_and_tells_nobody_where_from(paper):
    edition, article = edition_of(paper)
    answer = paper.get(link(paper, edition, article), headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "set-cookie" not in answer.headers
    assert counted(paper, edition) == {(Measure.CLICKS, Visitor.PERSON): 1}


def test_the_image_is_one_transparent_pixel_that_nobody_keeps(paper):
    edition, _ = edition_of(paper)
    answer = paper.get(image(paper, edition), headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"], len(answer.content)) == (200, "image/gif", 43)
    assert answer.content.startswith(b"GIF89a\x01\x00\x01\x00")
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert counted(paper, edition) == {(Measure.OPENS, Visitor.PERSON): 1}


def test_looking_whether_a_link_works_counts_as_a_robots(paper):
    edition, article = edition_of(paper)
    answer = paper.client.head(paper.url + link(paper, edition, article), headers=BROWSER)
    assert answer.status_code == 302
    assert counted(paper, edition) == {(Measure.CLICKS, Visitor.ROBOT): 1}


@pytest.mark.parametrize("wish", ["DNT", "Sec-GPC"])
def test_who_does_not_want_to_be_counted_gets_there_uncounted(paper, wish):
    edition, article = edition_of(paper)
    assert paper.get(link(paper, edition, article), headers=BROWSER | {wish: "1"}).status_code == 302
    assert paper.get(image(paper, edition), headers=BROWSER | {wish: "1"}).status_code == 200
    assert counted(paper, edition) == {}


def test_a_scanner_that_follows_all_links_at_once_is_no_reader(paper):
    edition, _ = edition_of(paper)
    with paper.house.database.write() as conn:
        articles = [builders.article(conn, url=f"https://paper.example/{n}")[0] for n in range(4)]
    for article in articles:
        paper.get(link(paper, edition, article), headers=BROWSER)
    assert counted(paper, edition) == {(Measure.CLICKS, Visitor.ROBOT): 4}


def test_a_link_that_nobody_sees_gives_a_scanner_away_and_leads_to_the_topics(paper):
    edition, article = edition_of(paper)
    paper.get(link(paper, edition, article), headers=BROWSER)
    hidden = paper.get(link(paper, edition, TRAP), headers=BROWSER)
    assert (hidden.status_code, hidden.headers["location"]) == (302, f"{paper.house.base_url}/topics")
    paper.get(link(paper, edition, article), headers=BROWSER | {"User-Agent": "Firefox of somebody else"})
    assert counted(paper, edition) == {(Measure.CLICKS, Visitor.ROBOT): 1, (Measure.CLICKS, Visitor.PERSON): 1}


def test_forged_links_lead_nowhere_and_ask_the_database_nothing(paper, monkeypatch):
    edition, article = edition_of(paper)
    good = paper.house.tokens.sign(Purpose.CLICK, edition, article)
    unsubscribe = paper.house.tokens.sign(Purpose.UNSUBSCRIBE, edition, article)
    expiry, _, number, signature = good.split(".")
    forged = [
        f"{expiry}.zz.{number}.{signature}",
        f"{good}x",
        "x",
        unsubscribe,
        paper.house.tokens.sign(Purpose.OPEN, edition),
    ]
    monkeypatch.setattr(type(paper.house.meter), "click", None)
    monkeypatch.setattr(type(paper.house.meter), "open", None)
    for token in forged:
        answer = paper.get(f"/c/{token}", headers=BROWSER)
        assert answer.status_code == 404
        assert "location" not in answer.headers
    assert paper.get(f"/o/{good}.gif").status_code == 404


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "//evil.example/", "data:text/html,x"])
def test_a_link_never_leads_to_what_no_mail_may_link_to(paper, url):
    edition, article = edition_of(paper, url=url)
    answer = paper.get(link(paper, edition, article), headers=BROWSER)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_mails_sent_while_clicks_were_counted_go_on_leading_somewhere_for_ever(off):
    edition, article = edition_of(off)
    before = off.snapshot()
    answer = off.get(link(off, edition, article), headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
    assert off.get(image(off, edition), headers=BROWSER).status_code == 200
    assert counted(off, edition) == {}
    assert off.snapshot() == before


def test_nothing_of_whoever_clicks_is_kept_anywhere(paper, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    edition, article = edition_of(paper)
    before = paper.snapshot()
    who = {"X-Forwarded-For": "203.0.113.77", "Referer": "https://webmail.example/ada", "Cookie": "ada=1"}
    for path in (link(paper, edition, article), image(paper, edition)):
        assert paper.get(path, headers=BROWSER | who).status_code < 400
    assert counted(paper, edition)
    after = paper.snapshot()
    assert {name for name in before if before[name] != after[name]} == {"measurement"}
    assert {len(row) for row in after["measurement"]} == {6}
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()) + caplog.text.encode()
    assert kept
    for word in (b"203.0.113.77", b"as-ada-has-it", b"webmail.example", b"ada=1"):
        assert word not in kept


def test_a_mail_in_the_browser_has_plain_links_and_counts_nothing(paper):
    edition, _ = edition_of(paper)
    with paper.house.database.read() as conn:
        [number, *_] = builders.ids_of(conn, edition)
    page = paper.get(f"/m/{paper.house.tokens.sign(Purpose.VIEW, number)}", headers=BROWSER).text
    assert "gazette.example" in page
    assert not re.search(r"/[co]/0\.", page)


def test_a_client_is_told_apart_by_the_address_that_trusted_proxies_tell(paper):
    edition, article = edition_of(paper)
    for number in range(3):
        paper.get(link(paper, edition, article), headers=BROWSER | {"X-Forwarded-For": f"203.0.113.{number}"})
    assert len(paper.house.meter._window._clients) == 3


def test_what_was_counted_is_written_down_when_the_server_stops(make_house):
    house = make_house(measure="clicks")
    with served(house) as url, httpx.Client(verify=NO_TLS) as client:
        paper = Newspaper(house=house, url=url, client=client)
        edition, article = edition_of(paper)
        paper.get(link(paper, edition, article), headers=BROWSER)
    with house.database.read() as conn:
        assert measurements.totals(conn, edition)[Measure.CLICKS][Visitor.PERSON] == 1


def test_the_api_tells_what_was_counted_where_anything_was(paper):
    edition, article = edition_of(paper)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    assert "measured" not in paper.get(f"/api/v1/editions/{edition}", headers=headers).json()
    paper.get(link(paper, edition, article), headers=BROWSER)
    counted(paper, edition)
    told = paper.get(f"/api/v1/editions/{edition}", headers=headers).json()
    assert told["measured"] == {"clicks": {"person": 1, "proxy": 0, "prefetch": 0, "robot": 0}}
    assert told["conservation"]["open"] == LEAST_READERS


def test_prometheus_counts_along(paper):
    edition, article = edition_of(paper)
    paper.get(link(paper, edition, article), headers=BROWSER)
    counted(paper, edition)
    lines = paper.get("/metrics").text
    assert 'tocsin_measured_total{measure="clicks",visitor="person"} 1' in lines


def test_metrics_say_nothing_of_it_where_nothing_is_counted(off):
    assert "tocsin_measured" not in off.get("/metrics").text


def test_the_command_line_shows_the_figures(paper, tocsin: Tocsin):
    edition, article = edition_of(paper)
    [shown] = tocsin.ask("editions", "show", edition)
    assert "measured" not in shown
    assert tocsin.ask("editions", "clicks", edition) == []
    for path in (link(paper, edition, article), image(paper, edition)):
        paper.get(path, headers=BROWSER)
    counted(paper, edition)
    [shown] = tocsin.ask("editions", "show", edition)
    one = {"person": 1, "proxy": 0, "prefetch": 0, "robot": 0}
    assert shown["measured"] == {"clicks": one, "opens": one}
    [by_link] = tocsin.ask("editions", "clicks", edition)
    assert by_link == {"article": article, "title": "Envoy summoned over troops", "url": PAGE, **one}
    hours = tocsin.ask("editions", "clicks", edition, "--by-hour")
    assert [(hour["measure"], hour["person"]) for hour in hours] == [("clicks", 1), ("opens", 1)]
    assert re.fullmatch(r"[\d-]+T\d\d:00:00Z", hours[0]["hour"])
    _, table, _ = tocsin("editions", "show", edition)
    assert re.search(r"clicks by person +1\b", table)
    status, _, said = tocsin("editions", "clicks", 10**9)
    assert status == 2
    assert "there is no edition" in said
    assert json.dumps(shown)
