"""A whole house under load: `tocsin up` with its Celery workers, a bulk send, and a breaking alert that overtakes it.

Everything is timed by what stands in the database. Decides how the two are made to meet; starts and ends all of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from tests import builders, crowd
from tests.acceptance.houses import API_KEY, CommandLine, Installation, own_ports, until
from tests.bench.delivery import letter
from tests.bench.delivery.room import KEYS, ON_DISK, relay
from tests.databases import Cluster
from worker.lifecycle import OPEN
from worker.model import Cadence, EditionId, EditionStatus, Lane, StoryId
from worker.store.database import Database
from worker.store.schema import Delivery, Edition

CONNECTIONS: Final = 10
_SETTLED_WITHIN_S: Final = 1_800.0
_TOPICS: Final = """
- slug: storms
  name: {en: Storms}
  query: storm OR hurricane OR gale
"""
# Far apart in their words, so that each is a story of its own.
_NEWS: Final = (
    ("Storm Una tears the roof off a market hall", "Traders in Leith were counting broken crates by lamplight."),
    ("Hurricane Bertil turns north and spares the ports", "Forecasters moved the cone by two hundred miles overnight."),
    ("Gale stops every ferry to the outer islands", "Sheep at the auction in Stornoway had to wait for a buyer."),
    ("Ice storm fells nine hundred pylons", "Linemen from three provinces were asked to bring their own chainsaws."),
    ("Dust storm turns noon to night over the railway", "Drivers stopped their engines where the signals vanished."),
    ("Geomagnetic storm silences aircraft radios", "Controllers sent positions by telephone for forty minutes."),
    ("Storm surge salts the rice fields of the delta", "Seedlings that were planted last week have turned white."),
    ("Hailstorm breaks the greenhouses of a whole valley", "An orchid grower swept up eleven tonnes of glass."),
)
MOST_ROUNDS: Final = len(_NEWS) // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a house did: its bulk rate, and seconds from the push to the last acceptance of each alert."""

    kind: str
    bulk: int
    bulk_rate: float
    alerted: int
    idle_s: Sequence[float]
    busy_s: Sequence[float]


class House:
    """A running installation with two crowds: one follows a quiet topic, one wants alerts."""

    def __init__(self, installation: Installation, database: Database, *, bulk: int, alerted: int) -> None:
        self._house, self._database = installation, database
        self._bulk, self._alerted = bulk, alerted
        self._news = iter(_NEWS)
        self._seen: set[int] = set()
        self._story = self._fill()

    def _fill(self) -> StoryId:
        topics = self._house.folder / "topics.yaml"
        topics.write_text(_TOPICS, encoding="utf-8")
        self._house.told("topics", "import", topics)
        with self._database.write() as conn:
            story = builders.news(conn, builders.topic(conn, "crowd"))
        crowd.add_readers(self._database, self._bulk, topic="crowd", cadence=Cadence.WEEKLY)
        crowd.add_readers(self._database, self._alerted, topic="storms", cadence=Cadence.IMMEDIATE, name="alerted")
        return story

    def plan_bulk(self, count: int) -> EditionId:
        """Plan the ten-story digest; the next sweep rings for it."""
        return crowd.plan_edition(self._database, letter.content(self._story), lane=Lane.BULK, count=count)

    def rate(self, edition: EditionId) -> float:
        """Wait until an edition is through, and return messages a second, from its first commit to its last receipt."""
        self._wait_for(edition)
        with self._database.read() as conn:
            query = sa.select(sa.func.count(), sa.func.min(Delivery.committed_at), sa.func.max(Delivery.accepted_at))
            count, first, last = conn.execute(query.where(Delivery.edition_id == edition)).one()
        assert first is not None
        assert last is not None
        return float(count / (last - first).total_seconds())

    def alert(self) -> float:
        """Push breaking news, and return after how many seconds the last reader's copy was accepted."""
        title, body = next(self._news)
        pushed_s = time.time()
        answer = self._house.post("/api/v1/articles", {"title": title, "body": body, "severity": "breaking"})
        answer.raise_for_status()
        edition = until(self._planned_alert, within_s=120, what="the alert is planned", tell=self._house.logs)
        assert edition is not None
        self._wait_for(edition)
        with self._database.read() as conn:
            query = sa.select(sa.func.count(), sa.func.max(Delivery.accepted_at))
            count, last = conn.execute(query.where(Delivery.edition_id == edition)).one()
        assert last is not None
        assert count == self._alerted, f"{count} of {self._alerted} readers were alerted"
        return float(last.timestamp() - pushed_s)

    def _planned_alert(self) -> EditionId | None:
        """Return the alert that is under way, once its audience is fixed."""
        with self._database.read() as conn:
            query = sa.select(Edition.id).where(Edition.lane == Lane.ALERTS, Edition.audience.is_not(None))
            found = conn.execute(query.where(Edition.id.not_in(self._seen))).scalar()
        if found is None:
            return None
        self._seen.add(found)
        return EditionId(found)

    def is_open(self, edition: EditionId) -> bool:
        """Tell whether an edition has anything left to send."""
        with self._database.read() as conn:
            open_ones = sa.select(Delivery.id).where(Delivery.edition_id == edition, Delivery.state.in_(OPEN))
            return conn.execute(open_ones.limit(1)).first() is not None

    def _wait_for(self, edition: EditionId) -> None:
        until(lambda: not self.is_open(edition), within_s=_SETTLED_WITHIN_S, what="it is sent", tell=self._house.logs)

    def wait_until_begun(self, edition: EditionId) -> None:
        """Wait until something of an edition has been accepted."""
        accepted = sa.select(Delivery.id).where(Delivery.edition_id == edition, Delivery.accepted_at.is_not(None))

        def has_begun() -> bool:
            with self._database.read() as conn:
                return conn.execute(accepted.limit(1)).first() is not None

        until(has_begun, within_s=120, what="the bulk send has begun", tell=self._house.logs)

    def cancel(self, edition: EditionId) -> None:
        """Stop what is left of a bulk send: it has served its purpose."""
        with self._database.write() as conn:
            conn.execute(sa.update(Edition).where(Edition.id == edition).values(status=EditionStatus.PAUSED))


@contextmanager
def opened(folder: Path, kind: str, port: int, *, bulk: int, alerted: int) -> Iterator[House]:
    """Make a house on a kind of database that sends to a port, run it, and end all of it."""
    with ExitStack() as stack:
        settings = {**own_ports(), **KEYS, "TOCSIN_API_KEY": API_KEY, "TOCSIN_GATHER_S": "0", "TOCSIN_SWEEP_S": "1"}
        settings["TOCSIN_TRANSPORTS"] = relay(port, CONNECTIONS)
        if kind == "postgresql":
            cluster = Cluster(**ON_DISK)
            stack.callback(cluster.stop)
            settings["TOCSIN_DATABASE_URL"] = stack.enter_context(cluster.bare())
        commands = CommandLine()
        stack.callback(commands.close)
        place = folder / f"house-{kind}"
        place.mkdir(parents=True)
        installation = Installation(place / "home", commands, settings)
        installation.told("db", "upgrade")
        database = Database(settings.get("TOCSIN_DATABASE_URL", f"sqlite:///{installation.home / 'tocsin.db'}"))
        stack.callback(database.close)
        house = House(installation, database, bulk=bulk, alerted=alerted)
        stack.enter_context(installation.up())
        yield house


def measure(house: House, kind: str, *, bulk: int, alerted: int, rounds: int, say: Callable[[str], None]) -> Told:
    """Measure the bulk rate of a quiet house, then alerts, by turns without and with a bulk send under way."""
    rate = house.rate(house.plan_bulk(min(bulk, 20_000)))
    say(f"{kind}, real workers: {rate:,.0f}/s")
    idle_s, busy_s = [], []
    for _ in range(rounds):
        idle_s.append(house.alert())
        edition = house.plan_bulk(bulk)
        house.wait_until_begun(edition)
        busy_s.append(house.alert())
        assert house.is_open(edition), "the bulk send was over before the alert: make it larger"
        house.cancel(edition)
        say(f"{kind}: an alert to {alerted:,} took {idle_s[-1]:.1f} s, and {busy_s[-1]:.1f} s during a bulk send")
    return Told(kind=kind, bulk=bulk, bulk_rate=rate, alerted=alerted, idle_s=idle_s, busy_s=busy_s)
