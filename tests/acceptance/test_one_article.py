"""A running `tocsin up`: one article in, one mail out; a reader who signs up, and leaves; a feed that gains an item."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation, until
from tests.acceptance.mails import Mail
from tests.http import NO_TLS

WITHIN_S = 30.0
QUIET_S = 3.0  # six sweeps: whatever was going to come has come

TOPICS = """
- slug: volcanoes
  name: {en: Volcanoes}
  query: volcan* OR lava OR eruption
- slug: trains
  name: {en: Trains}
  query: train OR railway
"""
READERS = """email,name,locale,timezone,topics,cadence,at
vera@reader.example,Vera,en,Europe/Rome,volcanoes,immediate,
tom@reader.example,Tom,en,Europe/Rome,trains,immediate,
"""


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Iterator[Installation]:
    """A running installation with two topics, and a reader for each."""
    house = make_module_installation()
    house.followed(TOPICS, READERS)
    with house.up():
        yield house


def wait_until_settled(house):
    """A mail may have come whose receipt is not written down yet."""
    on_the_wire = "SELECT count(*) FROM delivery WHERE state IN ('planned', 'leased', 'committing')"
    until(lambda: house.query(on_the_wire) == [(0,)], within_s=WITHIN_S, what="nothing is on the wire", tell=house.logs)


def wait_for_mail(house: Installation, address: str, subject: str) -> Mail:
    def look() -> list[Mail]:
        return [mail for mail in house.mails_to(address) if subject in mail.subject]

    return until(look, within_s=WITHIN_S, what=f"“{subject}” for {address}", tell=house.logs)[0]


def push(house: Installation, title: str, body: str = "") -> httpx.Response:
    url = "https://courier.example/" + re.sub(r"\W+", "-", title.lower())
    return house.post("/api/v1/articles", {"url": url, "title": title, "body": body})


def link_in(mail: Mail, path: str, house: Installation) -> str:
    """Find a link of ours in a mail, as a reader would."""
    found = re.search(rf"{re.escape(house.url)}/{path}/[\w.-]+", mail.part("plain"))
    assert found, mail.part("plain")
    return found[0]


# One article in, one mail out ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alert(house: Installation) -> Mail:
    answer = push(house, "Etna throws lava over its northern slope", "Flights to Catania were turned away at dawn.")
    assert answer.status_code in {201, 202}, answer.text
    if answer.status_code == 201:
        assert answer.json()["topics"] == ["volcanoes"]
    return wait_for_mail(house, "vera@reader.example", "Etna")


def test_the_follower_of_its_topic_gets_the_article_and_nobody_else_does(house, alert):
    assert alert.subject == "Etna throws lava over its northern slope"
    assert "https://courier.example/etna-throws-lava-over-its-northern-slope" in alert.part("plain")
    assert not [mail for mail in house.mails_to("tom@reader.example") if "Etna" in mail.subject]


def test_the_delivery_is_in_the_books(house, alert):
    (row,) = [row for row in house.ask("deliveries", "list") if f"<{row['message_id']}>" == alert.id]
    assert row["recipient"] == "vera@reader.example"
    assert (row["state"], row["attempts"], row["code"]) == ("accepted", 1, 250)
    (edition,) = house.ask("editions", "show", row["edition"])
    assert (edition["kind"], edition["status"], edition["audience"]) == ("alert", "finished", 1)
    assert edition["conservation"] == {
        "audience": 1,
        "accepted": 1,
        **dict.fromkeys(("refused", "suppressed", "expired", "cancelled", "unknown", "open"), 0),
    }
    (shown,) = house.ask("deliveries", "show", row["id"])
    assert [(attempt["outcome"], attempt["code"]) for attempt in shown["tries"]] == [("accepted", 250)]


def test_pushing_the_same_article_again_sends_nothing(house, alert):
    again = push(house, "Etna throws lava over its northern slope", "Flights to Catania were turned away at dawn.")
    assert again.status_code == 200
    assert again.json()["status"] == "duplicate"
    time.sleep(QUIET_S)
    assert [mail.subject for mail in house.mails_to("vera@reader.example")].count(alert.subject) == 1


def test_the_mail_opens_in_a_browser(house, alert):
    page = httpx.get(link_in(alert, "m", house), verify=NO_TLS)
    assert page.status_code == 200
    assert "Etna throws lava over its northern slope" in page.text


# A reader comes, reads, and leaves -----------------------------------------------------------------------------------


def test_a_reader_signs_up_confirms_reads_and_leaves_with_one_click(house):
    address = "nora@reader.example"
    form = {"email": address, "topics": "trains", "cadence": "immediate", "timezone": "Europe/Oslo", "locale": "en"}
    assert httpx.post(f"{house.url}/subscribe", data=form, verify=NO_TLS).status_code == 200

    question = until(lambda: house.mails_to(address), within_s=WITHIN_S, what="the question", tell=house.logs)[0]
    push(house, "Night train to Narvik returns", "It had not run for nine years.")
    wait_for_mail(house, "tom@reader.example", "Narvik")
    link = link_in(question, "confirm", house)
    wait_until_settled(house)
    before = house.rows()
    assert httpx.get(link, verify=NO_TLS).status_code == 200
    assert httpx.head(link, verify=NO_TLS).status_code == 200
    assert house.rows() == before  # a scanner that follows links has not signed anybody up
    assert house.ask("subscribers", "show", address)[0]["status"] == "pending"
    assert len(house.mails_to(address)) == 1

    assert httpx.post(link, verify=NO_TLS).status_code == 200
    assert house.ask("subscribers", "show", address)[0]["status"] == "active"
    push(house, "Railway bridge at Trondheim closes for a month", "Buses will run instead.")
    alert = wait_for_mail(house, address, "Trondheim")
    assert "because you follow Trains" in " ".join(alert.part("plain").split())

    one_click = alert.header_bytes("List-Unsubscribe").decode().strip("<>")
    assert httpx.get(one_click, verify=NO_TLS).status_code == 200
    assert house.ask("subscribers", "show", address)[0]["follows"], "a GET has unsubscribed"
    assert httpx.post(one_click, data={"List-Unsubscribe": "One-Click"}, verify=NO_TLS).status_code == 200
    push(house, "Train drivers vote for a strike in spring", "The ballot closed on Sunday night.")
    wait_for_mail(house, "tom@reader.example", "strike")
    time.sleep(QUIET_S)
    got = {mail.subject for mail in house.mails_to(address)}
    assert got == {question.subject, "Welcome to The Harbour Courier", alert.subject}  # a click is not answered
    assert len(house.mails_to(address)) == len(got)


# A feed gains an item ------------------------------------------------------------------------------------------------


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server with one feed, and the file that it serves."""
    file = tmp_path / "feed.xml"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed.xml", file
        finally:
            server.shutdown()
            thread.join()


def write_feed(file: Path, *titles: str) -> None:
    date = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><title>{title}</title><link>https://wire.example/{number}</link><guid>{number}</guid>"
        f"<pubDate>{date}</pubDate><description>{title}, our correspondent writes.</description></item>"
        for number, title in enumerate(titles)
    )
    head = "<title>Wire</title><link>https://wire.example/</link><description>News</description>"
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'
    file.write_text(feed, encoding="utf-8")


def test_an_item_that_a_watched_feed_gains_is_alerted_once(house, feed):
    url, file = feed
    write_feed(file, "Parliament debates a sugar tax")
    (added,) = house.ask("sources", "add", url, "--name", "The Wire")

    def polled() -> bool:
        return bool(house.query("SELECT 1 FROM source WHERE id = ? AND last_ok_at IS NOT NULL", added["id"]))

    until(polled, within_s=WITHIN_S, what="the first fetch", tell=house.logs)
    write_feed(file, "Parliament debates a sugar tax", "Kilauea volcano sends ash over two villages")
    alert = wait_for_mail(house, "vera@reader.example", "Kilauea")
    assert "The Wire" in alert.part("plain")
    time.sleep(QUIET_S)
    assert [mail.subject for mail in house.mails_to("vera@reader.example")].count(alert.subject) == 1
    assert not [mail for mail in house.mails() if "sugar" in mail.subject]


# The whole of it -----------------------------------------------------------------------------------------------------


def test_doctor_finds_a_running_installation_well(house):
    findings = {row["part"]: row for row in house.ask("doctor")}
    assert set(findings) >= {"database", "broker", "relays", "workers", "clock", "disk"}
    assert all(row["well"] is True for row in findings.values()), findings


def test_a_second_up_in_the_same_home_is_refused(house):
    refusal = house.tocsin("up").refusal
    assert str(house.home) in refusal
    assert "in use by another tocsin" in refusal


def test_nobody_got_anything_twice(house):
    ids = [mail.id for mail in house.mails()]
    assert len(ids) == len(set(ids))
    (figures,) = house.query("SELECT count(*), sum(state = 'accepted') FROM delivery")
    assert figures == (len(ids), len(ids))
