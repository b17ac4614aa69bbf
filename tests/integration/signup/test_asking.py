"""Nobody's mailbox is flooded with questions, nor everybody's at once; and no answer costs more than another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases import opened
from worker.model import SubscriberStatus
from worker.notifying import run_endpoints
from worker.notifying.run_endpoints import Wish
from worker.signup.address import normalise
from worker.signup.consent import Evidence
from worker.signup.run import Limits, come_back
from worker.signup.run_erasure import erase, export
from worker.signup.run_import import Listing, import_readers
from worker.signup.run_preferences import unsubscribe
from worker.store import asking, people, upkeep
from worker.store.database import now
from worker.store.schema import Asking, Subscriber

from .conftest import Readers, add_topics, hash_address
from .posting import statements

JO = "jo@example.org"
FEW = Limits(a_day=5, an_hour=0)


def rows(readers: Readers) -> list[Any]:
    with readers.database.read() as conn:
        return list(conn.execute(sa.select(Asking.__table__).order_by(Asking.id)))


def due_at(readers: Readers, address: str):
    return readers.reader(address).confirmation_due_at


def test_one_mailbox_is_asked_five_times_a_day_whatever_its_tags(readers):
    asked = [readers.signs_up(f"victim+list{number}@example.org", "oman").asked for number in range(40)]
    assert asked == [True] * 5 + [False] * 35
    assert readers.signs_up("other@example.org", "oman").asked


def test_the_dots_of_one_provider_are_no_way_around(readers):
    spellings = ["victim", "v.ictim", "vi.ctim", "vic.tim", "vict.im", "victi.m", "v.i.ctim"]
    asked = [readers.signs_up(f"{local}@gmail.com", "oman").asked for local in spellings]
    assert asked == [True] * 5 + [False] * 2
    assert not readers.signs_up("victim+x@googlemail.com", "oman").asked


def test_the_day_after_its_owner_may_sign_up(readers):
    for number in range(40):
        readers.signs_up(f"victim+{number}@example.org", "oman")
    assert not readers.signs_up("victim@example.org", "oman").asked
    readers.passes(days=1, seconds=1)
    assert readers.signs_up("victim@example.org", "russia").asked
    readers.confirms("victim@example.org")
    assert set(readers.follows("victim@example.org")) == {"russia"}


def test_who_answers_is_nobodys_victim(readers):
    for _ in range(8):
        assert readers.signs_up("jo+one@example.org", "oman").asked
        readers.confirms("jo+one@example.org")
    assert readers.signs_up("jo+two@example.org", "oman").asked


def test_coming_back_is_asked_from_the_same_budget(readers):
    reader = readers.joins(JO, "oman")
    unsubscribe(readers.database, reader)
    for number in range(5):
        readers.signs_up(f"jo+{number}@example.org", "oman")
    back: dict[str, Any] = {"evidence": Evidence(how="unsubscribe page"), "hash_address": hash_address}
    assert not come_back(readers.database, reader, **back).asked
    readers.passes(days=1, seconds=1)
    assert come_back(readers.database, reader, **back).asked
    assert len([row for row in rows(readers) if row.subscriber_id == reader]) == 1


def test_the_mailboxs_budget_holds_when_its_variants_come_at_once(readers):
    asked: list[bool] = []
    go = threading.Barrier(8)

    def sign_up(number):
        go.wait()
        asked.extend(readers.signs_up(f"victim+{number}.{turn}@example.org", "oman").asked for turn in range(3))

    threads = [threading.Thread(target=sign_up, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(asked) == 5


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time anyway
def test_nobody_waits_for_a_mailbox_that_has_had_enough(readers):
    for number in range(5):
        readers.signs_up(f"victim+{number}@example.org", "oman")
    with ThreadPoolExecutor(1) as another, readers.database.write() as conn:
        asking.alone_with(conn, hash_address("victim@example.org"))
        assert not another.submit(readers.signs_up, "victim+9@example.org", "oman").result(20).asked


def test_beyond_so_many_an_hour_questions_wait_for_their_turn_and_none_is_lost(readers):
    limits = Limits(an_hour=3)
    for number in range(7):
        assert readers.signs_up(f"reader{number}@example.org", "oman", limits=limits).asked
    with readers.database.read() as conn:
        at, found = now(conn), asking.lately(conn)
    waits = [round((due_at(readers, f"reader{number}@example.org") - at) / timedelta(hours=1)) for number in range(7)]
    assert waits == [0, 0, 0, 1, 1, 1, 2]
    assert (found.asked, found.waiting, found.refused) == (3, 4, 0)


def test_an_answer_makes_room_for_the_next_question(readers):
    limits = Limits(an_hour=1)
    readers.signs_up(JO, "oman", limits=limits)
    readers.confirms(JO)
    readers.signs_up("al@example.org", "oman", limits=limits)
    with readers.database.read() as conn:
        assert due_at(readers, "al@example.org") <= now(conn)


def test_whose_turn_would_come_in_half_a_day_is_not_asked(readers):
    limits = Limits(an_hour=1)
    asked = [readers.signs_up(f"reader{number}@example.org", "oman", limits=limits).asked for number in range(15)]
    assert asked == [True] * 13 + [False] * 2


@settings(max_examples=12)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=40), st.integers(1, 6))
def test_in_no_hour_more_questions_go_than_the_cap(sqlite_template, acts, cap):
    with TemporaryDirectory() as folder, opened(sqlite_template.copy(Path(folder) / "t.db")) as database:
        readers = Readers(database)
        add_topics(database)
        for number, (who, minutes) in enumerate(acts):
            readers.signs_up(f"reader{who}.{number}@example.org", "oman", limits=Limits(an_hour=cap))
            readers.passes(minutes=minutes)
        due = [row.due_at for row in rows(readers) if row.due_at]
    assert all(sum(one <= other < one + timedelta(hours=1) for other in due) <= cap for one in due)


STANDINGS = (
    "unknown",
    "pending",
    "asked lately",
    "active",
    "active, asked lately",
    "paused",
    "left",
    "suppressed",
    "a suppressed reader",
    "a mailbox that had enough",
)


def stage(readers: Readers, standing: str) -> str:
    """Bring an address to where it stands, and return it."""
    name = standing.replace(", ", "-").replace(" ", "-")
    address = f"{name}@example.org"
    match standing:
        case "pending":
            readers.signs_up(address, "oman")
            readers.passes(minutes=11)
        case "asked lately":
            readers.signs_up(address, "oman")
        case "active" | "active, asked lately" | "paused" | "left" | "a suppressed reader":
            reader = readers.joins(address, "oman", name="Jo")
            if standing == "active, asked lately":
                readers.signs_up(address, "russia")
            if standing == "paused":
                with readers.database.write() as conn:
                    people.change_reader(conn, reader, paused_until=now(conn) + timedelta(days=9))
            if standing == "left":
                unsubscribe(readers.database, reader)
        case "a mailbox that had enough":
            for number in range(5):
                readers.signs_up(f"{name}+{number}@example.org", "oman")
    if "suppressed" in standing:
        with readers.database.write() as conn:
            people.suppress(conn, hash_address(address), reason="bounced")
    return address


@pytest.mark.parametrize("is_heard", [False, True], ids=["unheard", "heard"])
def test_a_sign_up_says_the_same_to_the_database_for_every_address(readers, is_heard):
    if is_heard:
        endpoint = Wish(url="https://crm.example.org/", types=("subscribed",))
        run_endpoints.add(readers.database, endpoint, actor="a test")
    addresses = [stage(readers, standing) for standing in STANDINGS]
    wish = {"name": "Jo", "locale": "ko", "timezone": "Asia/Seoul"}
    said = {}
    for standing, address in zip(STANDINGS, addresses, strict=True):
        with statements(readers.database) as said[standing]:
            readers.signs_up(address, "russia", query="oman -women", **wish)
    assert len(said["unknown"]) > 8
    for standing in STANDINGS:
        assert said[standing] == said["unknown"], standing


@pytest.mark.parametrize("standing", ["suppressed", "a suppressed reader"])
def test_what_is_done_for_a_suppressed_address_is_undone(readers, standing):
    address = stage(readers, standing)

    def stored():
        with readers.database.read() as conn:
            return conn.execute(sa.select(Subscriber.__table__).order_by(Subscriber.id)).all()

    before = stored()
    assert not readers.signs_up(address, "russia", locale="ko").asked
    assert stored() == before
    assert [(row.subscriber_id, row.mailbox_hash, row.due_at) for row in rows(readers)][-1] == (None, None, None)


def test_what_is_kept_of_a_question_is_told_and_goes_with_its_reader_or_after_a_day(readers):
    readers.signs_up(JO, "oman")
    readers.signs_up("al@example.org", "oman")
    address = normalise(JO)
    [told] = export(readers.database, address, hash_address(address.key))["questions"]
    assert told["due_at"] is not None
    erase(readers.database, address, hash_address(address.key), actor="a test", suppress=False)
    assert [row.subscriber_id for row in rows(readers)] == [readers.reader("al@example.org").id]
    readers.passes(days=1, seconds=1)
    with readers.database.write() as conn:
        upkeep.let_go(conn, at=now(conn), limit=10)
    assert rows(readers) == []


def test_an_operators_list_is_asked_at_once_and_pays_nothing(readers, write_list):
    lines = "\n".join(f"victim+{number}@example.org,,,,oman,daily," for number in range(7))
    file = write_list(f"email,name,locale,timezone,topics,cadence,at\n{lines}\n")
    import_readers(readers.database, file, Listing(hash_address=hash_address))
    assert rows(readers) == []
    assert readers.status("victim+6@example.org") is SubscriberStatus.PENDING
