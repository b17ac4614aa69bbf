"""Kill -9, FLUSHALL and SIGTERM in the middle of a send: nobody is lost, and nobody gets anything twice.

The books are read past our own code, from the SQLite file, and the mails are counted in the Maildir. Every drill prints
audience, accepted, refused, unknown, lost, duplicated, and the window: how many messages can be in doubt at once.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import psutil
import pytest
import redis

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import STOP_WITHIN_S, Installation, Running, own_ports, until
from tests.acceptance.mails import read_mails
from tests.acceptance.slow_line import SlowLine

READERS = 300
CONNECTIONS = 8
DELAY_S = 0.03
PREPARED = 2
WINDOW = CONNECTIONS * (1 + PREPARED)
SENT_WITHIN_S = 75.0

TOPICS = """
- slug: storms
  name: {en: Storms}
  query: storm OR hurricane OR gale
"""
# Far apart in their words, so that each is a story of its own.
NEWS = {
    "Storm Una tears the roof off a market hall": "Traders in Leith were counting broken crates by lamplight.",
    "Hurricane Bertil turns north and spares the ports": "Forecasters moved the cone by two hundred miles overnight.",
    "Gale stops every ferry to the outer islands": "Sheep at the auction in Stornoway had to wait for a buyer.",
    "Ice storm fells nine hundred pylons": "Linemen from three provinces were asked to bring their own chainsaws.",
    "Dust storm turns noon to night over the railway": "Drivers stopped their engines where the signals vanished.",
    "Geomagnetic storm silences aircraft radios": "Controllers sent positions by telephone for forty minutes.",
    "Storm surge salts the rice fields of the delta": "Seedlings that were planted last week have turned white.",
    "Hailstorm breaks the greenhouses of a whole valley": "An orchid grower swept up eleven tonnes of glass.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reckoning:
    """What became of one edition."""

    audience: int
    accepted: int
    refused: int
    unknown: int
    lost: int
    duplicated: int
    doubted: int
    tried_again: int

    def __str__(self) -> str:
        """One line."""
        return (
            f"audience={self.audience} accepted={self.accepted} refused={self.refused} unknown={self.unknown} "
            f"lost={self.lost} duplicated={self.duplicated} doubted={self.doubted} tried_again={self.tried_again} "
            f"window={WINDOW}"
        )


class Newsroom:
    """An installation with many readers of one topic, and a slow line between its workers and its inbox."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        self._news = iter(NEWS.items())
        self._running: Running | None = None

    def up(self) -> Running:
        """Return its running `tocsin up`; start it unless it runs already."""
        if self._running is None or self._running.process.poll() is not None:
            self._running = self.house.start("up")
            self.house.wait_until_ready(self._running)
        return self._running

    def stop(self) -> None:
        """Stop it if it runs."""
        if self._running is not None:
            self._running.stop()

    def publish(self) -> str:
        """Push the next story, and return its title."""
        title, body = next(self._news)
        answer = self.house.post("/api/v1/articles", {"title": title, "body": body})
        assert answer.status_code in {201, 202}, answer.text
        return title

    def sent(self) -> int:
        """Count the mails in the inbox."""
        return sum(1 for _ in (self.house.home / "inbox" / "new").iterdir())

    def wait_for_mails(self, count: int) -> None:
        """Wait until the inbox holds so many mails."""
        until(lambda: self.sent() >= count, within_s=SENT_WITHIN_S, what=f"{count} mails", tell=self.house.logs)

    def publish_and_wait_for_the_middle(self) -> str:
        """Push a story, and return when part of its readers have it."""
        before = self.sent()
        title = self.publish()
        self.wait_for_mails(before + READERS // 5)
        assert self.sent() < before + READERS * 4 // 5, "the send is too fast to be disturbed"
        return title

    def edition(self, title: str) -> int:
        """Return the alert that tells of a story."""
        ((edition,),) = self.house.query(
            "SELECT DISTINCT d.edition_id FROM delivery d JOIN content_story s ON s.content_id = d.content_id "
            "JOIN article a ON a.story_id = s.story_id WHERE a.title = ?",
            title,
        )
        return int(edition)

    def finish(self, title: str) -> Reckoning:
        """Wait until a story's alert is finished, and draw up its account."""
        edition = self.edition(title)

        def is_finished() -> bool:
            return self.house.query("SELECT status FROM edition WHERE id = ?", edition) == [("finished",)]

        until(is_finished, within_s=SENT_WITHIN_S, what=f"{title} is finished", tell=lambda: self.tell(edition))
        reckoning = self.reckon(title)
        sys.stdout.write(f"\n{title}: {reckoning}\n")
        return reckoning

    def reckon(self, title: str) -> Reckoning:
        """Count, in the books and in the inbox."""
        edition = self.edition(title)
        states = dict(self.house.query("SELECT state, count(*) FROM delivery WHERE edition_id = ? GROUP BY 1", edition))
        ids = {name for (name,) in self.house.query("SELECT message_id FROM delivery WHERE edition_id = ?", edition)}
        came = Counter(mail.id.strip("<>") for mail in read_mails(self.house.home / "inbox") if title in mail.subject)
        assert set(came) <= ids
        doubted = "SELECT count(DISTINCT a.delivery_id) FROM attempt a JOIN delivery d ON d.id = a.delivery_id"
        ((doubts,),) = self.house.query(f"{doubted} WHERE a.outcome = 'reply_lost' AND d.edition_id = ?", edition)
        ((again,),) = self.house.query("SELECT count(*) FROM delivery WHERE attempts > 1 AND edition_id = ?", edition)
        return Reckoning(
            audience=len(ids),
            accepted=states.get("accepted", 0),
            refused=states.get("refused", 0),
            unknown=states.get("unknown", 0),
            lost=len(ids - set(came)),
            duplicated=sum(count - 1 for count in came.values()),
            doubted=doubts,
            tried_again=again,
        )

    def tell(self, edition: int) -> str:
        """Say where an edition stands, for a drill that fails."""
        states = self.house.query("SELECT state, count(*) FROM delivery WHERE edition_id = ? GROUP BY 1", edition)
        batches = self.house.query("SELECT * FROM delivery_batch WHERE edition_id = ?", edition)
        return f"{states}\n{batches}\n{self.house.logs()}"


OpenNewsroom = Callable[..., contextlib.AbstractContextManager[Newsroom]]


@pytest.fixture(scope="module")
def open_newsroom(make_module_installation: MakeInstallation) -> OpenNewsroom:
    """Make a newsroom with a slow line, in which nothing runs yet, and stop whatever does in the end."""

    @contextlib.contextmanager
    def opened(readers: int = READERS) -> Iterator[Newsroom]:
        ports = own_ports()
        with SlowLine(int(ports["TOCSIN_INBOX_PORT"]), delay_s=DELAY_S) as line:
            house = make_module_installation(**ports)
            maildir = quote(str(house.home / "inbox"))
            way = f"inbox://127.0.0.1:{line.port}?maildir={maildir}&connections={CONNECTIONS}&prepared={PREPARED}"
            house.environment["TOCSIN_TRANSPORTS"] = way
            fill(house, readers)
            newsroom = Newsroom(house)
            try:
                yield newsroom
            finally:
                newsroom.stop()

    return opened


def fill(house: Installation, readers: int) -> None:
    topics, people = house.folder / "topics.yaml", house.folder / "readers.csv"
    topics.write_text(TOPICS, encoding="utf-8")
    lines = [f"r{number}@reader.example,,en,Europe/London,storms,immediate," for number in range(readers)]
    people.write_text("\n".join(["email,name,locale,timezone,topics,cadence,at", *lines, ""]), encoding="utf-8")
    house.migrated()
    house.told("topics", "import", topics)
    house.told("subscribers", "import", people, "--confirmed")


@pytest.fixture(scope="module")
def newsroom(open_newsroom: OpenNewsroom) -> Iterator[Newsroom]:
    with open_newsroom() as newsroom:
        yield newsroom


def kill_worker(up: Running, queue: str, *, child_only: bool = False) -> None:
    """Kill a worker with its pool child, the child first: it would otherwise have been asked to end in order."""
    main = up.children()[f"worker --queues {queue}"]
    children = main.children()
    assert children
    for victim in children if child_only else [*children, main]:
        victim.kill()


def assert_everybody_got_it_once(reckoning: Reckoning) -> None:
    assert (reckoning.audience, reckoning.accepted) == (READERS, READERS), reckoning
    assert (reckoning.refused, reckoning.unknown, reckoning.lost) == (0, 0, 0), reckoning
    assert reckoning.duplicated == 0, reckoning  # the inbox can be asked, so that the window is closed too
    assert reckoning.doubted <= WINDOW, reckoning


# They share one house, which each of them finds or makes running -----------------------------------------------------


@pytest.mark.slow
def test_kill_9_of_a_delivery_worker_in_the_middle_of_a_send(newsroom):
    up = newsroom.up()
    title = newsroom.publish_and_wait_for_the_middle()
    kill_worker(up, "alerts")
    assert_everybody_got_it_once(newsroom.finish(title))


@pytest.mark.slow
def test_kill_9_of_a_delivery_worker_and_flushall_at_the_same_moment(newsroom):
    up = newsroom.up()
    title = newsroom.publish_and_wait_for_the_middle()
    with redis.Redis(port=newsroom.house.port("BROKER")) as broker:
        kill_worker(up, "alerts")
        assert broker.flushall()
    assert_everybody_got_it_once(newsroom.finish(title))


@pytest.mark.slow
def test_kill_9_at_the_top_ends_all_below_and_the_next_start_finishes(newsroom):
    up = newsroom.up()
    title = newsroom.publish_and_wait_for_the_middle()
    family = up.everybody()
    up.process.kill()
    up.process.wait(5)
    started_s = time.monotonic()
    _, left = psutil.wait_procs(family, timeout=STOP_WITHIN_S)
    assert not left, f"after {STOP_WITHIN_S:g} s: {left}"
    sys.stdout.write(f"\nall children gone {time.monotonic() - started_s:.1f} s after the supervisor's kill -9\n")
    newsroom.up()
    assert_everybody_got_it_once(newsroom.finish(title))


@pytest.mark.slow
def test_sigterm_in_the_middle_of_a_send_leaves_nothing_in_doubt_and_the_next_start_finishes(newsroom):
    up = newsroom.up()
    title = newsroom.publish_and_wait_for_the_middle()
    assert up.stop(signal.SIGTERM) < STOP_WITHIN_S
    assert up.process.returncode == 0, up.said
    stopped = newsroom.reckon(title)
    assert stopped.accepted == READERS - stopped.lost, "what was on the wire when we stopped was not waited for"
    assert 0 < stopped.lost < READERS
    in_doubt = newsroom.house.query("SELECT id, state FROM delivery WHERE state IN ('leased', 'committing', 'unknown')")
    assert not in_doubt
    newsroom.up()
    finished = newsroom.finish(title)
    assert_everybody_got_it_once(finished)
    assert (finished.doubted, finished.tried_again) == (0, 0)


# Longer ones ---------------------------------------------------------------------------------------------------------


@pytest.mark.drill
def test_kill_9_of_the_pool_child_alone_again_and_again(open_newsroom):
    with open_newsroom() as newsroom:
        up = newsroom.up()
        for _ in range(3):
            title = newsroom.publish_and_wait_for_the_middle()
            kill_worker(up, "alerts", child_only=True)
            assert_everybody_got_it_once(newsroom.finish(title))


@pytest.mark.drill
def test_kill_9_again_and_again_in_one_send(open_newsroom):
    kills = 3
    with open_newsroom() as newsroom:
        up = newsroom.up()
        title = newsroom.publish()
        for number in range(1, kills + 1):
            newsroom.wait_for_mails(READERS * number // (kills + 1))
            kill_worker(up, "alerts")
        reckoning = newsroom.finish(title)
    assert (reckoning.accepted, reckoning.lost, reckoning.duplicated) == (READERS, 0, 0), reckoning
    assert reckoning.doubted <= kills * WINDOW, reckoning


@pytest.mark.drill
def test_kill_9_of_the_control_worker_while_it_plans_and_two_beats(open_newsroom):
    crowd = 5_000
    with open_newsroom(readers=crowd) as newsroom, newsroom.house.start("beat"):
        house, up = newsroom.house, newsroom.up()
        title = newsroom.publish()
        planned = "SELECT count(*) FROM delivery d JOIN edition e ON e.id = d.edition_id WHERE e.status = 'planning'"
        until(lambda: house.query(planned)[0][0], within_s=30, what="planning is under way", tell=house.logs)
        kill_worker(up, "control")
        assert house.query(planned)[0][0] < crowd, "planning was too fast to be disturbed"
        edition = newsroom.edition(title)
        fixed = "SELECT audience FROM edition WHERE status <> 'planning' AND id = ?"
        until(lambda: house.query(fixed, edition), within_s=60, what="the audience is fixed", tell=house.logs)
        assert house.query(fixed, edition) == [(crowd,)]
        rows = "SELECT count(*), count(DISTINCT subscriber_id), count(DISTINCT edition_id) FROM delivery"
        assert house.query(rows) == [(crowd, crowd, 1)]


@pytest.mark.drill
def test_kill_9_of_the_receiving_end_in_the_middle_of_a_send(open_newsroom):
    with open_newsroom() as newsroom:
        up = newsroom.up()
        title = newsroom.publish_and_wait_for_the_middle()
        up.children()["inbox"].kill()
        assert_everybody_got_it_once(newsroom.finish(title))


@pytest.mark.drill
def test_kill_9_of_the_broker_in_the_middle_of_a_send_and_news_after_it(open_newsroom):
    with open_newsroom() as newsroom:
        up = newsroom.up()
        title = newsroom.publish_and_wait_for_the_middle()
        (broker,) = [child for words, child in up.children().items() if "broker" in words]
        for victim in [*broker.children(), broker]:
            victim.kill()
        assert_everybody_got_it_once(newsroom.finish(title))
        newsroom.house.wait_until_ready(up)
        assert_everybody_got_it_once(newsroom.finish(newsroom.publish_and_wait_for_the_middle()))
