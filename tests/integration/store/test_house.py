"""Numbers in commit order, links that work once, keys, heartbeats."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.builders import article, match, topic
from tests.databases import opened
from worker.store import house
from worker.store.database import now
from worker.store.house import MATCH_SEQ


def test_numbers_are_drawn_without_gaps_and_counters_do_not_mix(database):
    with database.write() as conn:
        assert house.reached(conn, "a") == 0
        assert list(house.draw(conn, "a")) == [1]
        assert list(house.draw(conn, "a", 3)) == [2, 3, 4]
        assert list(house.draw(conn, "b")) == [1]
        assert (house.reached(conn, "a"), house.reached(conn, "b")) == (4, 1)


def test_numbers_of_a_transaction_that_failed_are_given_again(database):
    with database.write() as conn:
        house.draw(conn, "a")
        conn.rollback()
    with database.write() as conn:
        assert list(house.draw(conn, "a")) == [1]


def test_who_draws_later_commits_later(make_url):
    """A number drawn and not yet committed blocks the next one, so that no cursor can pass a story still to come."""
    with opened(make_url("postgresql")) as database:
        with database.write() as conn:
            first, second = (topic(conn, slug) for slug in ("one", "two"))
            articles = [article(conn)[0] for _ in range(2)]
        drawn, order = threading.Event(), []

        def match_second() -> None:
            drawn.wait()
            with database.write() as conn:
                match(conn, articles[1], second)
                order.append("second")

        with ThreadPoolExecutor(1) as pool, database.write() as conn:
            match(conn, articles[0], first)
            later = pool.submit(match_second)
            drawn.set()
            threading.Event().wait(0.3)
            assert order == []  # it waits for us
            with database.read() as other:
                assert house.reached(other, MATCH_SEQ) == 0  # and nobody sees a head with a hole before it
            order.append("first")
            conn.commit()
            later.result(10)
        assert order == ["first", "second"]
        with database.read() as conn:
            assert house.reached(conn, MATCH_SEQ) == 2


def test_a_link_is_used_once_however_many_click_at_the_same_moment(database_url, database):
    start = threading.Barrier(4)

    def click(_: int) -> bool:
        with opened(database_url) as own:
            start.wait()
            with own.write() as conn:
                return house.use_once(conn, "token")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(click, range(4))) == [False, False, False, True]
    with database.write() as conn:
        assert house.use_once(conn, "another")


def test_a_key_is_known_by_its_hash_only_and_the_newest_of_a_name_counts(database):
    with database.write() as conn:
        house.put_api_key(conn, name="cms", key="old key", scopes=["articles"])
        house.put_api_key(conn, name="cms", key="new key", scopes=["articles", "admin"])
        holder = house.holder_of(conn, "new key")
        assert holder
        assert (holder.name, sorted(holder.scopes)) == ("cms", ["admin", "articles"])
        assert house.holder_of(conn, "old key") is None
        assert house.holder_of(conn, "") is None


def test_a_key_that_is_over_is_nobodys(database):
    with database.write() as conn:
        house.put_api_key(conn, name="cms", key="a key", scopes=["articles"], expires_at=now(conn) + timedelta(days=1))
        house.put_api_key(conn, name="app", key="another", scopes=["articles"])
        assert house.holder_of(conn, "a key")
        assert house.revoke_api_key(conn, "app")
        assert not house.revoke_api_key(conn, "app")
        assert house.holder_of(conn, "another") is None
        house.set_fact(conn, "clock_offset_s", str(86_401))
        assert house.holder_of(conn, "a key") is None


def test_a_keys_use_is_noted_once_a_minute(database):
    with database.write() as conn:
        house.put_api_key(conn, name="cms", key="a key", scopes=["articles"])
        noted = []
        for second in (0, 1, 59, 62):
            house.set_fact(conn, "clock_offset_s", str(second))
            holder = house.holder_of(conn, "a key")
            assert holder
            noted.append(holder.use_is_noted)
            if not holder.use_is_noted:
                house.note_use(conn, "cms")
        assert noted == [False, True, True, False]


def test_a_heartbeat_tells_the_last_one(database):
    with database.write() as conn:
        house.beat(conn, "bulk")
        first = house.heartbeats(conn)["bulk"]
        house.set_fact(conn, "clock_offset_s", "60")
        house.beat(conn, "bulk")
        assert house.heartbeats(conn)["bulk"] - first >= timedelta(seconds=59)
