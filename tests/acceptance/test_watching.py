"""A running `tocsin up` watches feeds: what one gains, or a hub pushes, is in the inbox, and the ledger has each step.

Beside them, one server answers nothing for ever and another is not there: they delay nobody, and are told of.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import API_KEY, Installation, until
from tests.acceptance.mails import Mail
from tests.http import NO_TLS
from tests.websub_hub import Hub, websub_hub

WITHIN_S = 40.0
STEPS = ("published_at", "seen_at", "matched_at", "planned_at", "committed_at", "accepted_at")
TOPICS = "- {slug: volcanoes, name: {en: Volcanoes}, query: volcan* OR lava}\n"
READERS = """email,name,locale,timezone,topics,cadence,at
vera@reader.example,Vera,en,Europe/Rome,volcanoes,immediate,
"""


@dataclass
class Press:
    """A web server with one feed, or one that takes requests and answers none."""

    url: str = ""
    feed: bytes = b""
    hangs: bool = False
    asked: int = 0
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(address: str, *, hangs: bool = False) -> Iterator[Press]:
    """Serve on an address of this machine: a host of its own, as far as polling knows."""
    press = Press(hangs=hangs)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            press.asked += 1
            if press.hangs:
                press.closing.wait(120)
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(press.feed)))
            self.end_headers()
            self.wfile.write(press.feed)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Handler) as server:
        press.url = f"http://{address}:{server.server_port}/feed.xml"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield press
        finally:
            press.closing.set()
            server.shutdown()
            thread.join()


def rss(*titles: str) -> bytes:
    """Write a feed, all of whose items are of this very second."""
    date = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><title>{title}</title><link>https://wire.example/{title.replace(' ', '-')}</link>"
        f"<guid>{title}</guid><pubDate>{date}</pubDate><description>{title}, we hear.</description></item>"
        for title in titles
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>{items}</channel></rss>'.encode()


@dataclass
class Watching:
    """A running house, what it watches, and the sources' numbers."""

    house: Installation
    wire: Press
    stalling: Press
    hub: Hub
    numbers: dict[str, int]

    def health(self, name: str) -> Any:
        (row,) = [row for row in self.house.ask("sources", "list") if row["id"] == self.numbers[name]]
        return row

    def has_read(self, name: str) -> bool:
        number = self.numbers[name]
        return bool(self.house.query("SELECT 1 FROM source WHERE id = ? AND last_ok_at IS NOT NULL", number))


@pytest.fixture(scope="module")
def watching(make_module_installation: MakeInstallation) -> Iterator[Watching]:
    house = make_module_installation()
    house.followed(TOPICS, READERS)
    with socket.socket() as unused:
        unused.bind(("127.0.0.4", 0))
        dead = f"http://127.0.0.4:{unused.getsockname()[1]}/feed.xml"
    with serving("127.0.0.2") as wire, serving("127.0.0.3", hangs=True) as stalling, websub_hub() as hub:
        wire.feed = rss("Parliament debates a sugar tax")
        link = f'<{hub.hub}>; rel="hub", <{hub.topic}>; rel="self"'
        hub.documents["/feed.xml"] = (
            rss("Ferries are late"),
            {"Link": link, "Content-Type": "application/rss+xml"},
        )
        feeds = {"stalling": stalling.url, "dead": dead, "wire": wire.url, "hub": hub.topic}
        numbers = {name: watch(house, name, url) for name, url in feeds.items()}
        with house.up():
            yield Watching(house, wire, stalling, hub, numbers)


def watch(house: Installation, name: str, url: str) -> int:
    (added,) = house.ask("sources", "add", url, "--name", name, "--no-check")
    return int(added["id"])


def wait_for_mail(house: Installation, words: str) -> Mail:
    def look() -> list[Mail]:
        return [mail for mail in house.mails_to("vera@reader.example") if words in mail.subject]

    return until(look, within_s=WITHIN_S, what=f"the mail about {words}", tell=house.logs)[0]


def number_of(house: Installation, title: str) -> int:
    (found,) = [row["id"] for row in house.ask("articles", "list") if row["title"] == title]
    return int(found)


def ledger_by_api(house: Installation, number: int) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    answer = httpx.get(f"{house.url}/api/v1/articles/{number}", headers=headers, timeout=20, verify=NO_TLS)
    assert answer.status_code == 200, answer.text
    ledger: dict[str, Any] = answer.json()["ledger"]
    return ledger


def check_ledger(house: Installation, number: int) -> None:
    """Every step has its moment, in order, and so the API and the command say."""
    until(
        lambda: ledger_by_api(house, number)["accepted_at"],
        within_s=WITHIN_S,
        what="the receipt is written down",
        tell=house.logs,
    )
    told = ledger_by_api(house, number)
    moments = [datetime.fromisoformat(told[step]) for step in STEPS]
    assert moments == sorted(moments), told
    assert set(told["lag_s"]) == {step.removesuffix("_at") for step in STEPS[1:]}
    assert all(span >= 0 for span in told["lag_s"].values()), told
    assert (told["deliveries"], told["accepted"]) == (1, 1)
    (shown,) = house.ask("articles", "show", number)
    assert shown["ledger"]["lag_s"] == told["lag_s"]


def test_an_item_that_a_feed_gains_is_alerted_and_each_of_its_steps_is_in_the_ledger(watching):
    house, wire = watching.house, watching.wire
    until(lambda: watching.has_read("wire"), within_s=WITHIN_S, what="the first fetch", tell=house.logs)
    wire.feed = rss("Parliament debates a sugar tax", "Kilauea volcano sends ash over two villages")
    wait_for_mail(house, "Kilauea")
    check_ledger(house, number_of(house, "Kilauea volcano sends ash over two villages"))
    # All the while somebody hung on the line, and somebody was not there.
    assert watching.stalling.asked >= 1
    assert not watching.stalling.closing.is_set()


def test_an_item_that_a_hub_pushes_is_alerted_and_in_the_ledger(watching):
    house, hub = watching.house, watching.hub
    until(lambda: hub.wishes, within_s=WITHIN_S, what="the hub is asked", tell=house.logs)
    (answer,) = hub.settle()
    assert answer.status_code == 200, answer.text
    pushed = hub.push(hub.wishes[0], rss("Lava reaches the harbour of Grindavik"))
    assert pushed.is_success, pushed.text
    wait_for_mail(house, "Grindavik")  # which the feed itself never held
    check_ledger(house, number_of(house, "Lava reaches the harbour of Grindavik"))


def test_metrics_count_each_step_and_the_sources(watching):
    house = watching.house
    wanted = [("seen", "article"), ("matched", "article"), ("planned", "alert"), ("accepted", "alert")]

    def figures() -> str:
        return httpx.get(f"{house.url}/metrics", timeout=20, verify=NO_TLS).text

    def are_counted() -> bool:
        told = figures()
        return all(f'tocsin_intake_lag_seconds_count{{step="{step}",kind="{kind}"}}' in told for step, kind in wanted)

    until(are_counted, within_s=WITHIN_S, what="each step is counted", tell=figures)
    until(lambda: 'tocsin_sources{state="ok"} 2' in figures(), within_s=WITHIN_S, what="two are well", tell=figures)


def test_a_feed_that_is_not_there_is_told_by_the_list_and_by_doctor(watching):
    house = watching.house
    until(lambda: watching.health("dead")["health_reason"], within_s=WITHIN_S, what="a failure", tell=house.logs)
    assert watching.health("dead")["health"] == "never"
    assert watching.health("wire")["health"] == "ok"
    says = [row["says"] for row in house.ask("doctor", "--no-dns") if row["part"] == "feeds"]
    assert any("dead, has never answered" in line for line in says), says


@pytest.mark.slow
def test_a_server_that_answers_nothing_is_told_of_when_its_time_is_up(watching):
    house = watching.house
    until(lambda: watching.health("stalling")["health_reason"], within_s=60, what="the time-out", tell=house.logs)
    says = [row["says"] for row in house.ask("doctor", "--no-dns") if row["part"] == "feeds"]
    assert any("stalling, has never answered" in line for line in says), says
