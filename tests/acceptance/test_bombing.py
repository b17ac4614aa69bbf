"""The sign-up form as a weapon: 10,000 sign-ups for one victim, from as many addresses, by every door there is."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from tests.integration.web.newspaper import API_KEY, Newspaper, QuietHouse, add_topics, served
from tests.redis_server import redis_server
from worker.model import SubscriberStatus
from worker.planning.run import plan
from worker.settings import load
from worker.signup.mailboxes import mailbox_of
from worker.store import asking
from worker.store.database import CLOCK_OFFSET
from worker.store.house import set_fact
from worker.store.schema import Delivery
from worker.tokens import Purpose

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]

SIGN_UPS, AT_ONCE = 10_000, 40
VICTIM, MAILBOX = "victim@gmail.com", "victim@gmail.com"
KEY = {"Authorization": f"Bearer {API_KEY}"}


@pytest.fixture
def newspaper(tmp_path, make_url, monkeypatch):
    """A newspaper on PostgreSQL, with a real Valkey, behind a proxy on this machine."""
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    with ExitStack() as stack:
        server = stack.enter_context(redis_server(tmp_path))
        settings = load_for(tmp_path, make_url("postgresql"), server.url)
        house = QuietHouse(settings)
        stack.callback(house.close)
        add_topics(house)
        url = stack.enter_context(served(house))
        yield Newspaper(house=house, url=url, client=stack.enter_context(httpx.Client(timeout=60)))


def load_for(folder, database_url, redis_url):
    return load(
        home=folder / "home",
        database_url=database_url,
        redis_url=redis_url,
        secret_keys="a-key-that-signs-links-in-tests-only",
        suppression_key="a-key-that-hashes-addresses-in-tests",
        api_key=API_KEY,
    )


def spelling(number: int) -> str:
    """Return one of the victim's many addresses: as it is, with tags, with dots, in capitals."""
    match number % 5:
        case 0:
            return VICTIM
        case 1:
            return f"victim+list{number}@gmail.com"
        case 2:
            return f"v.ic.tim+{number}@googlemail.com"
        case 3:
            return f"VICTIM+{number % 50}@Gmail.com"
        case _:
            return "vic.tim@gmail.com"


async def attack(newspaper: Newspaper) -> Counter[int]:
    shown = newspaper.house.tokens.sign(Purpose.FORM, int((datetime.now(UTC) - timedelta(minutes=5)).timestamp()))
    statuses: Counter[int] = Counter()
    numbers = iter(range(SIGN_UPS))

    async def attacker(client: httpx.AsyncClient) -> None:
        for number in numbers:
            sender = {"X-Forwarded-For": f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"}
            wish = {"email": spelling(number), "topics": ["oman", "russia", "north-korea"][number % 3]}
            if number % 10 == 9:
                wanted = {"email": wish["email"], "topics": [wish["topics"]]}
                answer = await client.post("/api/v1/subscriptions", json=wanted, headers=KEY)
            else:
                path = "/embed" if number % 10 == 8 else "/subscribe"
                answer = await client.post(path, data=wish | {"shown": shown}, headers=sender)
            statuses[answer.status_code] += 1

    async with httpx.AsyncClient(base_url=newspaper.url, timeout=120) as client:
        await asyncio.gather(*(attacker(client) for _ in range(AT_ONCE)))
    return statuses


def mails_to(newspaper: Newspaper, mailbox: str) -> int:
    """Plan whatever is due, and count the mails that were ever planned for a mailbox."""
    while plan(newspaper.house.database, newspaper.house.planning_policy).deliveries:
        pass
    with newspaper.house.database.read() as conn:
        recipients = conn.execute(sa.select(Delivery.recipient)).scalars().all()
    return sum(mailbox_of((recipient or "").lower()) == mailbox for recipient in recipients)


def test_ten_thousand_sign_ups_for_one_victim_make_five_mails_and_the_day_after_the_victim_may_sign_up(newspaper):
    statuses = asyncio.run(attack(newspaper))
    assert statuses[200] + statuses[202] + statuses[429] == SIGN_UPS
    assert statuses[200] > SIGN_UPS // 2  # the budget of the mailbox holds, not only those of the senders
    assert mails_to(newspaper, MAILBOX) == newspaper.house.settings.questions_per_mailbox == 5
    with newspaper.house.database.read() as conn:
        lately = asking.lately(conn)
    assert (lately.asked, lately.waiting) == (5, 0)
    assert lately.refused == statuses[200] + statuses[202] - 5
    with newspaper.house.database.write() as conn:
        set_fact(conn, CLOCK_OFFSET, str(timedelta(days=1, minutes=1).total_seconds()))
    assert newspaper.post("/subscribe", data={"email": VICTIM, "topics": "oman"}).status_code == 200
    assert mails_to(newspaper, MAILBOX) == 6
    answer = newspaper.post(newspaper.question(VICTIM, age=timedelta(days=-2)))  # by the clock that was set on
    assert answer.status_code == 200
    assert newspaper.status(VICTIM) is SubscriberStatus.ACTIVE


def test_one_sender_cannot_bomb_many_victims(newspaper):
    answers = [
        newspaper.post(
            "/subscribe",
            data={"email": f"victim{number}@example.org", "topics": "oman"},
            headers={"X-Forwarded-For": "203.0.113.77"},
        ).status_code
        for number in range(100)
    ]
    assert Counter(answers) == {200: 30, 429: 70}  # no mark of ours: twice the price
    with newspaper.house.database.read() as conn:
        assert asking.lately(conn).asked == 30
