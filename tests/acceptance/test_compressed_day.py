"""The system at work through a day with an outage in it: mails come at their times, no story is lost or doubled."""

from __future__ import annotations

import itertools
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.compressed import STEP, CompressedDay
from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # whichever test is first waits for the day

STEPS: Final = 48
OUTAGE: Final = range(19, 27)  # 09:30 to 13:30
NEWS_EVERY: Final = 3
TOPICS: Final = """
- {slug: volcanoes, name: {en: Volcanoes}, query: volcano OR lava OR eruption}
- {slug: trains, name: {en: Trains}, query: train OR railway}
"""
READERS: Final = """email,name,locale,timezone,topics,cadence,at
vera@reader.example,Vera,en,Europe/Rome,volcanoes,immediate,
quincy@reader.example,Quincy,en,America/New_York,volcanoes,immediate,
bud@reader.example,Bud,ko,Asia/Seoul,volcanoes;trains,immediate,
dora@reader.example,Dora,ko,Asia/Seoul,volcanoes;trains,daily,07:00
stan@reader.example,Stan,en,Europe/Berlin,volcanoes;trains,daily,07:00;18:30
hugo@reader.example,Hugo,en,Etc/UTC,trains,hourly,
"""
FOLLOWED: Final = {
    "vera": {"volcanoes"},
    "quincy": {"volcanoes"},
    "bud": {"volcanoes", "trains"},
    "dora": {"volcanoes", "trains"},
    "stan": {"volcanoes", "trains"},
    "hugo": {"trains"},
}
TIMES: Final = {"dora": {time(7)}, "stan": {time(7), time(18, 30)}}
NIGHT: Final = (time(22), time(7))  # Quincy's
BUDGET: Final = 2  # Bud's
NEWS: Final = (
    ("volcanoes", "Lava crosses the coast road at Grindavik", "Farmers led their horses away before dawn."),
    ("trains", "Night train to Lisbon runs again after ten years", "Sleepers sold out within an hour of the bell."),
    ("volcanoes", "Popocatepetl ash closes Puebla airport", "The eruption was heard as far as Cholula's market."),
    ("trains", "Railway bridge over the Forth repainted in record time", "Painters credit an unusually dry October."),
    ("volcanoes", "Divers map an eruption below Santorini harbour", "Warm vents feed crabs that nobody had described."),
    ("trains", "Driverless train halts for a swan in Basel", "Commuters applauded when it finally walked off."),
    ("volcanoes", "Mayon bakers sell bread shaped like a volcano", "Cinnamon stands in for smoke at the summit."),
    ("trains", "Rome closes a railway museum nobody visited", "Its last ticket was torn eleven months ago."),
    ("volcanoes", "Tonga cable repaired after underwater eruption", "Banks reopened and queues reached the pier."),
    ("trains", "Siberian railway workers dig up a mammoth tusk", "It will be shown in Omsk beside a steam shovel."),
    ("volcanoes", "Villarrica lava melts a glacier into the lake", "Anglers report milky water and fat trout."),
    ("trains", "Students restore a steam train in Pune", "The whistle came from a retired engine driver."),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """A mail that left the house."""

    reader: str
    kind: str
    due_at: datetime
    accepted_at: datetime
    stories: frozenset[str]


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Installation:
    """An installation after such a day."""
    house = make_module_installation()
    topics, readers = house.folder / "topics.yaml", house.folder / "readers.csv"
    topics.write_text(TOPICS, encoding="utf-8")
    readers.write_text(READERS, encoding="utf-8")
    house.told("db", "upgrade")
    day = CompressedDay(house)
    house.told("topics", "import", topics)
    house.told("subscribers", "import", readers, "--confirmed")
    house.told("subscribers", "set", "quincy@reader.example", "--quiet", "22:00-07:00")
    house.told("subscribers", "set", "bud@reader.example", "--budget", BUDGET)
    live_through(house, day)
    return house


def live_through(house: Installation, day: CompressedDay) -> None:
    news = iter(NEWS)
    with house.start("up") as running:
        house.wait_until_ready(running)
        for step in range(OUTAGE.start):
            tell_news(house, day, news, step)
        push(house, *next(news))
        running.stop(signal.SIGKILL)  # with an article in hand
    for _ in OUTAGE:
        day.pass_by()
    with house.start("up") as running:
        house.wait_until_ready(running)
        day.rest()
        for step in range(OUTAGE.stop, STEPS + 1):
            tell_news(house, day, news, step)


def tell_news(house: Installation, day: CompressedDay, news: Iterator[tuple[str, str, str]], step: int) -> None:
    if step % NEWS_EVERY == 0 and (told := next(news, None)):
        push(house, *told)
    day.rest()
    day.advance()


def push(house: Installation, topic: str, title: str, body: str) -> None:
    url = "https://courier.example/" + title.lower().replace(" ", "-")
    answer = house.post("/api/v1/articles", {"url": url, "title": title, "body": body})
    assert answer.status_code in {201, 202}, answer.text
    if answer.status_code == 201:
        assert answer.json()["topics"] == [topic]


@pytest.fixture(scope="module")
def copies(house: Installation) -> list[Copy]:
    """All mails of that day, in their order."""
    rows = house.query(
        "SELECT d.id, r.email, e.kind, e.due_at, d.accepted_at FROM delivery d JOIN edition e ON e.id = d.edition_id"
        " JOIN subscriber r ON r.id = d.subscriber_id WHERE d.state = 'accepted' ORDER BY d.accepted_at, d.id"
    )
    titles: dict[int, set[str]] = {}
    for delivery, title in house.query(
        "SELECT d.id, a.title FROM delivery d JOIN content_story s ON s.content_id = d.content_id"
        " JOIN article a ON a.story_id = s.story_id"
    ):
        titles.setdefault(delivery, set()).add(title)
    return [
        Copy(
            reader=email.partition("@")[0],
            kind=kind,
            due_at=moment(due_at),
            accepted_at=moment(accepted_at),
            stories=frozenset(titles.get(delivery, ())),
        )
        for delivery, email, kind, due_at, accepted_at in rows
    ]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def zone_of(house: Installation, reader: str) -> ZoneInfo:
    return ZoneInfo(house.query("SELECT timezone FROM subscriber WHERE email = ?", f"{reader}@reader.example")[0][0])


def test_nothing_is_open_and_nobody_is_lost(house):
    for edition in house.ask("editions", "list"):
        (shown,) = house.ask("editions", "show", edition["id"])
        kept = shown["conservation"]
        assert kept["audience"] == sum(count for what, count in kept.items() if what != "audience"), shown
        assert kept["unknown"] == 0, shown


def test_every_story_comes_once_or_its_reason_is_recorded(house, copies):
    stories = dict(house.query("SELECT title, story_id FROM article"))
    assert set(stories) == {title for _, title, _ in NEWS}
    assert len(set(stories.values())) == len(NEWS)
    for reader, topics in FOLLOWED.items():
        shown = Counter(title for copy in copies if copy.reader == reader for title in copy.stories)
        wanted = {title for topic, title, _ in NEWS if topic in topics}
        assert set(shown) <= wanted
        assert not [title for title, count in shown.items() if count > 1], reader
        for title in wanted - set(shown):
            assert reason_of(house, reader, stories[title]), f"{reader} never got “{title}”"


def reason_of(house: Installation, reader: str, story: int) -> str:
    """Return why a story has not come yet: owed, or after the reader's last digest of the day."""
    email = f"{reader}@reader.example"
    owed = house.query(
        "SELECT why FROM owed_story JOIN subscriber ON id = subscriber_id WHERE email = ? AND story_id = ?",
        email,
        story,
    )
    ahead = house.query(
        "SELECT 'next digest' FROM subscription s JOIN topic_story t ON t.topic_id = s.topic_id"
        " JOIN subscriber r ON r.id = s.subscriber_id WHERE r.email = ? AND t.story_id = ?"
        " AND s.cadence <> 'immediate' AND s.cursor < t.match_seq",
        email,
        story,
    )
    return next((why for (why,) in [*owed, *ahead]), "")


def test_the_inbox_has_each_story_of_each_reader_once_too(house):
    for reader in FOLLOWED:
        texts = [" ".join(mail.part("plain").split()) for mail in house.mails_to(f"{reader}@reader.example")]
        for _, title, _ in NEWS:
            assert sum(title in text for text in texts) <= 1, (reader, title)


def test_digests_come_at_their_readers_own_times_and_once(house, copies):
    for reader, times in TIMES.items():
        zone, digests = zone_of(house, reader), [c for c in copies if c.reader == reader and c.kind == "digest"]
        assert digests, reader
        assert {copy.due_at.astimezone(zone).time() for copy in digests} <= times
        assert len({copy.due_at for copy in digests}) == len(digests)
        for copy in digests:
            late = copy.accepted_at - copy.due_at
            assert late < STEP, (reader, late)  # no such time fell into the outage


def test_hourly_runs_missed_in_the_outage_are_made_up_once(copies):
    digests = [copy for copy in copies if copy.reader == "hugo"]
    assert {(copy.due_at.minute, copy.kind) for copy in digests} == {(0, "digest")}
    assert len({copy.due_at for copy in digests}) == len(digests)
    late = [copy for copy in digests if copy.accepted_at - copy.due_at > STEP]
    assert len(late) <= 1


def test_an_alert_comes_at_once_and_after_the_outage_what_was_in_hand(house, copies):
    seen = {title: moment(at) for title, at in house.query("SELECT title, seen_at FROM article")}
    alerts = [copy for copy in copies if copy.reader == "vera"]
    waits = sorted(copy.accepted_at - seen[title] for copy in alerts for title in copy.stories)
    assert len(waits) >= len([topic for topic, _, _ in NEWS if topic == "volcanoes"]) - 1
    assert all(wait < STEP for wait in waits[:-1]), waits
    assert waits[-1] < (len(OUTAGE) + 2) * STEP


def test_quiet_hours_are_kept(house, copies):
    zone = zone_of(house, "quincy")
    mine = [copy for copy in copies if copy.reader == "quincy"]
    assert mine
    for copy in mine:
        local = copy.accepted_at.astimezone(zone).time()
        assert NIGHT[1] <= local < NIGHT[0], local


def test_a_budget_is_kept(house, copies):
    zone = zone_of(house, "bud")
    alerts = (c.accepted_at.astimezone(zone).date() for c in copies if c.reader == "bud" and c.kind == "alert")
    days = Counter(alerts)
    assert days
    assert max(days.values()) <= BUDGET


def test_mails_come_in_the_order_of_their_news(copies):
    order = {title: number for number, (_, title, _) in enumerate(NEWS)}
    mine = [order[title] for copy in copies if copy.reader == "vera" for title in copy.stories]
    assert all(one < other for one, other in itertools.pairwise(mine))


def test_the_day_was_a_day(copies):
    span = copies[-1].accepted_at - copies[0].accepted_at
    assert timedelta(hours=18) < span < timedelta(hours=26)
