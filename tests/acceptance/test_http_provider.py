"""A running `tocsin up` that sends by HTTP: in batches, one click for each reader, and nobody twice after a crash."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

import httpx
import psutil
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.drilling import seed
from tests.acceptance.houses import Installation, Running, until
from tests.acceptance.http_provider import KeylessProvider, MailProvider
from tests.http import NO_TLS

pytestmark = pytest.mark.timeout(420)

READERS = 40
CROWD = 1_000
WITHIN_S = 120.0
TOPICS = """
- slug: volcanoes
  name: {en: Volcanoes}
  query: volcan*
"""


@pytest.fixture
def provider() -> Iterator[MailProvider]:
    with MailProvider() as found:
        yield found


@pytest.fixture
def house(make_installation: MakeInstallation, provider: MailProvider) -> Installation:
    """An installation with readers who all follow one topic."""
    house = make_installation(TOCSIN_TRANSPORTS=provider.dsn)
    fill(house, READERS)
    return house


def fill(house: Installation, count: int) -> None:
    rows = (f"r{number}@reader.example,,en,UTC,volcanoes,immediate," for number in range(count))
    house.followed(TOPICS, "\n".join(["email,name,locale,timezone,topics,cadence,at", *rows, ""]))


def push(house: Installation) -> None:
    article = {"url": "https://courier.example/volcano", "title": "A volcano wakes", "body": "It smokes."}
    assert house.post("/api/v1/articles", article).status_code in {200, 201, 202}


def wait_until_all_are(house: Installation, state: str, *, readers: int = READERS) -> list[dict[str, object]]:
    def look() -> list[dict[str, object]]:
        rows: list[dict[str, object]] = house.ask("deliveries", "list")
        return rows if len(rows) == readers and {row["state"] for row in rows} == {state} else []

    return until(look, within_s=2 * WITHIN_S, what=f"all are {state}", tell=house.logs)


def assert_everybody_got_one(provider: MailProvider) -> None:
    addresses = [address.rpartition("<")[2].rstrip(">") for address in provider.addresses]
    assert sorted(addresses) == sorted(f"r{number}@reader.example" for number in range(READERS))


def test_the_window_of_doubt_is_printed(house: Installation) -> None:
    (row,) = house.ask("providers", "list")
    assert (row["provider"], row["window"]) == ("way", 2 * 100)


@pytest.mark.slow
def test_everybody_gets_one_mail_and_can_leave_with_one_click(house: Installation, provider: MailProvider) -> None:
    with house.up():
        push(house)
        rows = wait_until_all_are(house, "accepted")
        assert {row["provider"] for row in rows} == {"way"}
        assert_everybody_got_one(provider)
        assert provider.requests < READERS  # they went in batches
        deliveries = {tag["value"] for mail in provider.accepted for tag in mail["tags"]}
        assert deliveries == {str(row["id"]) for row in rows}

        ways_out = [mail["headers"]["List-Unsubscribe"] for mail in provider.accepted]
        assert len(set(ways_out)) == READERS
        link = re.match(r"<(http[^>]+)>", ways_out[0])
        assert link
        assert httpx.post(link[1], data={"List-Unsubscribe": "One-Click"}, verify=NO_TLS).status_code == 200
    left = house.query("SELECT count(*) FROM subscription WHERE ended_at IS NOT NULL")
    assert left == [(1,)]


@pytest.mark.slow
def test_a_lost_answer_and_a_dead_worker_send_nothing_twice(house: Installation, provider: MailProvider) -> None:
    """The provider accepts and falls silent; the worker that waits is killed; the next one asks under the same key."""
    provider.silent.set()
    with house.up() as running:
        push(house)
        assert provider.heard.wait(WITHIN_S)
        kill(running, "alerts")
        provider.silent.clear()
        wait_until_all_are(house, "accepted")
    assert_everybody_got_one(provider)
    assert provider.requests > 1


@pytest.mark.slow
def test_where_no_keys_are_known_a_lost_answer_is_settled_by_the_providers_events(
    make_installation: MakeInstallation,
) -> None:
    """Until then it is in doubt, and nothing is sent again."""
    secret = "a-secret-of-the-webhooks-0123456789"
    with KeylessProvider() as provider:
        house = make_installation(TOCSIN_TRANSPORTS=provider.dsn, TOCSIN_WEBHOOK_SECRETS=secret)
        fill(house, READERS)
        provider.silent.set()
        with house.up():
            push(house)
            wait_until_all_are(house, "unknown")
            provider.silent.clear()
            for event in provider.events():
                assert (
                    httpx.post(
                        f"{house.url}/webhooks/postmark/{secret}", json=event, timeout=20, verify=NO_TLS
                    ).status_code
                    == 200
                )
            wait_until_all_are(house, "delivered")
        assert_everybody_got_one(provider)


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_workers_that_are_killed_every_two_seconds_send_nothing_twice(
    make_installation: MakeInstallation, provider: MailProvider
) -> None:
    """An answer is also kept back now and then. Nothing may be left in doubt: the provider knows its keys."""
    batch, kills = 20, 0
    provider.moods = Random(seed())
    house = make_installation(TOCSIN_TRANSPORTS=f"{provider.dsn}&batch={batch}", TOCSIN_CANARY_SHARE="0")
    fill(house, CROWD)
    with house.up() as running:
        push(house)
        assert provider.heard.wait(WITHIN_S)
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s and len(provider.accepted) < CROWD:
            time.sleep(2)
            kill(running, "alerts")
            kills += 1
        provider.moods = None
        wait_until_all_are(house, "accepted", readers=CROWD)
    counted = Counter(provider.addresses)
    sys.stdout.write(
        f"audience={CROWD} accepted={CROWD} refused=0 unknown=0 lost={CROWD - len(counted)} "
        f"duplicated={counted.total() - len(counted)} window={2 * batch * kills} "
        f"({kills} ends of a mail worker, {provider.requests} requests)\n"
    )
    assert kills > 2
    assert (len(counted), counted.total()) == (CROWD, CROWD)


def kill(running: Running, queue: str) -> None:
    """Kill the worker of a queue; wait for it when it is just being started."""

    def look() -> list[psutil.Process]:
        return [one for name, one in running.children().items() if name.startswith("worker") and queue in name]

    until(look, within_s=WITHIN_S, what=f"a worker of {queue}")[0].send_signal(signal.SIGKILL)
