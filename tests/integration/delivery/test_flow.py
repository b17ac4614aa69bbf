"""Who may send what now, and by which provider: on real databases, several workers at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.builders import set_clock
from worker.allowances import Hours, WarmUp
from worker.circuits import Condition, Trouble, Way
from worker.delivery import run_flow
from worker.delivery.routing import Exit, Hold
from worker.delivery.run_breakers import PROBES
from worker.delivery.run_flow import Flow
from worker.delivery.run_limits import Door
from worker.delivery.run_pacing import Pace
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import DeliveryId, EditionKind, Lane, Receipt, Severity
from worker.store import breakers, throttles
from worker.store.copies import DueDelivery
from worker.store.database import Database, now
from worker.store.throttles import Place

TAKEN = Receipt(provider="relay", code=250)
POLICY = SendError("550 5.7.1 not from you", permanent=True, code=550, enhanced="5.7.1")
BUSY = SendError("421 4.7.28 too fast", permanent=False, code=421, enhanced="4.7.28")
FULL = SendError("429", permanent=False, code=429)
NO_LINE = SendError("connection refused", permanent=False)
NO_USER = SendError("550 5.1.1", permanent=True, blame=Blame.RECIPIENT, code=550, enhanced="5.1.1")


@pytest.fixture(autouse=True)
def look_always(monkeypatch):
    monkeypatch.setattr(run_flow, "_LOOKS_EVERY_S", 0.0)


def door(name: str, *, weight: int = 1, lanes: Iterable[Lane] = Lane, **limits: Any) -> Door:
    return Door(exit=Exit.of(name, weight=weight, lanes=frozenset(lanes)), **limits)


def flow(database: Database, *doors: Door, **how: Any) -> Flow:
    return Flow(doors or (door("relay"),), database=database, pace=Pace(None, me="one"), **how)


def row(
    number: int = 1,
    *,
    domain: str = "readers.example",
    lane: Lane = Lane.BULK,
    kind: EditionKind = EditionKind.DIGEST,
    avoid: str = "",
) -> DueDelivery:
    at = datetime(2026, 11, 28, tzinfo=UTC)
    return DueDelivery(
        id=DeliveryId(number),
        edition_id=1,
        edition_kind=kind,
        severity=Severity.NORMAL,
        lane=lane,
        expires_at=at,
        planned_at=at,
        attempts=0,
        content_id=1,
        content="",
        subscriber_id=number,
        recipient=f"reader{number}@{domain}",
        domain=domain,
        name="",
        message_id=f"{number}@courier.example",
        in_reply_to="",
        confirmations=0,
        avoid=avoid,
        provider="",
        code=None,
    )


def routes(asked: Flow, *rows: DueDelivery) -> list[str | Hold]:
    asyncio.run(asked.refresh())
    return [asked.route(one) for one in rows]


def admitted(asked: Flow, *rows: DueDelivery, provider: str = "relay") -> list[Hold | None]:
    """Ask for permission, and do not wait until the last of them may go."""

    async def at_once(_wait_s: float) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", at_once)
        return asyncio.run(asked.admit(provider, rows))


def is_held(way: str | Hold) -> bool:
    return isinstance(way, Hold)


def conditions(database: Database) -> dict[Way, Condition]:
    with database.read() as conn:
        return {way: circuit.condition for way, circuit in breakers.load(conn).items()}


def shut(database: Database, way: Way, trouble: Trouble = Trouble.UNREACHABLE) -> None:
    with database.write() as conn:
        breakers.trip(conn, way, trouble, reason="no answer")


READERS = [row(number) for number in range(1, 101)]


def test_on_a_good_day_everything_goes_by_weight_and_at_once(database):
    asked = flow(database, door("relay", weight=3), door("other"))
    counts = Counter(routes(asked, *READERS))
    assert counts["relay"] > counts["other"] > 5
    assert admitted(asked, *READERS) == [None] * len(READERS)


def test_each_lane_has_its_own_providers(database):
    asked = flow(database, door("fast", lanes=[Lane.ALERTS]), door("relay", lanes=[Lane.BULK]))
    assert routes(asked, row(), row(lane=Lane.ALERTS)) == ["relay", "fast"]
    assert asked.others("relay", Lane.BULK) == 0


def test_a_provider_that_cannot_be_reached_is_left_to_the_others_by_all_workers(database):
    asked, neighbour = (flow(database, door("relay"), door("other")) for _ in range(2))
    before = routes(asked, *READERS)
    for _ in range(3):
        asked.unreachable("relay", NO_LINE)
    assert {asked.route(one) for one in READERS} == {"other"}
    asyncio.run(asked.flush())
    after = routes(neighbour, *READERS)
    assert set(after) == {"other"}
    assert conditions(database) == {Way("relay"): Condition.OPEN}
    set_clock(database, ahead=timedelta(hours=1))
    with database.write() as conn:
        breakers.resume(conn, Way("relay"), actor="ann")
    assert routes(asked, *READERS) == before


def test_with_no_other_provider_mail_waits_and_says_why(database):
    asked = flow(database)
    routes(asked, row())
    asked.unreachable("relay", SendError("535 5.7.8 bad password", permanent=False, code=535, enhanced="5.7.8"))
    (way,) = routes(asked, row())
    assert isinstance(way, Hold)
    assert way.reason == "relay: login: 535 5.7.8 bad password"
    assert 3 <= way.wait_s <= 60


def test_a_policy_refusal_pauses_the_stream_for_its_receiver_and_nothing_else(database):
    asked = flow(database)
    routes(asked, row())
    asked.heard("relay", row(domain="hotmail.com"), POLICY)
    same, elsewhere = row(domain="outlook.com"), row(domain="gmail.com")
    alert = row(domain="hotmail.com", lane=Lane.ALERTS, kind=EditionKind.ALERT)
    ways = routes(asked, same, elsewhere, alert)
    assert [is_held(way) for way in ways] == [True, False, False]
    assert conditions(database) == {Way("relay", "digest", "outlook.com"): Condition.OPEN}


def test_policy_refusals_by_many_receivers_pause_the_whole_stream(database):
    asked = flow(database)
    routes(asked, row())
    for number in range(5):
        asked.heard("relay", row(domain=f"{number}.example"), POLICY)
    digest, alert = routes(asked, row(), row(lane=Lane.ALERTS, kind=EditionKind.ALERT))
    assert is_held(digest)
    assert alert == "relay"
    assert conditions(database)[Way("relay", "digest")] is Condition.OPEN


def test_what_was_routed_before_its_way_was_shut_is_held_at_the_last_moment(database):
    asked = flow(database)
    assert routes(asked, *READERS) == ["relay"] * len(READERS)
    asked.heard("relay", READERS[0], POLICY)
    assert all(isinstance(hold, Hold) for hold in admitted(asked, *READERS[1:]))


def test_refusals_about_readers_and_greylists_shut_nothing(database):
    asked = flow(database)
    routes(asked, row())
    grey = SendError("451 4.7.1 Greylisted", permanent=False, code=451, enhanced="4.7.1")
    for number in range(200):
        asked.heard("relay", row(number), NO_USER if number % 2 else grey)
    assert routes(asked, row()) == ["relay"]
    assert conditions(database) == {}


def test_lost_replies_in_a_row_shut_a_provider_before_many_readers_are_in_doubt(database):
    asked = flow(database)
    routes(asked, row())
    for number in range(3):
        asked.heard("relay", row(number), OutcomeUnknown("the line dropped"))
    assert is_held(routes(asked, row())[0])


def half_open(database: Database, way: Way, *doors: Door) -> Flow:
    """Return a flow that has the turn to try a way."""
    shut(database, way)
    set_clock(database, ahead=timedelta(minutes=10))
    asked = flow(database, *doors)
    assert is_held(routes(asked, row())[0])
    asyncio.run(asked.refresh())  # takes the turn: there was mail for it
    assert conditions(database) == {way: Condition.HALF_OPEN}
    return asked


def test_one_worker_tries_with_a_few_messages_and_opens_the_way_for_all(database):
    asked = half_open(database, Way("relay"))
    neighbour = flow(database)
    assert all(is_held(way) for way in routes(neighbour, *READERS))
    ways = [asked.route(one) for one in READERS]
    assert [is_held(way) for way in ways] == [False] * PROBES + [True] * (len(READERS) - PROBES)
    assert admitted(asked, *READERS[:PROBES]) == [None] * PROBES
    assert None not in admitted(asked, *READERS[PROBES:])
    asked.heard("relay", READERS[0], TAKEN)
    assert asked.route(READERS[50]) == "relay"
    asyncio.run(asked.flush())
    assert conditions(database) == {}
    assert routes(neighbour, row()) == ["relay"]


def test_a_probe_that_fails_shuts_the_way_for_longer(database):
    asked = half_open(database, Way("relay"))
    assert asked.route(row(5)) == "relay"
    asked.heard("relay", row(5), FULL)
    asyncio.run(asked.flush())
    with database.read() as conn:
        circuit = breakers.load(conn)[Way("relay")]
    assert (circuit.condition, circuit.pause_s) == (Condition.OPEN, 15)


def test_a_turn_without_a_line_ends_at_once(database):
    asked = half_open(database, Way("relay"))
    asked.unreachable("relay", NO_LINE)
    asyncio.run(asked.flush())
    assert conditions(database) == {Way("relay"): Condition.OPEN}


def test_one_reader_of_a_domain_does_not_keep_it_shut(database):
    way = Way("relay", "digest", "readers.example")
    asked = half_open(database, way)
    assert [asked.route(one) for one in READERS[:PROBES]] == ["relay"] * PROBES
    asked.heard("relay", READERS[0], POLICY)
    asked.heard("relay", READERS[1], TAKEN)
    asyncio.run(asked.flush())
    assert conditions(database) == {}


def test_nobody_tries_a_way_for_which_there_is_no_mail(database):
    shut(database, Way("relay", "", "elsewhere.example"))
    set_clock(database, ahead=timedelta(minutes=10))
    asked = flow(database)
    for _ in range(3):
        assert routes(asked, row()) == ["relay"]
    assert conditions(database) == {Way("relay", "", "elsewhere.example"): Condition.OPEN}


def test_a_paused_provider_sends_nothing_until_it_is_resumed(database):
    with database.write() as conn:
        breakers.pause(conn, Way("relay"), actor="ann", reason="moving house")
    asked = flow(database)
    (way,) = routes(asked, row())
    assert isinstance(way, Hold)
    assert way.reason == "relay: paused: moving house"
    with database.write() as conn:
        breakers.resume(conn, Way("relay"), actor="ann")
    assert routes(asked, row()) == ["relay"]


def test_who_failed_us_last_is_avoided_while_another_is_open(database):
    asked = flow(database, door("relay"), door("spare", weight=0))
    assert routes(asked, row(), row(avoid="relay")) == ["relay", "spare"]
    shut(database, Way("spare"))
    assert routes(asked, row(avoid="relay")) == ["relay"]


def test_too_fast_halves_a_rate_for_all_workers_and_it_grows_back(database):
    asked, neighbour = (flow(database, door("relay", rate_per_s=100)) for _ in range(2))
    routes(asked, row())
    asked.heard("relay", row(), FULL)
    asked.heard("relay", row(), FULL)
    asyncio.run(asked.flush())
    routes(neighbour, row())
    with database.read() as conn:
        slowed = throttles.load(conn)
    assert slowed.keys() == {Place("relay")}
    assert (slowed[Place("relay")].full_per_s, slowed[Place("relay")].share) == (100, 0.5)
    holds = admitted(neighbour, *[row(number) for number in range(1000)])
    slow = holds.count(None)
    assert slow == pytest.approx((50 + 5 * 50) / 2, abs=3)  # without Redis half of it, five seconds ahead
    set_clock(database, ahead=timedelta(hours=1))
    later = flow(database, door("relay", rate_per_s=100))
    routes(later, row())
    assert admitted(later, *[row(number) for number in range(1000)]).count(None) == pytest.approx(2 * slow, abs=6)


def test_a_rate_that_has_grown_back_is_forgotten_with_the_next_news(database):
    asked = flow(database)
    routes(asked, row())
    asked.heard("relay", row(), FULL)
    asyncio.run(asked.flush())
    set_clock(database, ahead=timedelta(hours=1))
    for _ in range(3):
        asked.unreachable("relay", NO_LINE)
    asyncio.run(asked.flush())
    with database.read() as conn:
        assert throttles.load(conn) == {}


def test_a_receiver_that_is_asked_too_much_is_slowed_and_no_other(database):
    asked = flow(database)
    routes(asked, row())
    for number in range(20):
        asked.heard("relay", row(number, domain="gmail.com"), TAKEN)
    asked.heard("relay", row(domain="googlemail.com"), BUSY)
    asyncio.run(asked.flush())
    with database.read() as conn:
        assert throttles.load(conn).keys() == {Place("", "gmail.com")}
    rows = [row(number, domain=domain) for number in range(200) for domain in ("gmail.com", "other.example")]
    holds = admitted(asked, *rows)
    assert holds[1::2] == [None] * 200
    assert holds[0::2].count(None) < 100


def test_a_warm_ups_day_is_never_exceeded_and_the_rest_goes_by_others(database):
    with database.read() as conn:
        today = now(conn).date()
    plan = WarmUp(starts=today, first=30, growth=2)
    both = [flow(database, door("new", warm_up=plan), door("relay", weight=0)) for _ in range(2)]
    sent: Counter[str] = Counter()
    for asked in both:
        for one in READERS:
            (way,) = routes(asked, one)
            assert isinstance(way, str)
            sent[way] += admitted(asked, one, provider=way) == [None]
        asyncio.run(asked.flush())
    assert sent["new"] == 30
    assert sent["relay"] >= 2 * len(READERS) - 30 - 2  # the ones that found the day used up come back in a second
    with database.read() as conn:
        assert throttles.taken(conn, today) == {"new": 30}
    set_clock(database, ahead=timedelta(days=1))
    assert admitted(flow(database, door("new", warm_up=plan)), row(), provider="new")


def test_what_was_taken_of_a_day_and_not_sent_is_given_back(database):
    asked = flow(database, door("relay", warm_up=WarmUp(starts=date(2020, 1, 1), first=5000, growth=1.0001)))
    routes(asked, row())
    assert admitted(asked, row()) == [None]
    asyncio.run(asked.flush())
    with database.read() as conn:
        assert throttles.taken(conn, now(conn).date()) == {"relay": 1}


def test_outside_its_hours_bulk_mail_waits_and_alerts_do_not(database):
    with database.read() as conn:
        hour = now(conn).hour
    closed = Hours(begins=(hour + 2) % 24 * 60, ends=(hour + 3) % 24 * 60)
    asked = flow(database, door("relay", hours=closed))
    bulk, alert = routes(asked, row(), row(lane=Lane.ALERTS))
    assert isinstance(bulk, Hold)
    assert bulk.wait_s == 600
    assert alert == "relay"
    beside = flow(database, door("relay", hours=closed), door("other"))
    assert set(routes(beside, *READERS)) == {"other"}


def test_what_could_not_be_written_is_written_later(database, monkeypatch):
    asked = flow(database)
    routes(asked, row())
    for _ in range(3):
        asked.unreachable("relay", NO_LINE)
    with monkeypatch.context() as broken:
        broken.setattr(breakers, "trip", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(asked.flush())
    asyncio.run(asked.flush())
    assert conditions(database) == {Way("relay"): Condition.OPEN}


def test_what_is_turned_away_by_the_pace_costs_nothing_of_a_warm_ups_day(database):
    with database.read() as conn:
        today = now(conn).date()
    asked = flow(database, door("relay", warm_up=WarmUp(starts=today, first=50, growth=2), rate_per_s=0.01))
    routes(asked, row())
    assert sum(admitted(asked, one) == [None] for one in READERS) <= 1
    asyncio.run(asked.flush())
    with database.read() as conn:
        assert throttles.taken(conn, today)["relay"] <= 1


def test_connections_of_one_worker_together_count_a_warm_ups_day_exactly(database):
    """While one of them asks SQL for more, another uses what is left of the last part."""
    with database.read() as conn:
        today = now(conn).date()
    asked = flow(database, door("relay", warm_up=WarmUp(starts=today, first=5000, growth=2)))

    async def send() -> list[list[Hold | None]]:
        await asked.refresh()
        first = await asked.admit("relay", READERS[:95])  # of a part of 100
        return [first, *await asyncio.gather(*(asked.admit("relay", READERS[:count]) for count in (7, 3, 2)))]

    sent = [hold for holds in asyncio.run(send()) for hold in holds].count(None)
    assert sent == 95 + 7 + 3 + 2
    asyncio.run(asked.flush())
    with database.read() as conn:
        assert throttles.taken(conn, today) == {"relay": sent}


def test_a_hold_says_whether_all_mail_of_the_lane_would_meet_it(database):
    shut(database, Way("relay"))
    shut(database, Way("other", "digest", "readers.example"), Trouble.POLICY)
    (alone,) = routes(flow(database), row())
    (beside,) = routes(flow(database, door("relay"), door("other")), row())
    assert isinstance(alone, Hold)
    assert isinstance(beside, Hold)
    assert (alone.of_all, beside.of_all) == (True, False)
