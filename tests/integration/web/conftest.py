"""The pages' real web server, asked over real sockets."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import builders
from tests.http import NO_TLS
from tests.readers import KeptReaders
from worker.model import EditionKind
from worker.planning.run import plan
from worker.settings import load
from worker.signup.newsletters import NewNewsletter
from worker.signup.run_newsletters import store_newsletters
from worker.signup.run_wishes import fulfil
from worker.signup.wishes import Follow
from worker.store.articles import unmatched
from worker.web import api

from .hubbed import Hubbed, hubbed
from .newspaper import API_KEY, Newspaper, QuietHouse, add_topics, served


@pytest.fixture
def database_url(make_url: Callable[[str], str]) -> str:
    """SQLite is enough for what the pages do; signup's own tests know both databases."""
    return make_url("sqlite")


@pytest.fixture
def make_house(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., QuietHouse]]:
    """Make a house on a migrated database, with settings of the test's own."""
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    houses = []

    def make(**settings: Any) -> QuietHouse:
        defaults = {
            "home": tmp_path / "home",
            "database_url": database_url,
            "secret_keys": "a-key-that-signs-links-in-tests-only",
            "suppression_key": "a-key-that-hashes-addresses-in-tests",
            "api_key": API_KEY,
            "timezone": "Europe/London",
            "form_quickest_s": 0,  # a script types faster than anybody
            "preflight": "off",  # who tests it turns it on
        }
        house = QuietHouse(load(**(defaults | settings)))
        add_topics(house)
        houses.append(house)
        return house

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def open_newspaper(make_house: Callable[..., QuietHouse]) -> Iterator[Callable[..., Newspaper]]:
    """Open a newspaper with settings of the test's own."""
    with ExitStack() as stack:

        def open_it(**settings: Any) -> Newspaper:
            house = make_house(**settings)
            url = stack.enter_context(served(house))
            return Newspaper(house=house, url=url, client=stack.enter_context(httpx.Client(timeout=20, verify=NO_TLS)))

        yield open_it


@pytest.fixture
def newspaper(open_newspaper: Callable[..., Newspaper]) -> Newspaper:
    return open_newspaper()


@pytest.fixture
def matching(newspaper: Newspaper, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A matcher that does what a worker would do, as soon as an article is there: on a busy machine, in a while."""
    monkeypatch.setattr(api, "_MATCHED_WITHIN_S", 60.0)
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            with newspaper.house.database.read() as conn:
                waiting = unmatched(conn, limit=10)
            for article_id in waiting:
                newspaper.house.matcher.match(article_id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def issue(newspaper: Newspaper) -> int:
    """A draft of an issue of three stories, due in half an hour, that needs an editor's word."""
    database = newspaper.house.database
    due_at = builders.time_of(database) + timedelta(minutes=30)
    letter = NewNewsletter.model_validate(
        {
            "slug": "top-10",
            "name": "Top 10 stories",
            "sender": {"name": "The Courier", "address": "top10@courier.example"},
            "schedule": f"FREQ=DAILY;BYHOUR={due_at.hour};BYMINUTE={due_at.minute}",
            "timezone": "UTC",
            "approval": "required",
            "selection": {"minimum": 2, "maximum": 3},
        }
    )
    store_newsletters(database, (letter,), where="n.yaml")
    with database.write() as conn:
        ada = builders.reader(conn, "ada")
        fulfil(conn, ada, [Follow(newsletter="top-10")], timezone="UTC")
        topic = builders.topic(conn, "gulf", en="Gulf")
        for title in ("Anchors", "Boats", "Cranes"):
            builders.news(conn, topic, title=title, outlet=f"Paper of {title}")
    plan(database, newspaper.house.planning_policy)
    with database.read() as conn:
        [draft] = [one for one in builders.all_editions(conn) if one.kind is EditionKind.NEWSLETTER]
    return int(draft.id)


@pytest.fixture
def pushed(make_house: Callable[..., QuietHouse], kept_readers: KeptReaders) -> Iterator[Hubbed]:
    """A house that a WebSub hub can reach."""
    with hubbed(make_house) as opened:
        opened.house.poller._readers = lambda: kept_readers
        yield opened
