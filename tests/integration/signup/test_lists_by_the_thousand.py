"""A list taken by the thousand lines ends in the same rows as one taken line by line, whoever was there before."""

from __future__ import annotations

import io
import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import BOTH
from tests.databases import opened
from worker.errors import TocsinError
from worker.signup import run_admitting, run_import, run_storing
from worker.signup.importing import Line, Rules, read_lines
from worker.signup.run import come_back
from worker.signup.run_import import Fate, Listing, import_readers
from worker.signup.run_newsletters import import_newsletters
from worker.signup.run_preferences import unsubscribe
from worker.signup.wishes import Rhythm
from worker.store import crowds, mutes, newsletters, people, topics
from worker.store.database import Database, now
from worker.store.house import MATCH_SEQ, draw
from worker.store.schema import Asking, Newsletter, Story, Subscriber, Subscription, Topic, TopicStory

from .conftest import EVIDENCE, Readers, add_topics, hash_address
from .one_by_one import take_lines

HEADER = "email,name,locale,timezone,topics,cadence,at,status\n"
TOPICS = ("oman", "russia", "north-korea", "newsletter:top", "newsletter:mine")
NEWSLETTERS = """
- {slug: top, name: Top, sender: {name: C, address: c@x.org}, schedule: FREQ=DAILY;BYHOUR=7, timezone: UTC}
- {slug: mine, name: Mine, sender: {name: C, address: c@x.org}, schedule: FREQ=DAILY;BYHOUR=6, timezone: UTC,
   timing: reader}
"""

pasts = st.sampled_from(
    [
        "",
        "sign up",
        "sign up, later",
        "own query",
        "own query, confirm, sign up",
        "sign up, confirm",
        "at once, confirm",
        "at once, confirm, pause",
        "sign up, confirm, newsletter",
        "at once, confirm, drop",
        "sign up, confirm, rest, drop",
        "at once, confirm, mute, drop",
        "at once, confirm, mute",
        "sign up, confirm, leave",
        "sign up, confirm, leave, later, sign up",
        "at once, confirm, leave, back, confirm",
        "suppress",
        "sign up, confirm, suppress",
    ]
)
lines = st.builds(
    lambda who, name, locale, zone, follows, cadence, at, status: (
        f"{who},{name},{locale},{zone},{';'.join(follows)},{cadence},{at},{status}\n"
    ),
    st.integers(0, 2),
    st.sampled_from(["", "Jo", "Zoë Ō"]),
    st.sampled_from(["", "ko", "en"]),
    st.sampled_from(["", "Asia/Seoul", "Europe/Berlin"]),
    st.lists(st.sampled_from(TOPICS), max_size=4, unique=True).map(lambda slugs: slugs or ["oman"]),
    st.sampled_from(["", "daily", "immediate", "weekly", "hourly"]),
    st.sampled_from(["", "18:30", "07:00;18:30"]),
    st.sampled_from(["", "", "", "active", "pending", "paused", "left"]),
)
number = itertools.count()
_NUMBERS = {"id", "subscriber_id", "topic_id", "newsletter_id"}  # two databases give their own


@pytest.fixture(params=BOTH)
def houses(request, make_url, tmp_path) -> Iterator[list[Readers]]:
    """Two houses alike, with stories told, one of which is still to be alerted."""
    with ExitStack() as stack:
        made = []
        for name in ("one", "other"):
            url = make_url(request.param)
            if request.param == "sqlite":
                file = tmp_path / f"{name}.db"
                Path(tmp_path / "tocsin.db").rename(file)
                url = f"sqlite:///{file}"
            database = stack.enter_context(opened(url))
            add_topics(database)
            file = tmp_path / "newsletters.yaml"
            file.write_text(NEWSLETTERS)
            import_newsletters(database, file)
            _tell_stories(database)
            made.append(Readers(database))
        yield made


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    before=st.tuples(pasts, pasts, pasts),
    listed=st.lists(lines, min_size=1, max_size=7),
    confirmed=st.booleans(),
    rows_a_chunk=st.sampled_from([201, 5_000]),
)
def test_by_the_thousand_comes_to_the_same_as_line_by_line(  # noqa: PLR0917  hypothesis fills them by name
    houses, tmp_path, before, listed, confirmed, rows_a_chunk
):
    run = next(number)
    began = datetime.now(UTC)
    for readers in houses:
        for who, past in enumerate(before):
            for act in past.split(", ") if past else ():
                _does(readers, f"p{who}.{run}@example.org", act)
        with readers.database.write() as conn:
            draw(conn, MATCH_SEQ)  # a story since then
    text = HEADER + "".join(f"p{line[0]}.{run}@example.org{line[1:]}" for line in listed)
    one, other = (readers.database for readers in houses)
    rules = Rules(topics=TOPICS)
    read = [line for line in read_lines(io.BytesIO(text.encode()), rules) if isinstance(line, Line)]
    slowly = take_lines(one, read, hash_address, confirmed=confirmed)
    file = tmp_path / "list.csv"
    file.write_text(text)
    with patch.object(run_storing, "_ROWS_A_TRANSACTION", rows_a_chunk):
        rehearsed = import_readers(other, file, Listing(hash_address=hash_address, confirmed=confirmed, dry_run=True))
        fast = import_readers(other, file, Listing(hash_address=hash_address, confirmed=confirmed))
    assert dict(fast.fates) == dict(slowly)
    assert rehearsed == fast
    if datetime.now(UTC).hour == began.hour:  # else what is hourly may be due an hour later in one of them
        assert _stored(other, run) == _stored(one, run)


def _does(readers: Readers, address: str, act: str) -> None:
    database = readers.database
    with database.read() as conn:
        reader = people.by_address(conn, hash_address(address))
    if act == "sign up":
        readers.signs_up(address, "oman", timezone="Europe/Berlin", name="Signed")
    elif act == "at once":
        readers.signs_up(address, "oman", "russia", rhythm={"cadence": "immediate"})
    elif act == "own query":
        readers.signs_up(address, query="ferry AND sank", rhythm={"cadence": "weekly"})
    elif act == "suppress":
        with database.write() as conn:
            people.suppress(conn, hash_address(address), reason="test")
    elif reader is None:
        return
    elif act == "confirm":
        readers.confirms(address)
    elif act == "leave":
        unsubscribe(database, reader.id)
    elif act == "back":
        come_back(database, reader.id, evidence=EVIDENCE, hash_address=hash_address)
    else:
        _is_changed(readers, reader, act)


def _is_changed(readers, reader, act):
    with readers.database.write() as conn:
        at = now(conn)
        following = people.followings(conn, reader.id)
        if act == "pause":
            people.change_reader(conn, reader.id, paused_until=at + timedelta(days=2), paused_at=at)
        elif act == "rest" and reader.status == "active":
            people.change_reader(conn, reader.id, status="paused", paused_at=at)
        elif act == "later":  # what was asked long ago may be asked again
            ago = {"asked_at": [(at - timedelta(days=2)).isoformat()]}
            people.change_reader(conn, reader.id, consent={**reader.consent, **ago})
        elif act == "mute" and following:
            mutes.mute_topic(conn, following[0].id, until=at + timedelta(days=7))
        elif act == "drop" and following:
            people.unfollow(conn, reader.id, [following[0].id])
        elif act == "newsletter":
            rhythm, letter = Rhythm(), newsletters.by_slug(conn, "mine")
            assert letter is not None
            people.follow(
                conn,
                reader.id,
                newsletter_id=letter.id,
                cadence=rhythm.cadence,
                times=rhythm.times,
                weekday=None,
                next_due_at=None,
            )


def _tell_stories(database):
    with database.write() as conn:
        at = now(conn)
        draw(conn, MATCH_SEQ, 7)
        for slug, seq, due_at in (("oman", 5, at), ("russia", 6, None)):
            topic = topics.topic_by_slug(conn, slug)
            assert topic is not None
            story_id = conn.execute(sa.insert(Story).values(created_at=at).returning(Story.id)).scalar_one()
            values = {
                "topic_id": topic.id,
                "story_id": story_id,
                "match_seq": seq,
                "matched_at": at,
                "alert_due_at": due_at,
            }
            conn.execute(sa.insert(TopicStory).values(**values))


def _stored(database, run):
    """Return all that is stored of this run's readers, with moments only told to be there."""
    with database.read() as conn:
        mine = Subscriber.email.contains(f".{run}@")
        readers = [_plain(dict(row._mapping)) for row in conn.execute(sa.select(Subscriber.__table__).where(mine))]
        query = (
            sa.select(Subscriber.email, Topic.canonical, Newsletter.slug, Subscription.__table__)
            .join(Subscription, Subscription.subscriber_id == Subscriber.id)
            .outerjoin(Topic, Topic.id == Subscription.topic_id)
            .outerjoin(Newsletter, Newsletter.id == Subscription.newsletter_id)
            .where(mine)
        )
        follows = [_plain(dict(row._mapping)) for row in conn.execute(query)]
        asked = conn.execute(
            sa.select(Subscriber.email, sa.func.count())
            .join(Asking, Asking.subscriber_id == Subscriber.id)
            .where(mine)
            .group_by(Subscriber.email)
        )
        questions = {email: count for email, count in asked}  # noqa: C416  rows are no pairs to mypy
    return (
        questions,
        sorted(readers, key=lambda row: row["email"]),
        sorted(follows, key=lambda row: (row["email"], row["canonical"] or "", row["slug"] or "")),
    )


def _plain(row):
    kept = {name: value for name, value in row.items() if name not in _NUMBERS}
    return {
        name: value is not None if isinstance(value, datetime) and name != "next_due_at" else _timeless(value)
        for name, value in kept.items()
    }


def _timeless(value):
    if isinstance(value, dict):
        return {name: "T" if name == "at" else _timeless(one) for name, one in value.items() if name != "asked_at"} | (
            {"asked_at": len(value["asked_at"])} if "asked_at" in value else {}
        )
    return [_timeless(one) for one in value] if isinstance(value, (list, tuple)) else value


def test_who_signs_up_while_a_list_is_stored_is_found_and_nobody_is_lost(make_url, tmp_path, monkeypatch):
    with opened(make_url("postgresql")) as database:
        add_topics(database)
        readers, seen = Readers(database), crowds.readers
        meanwhile = ["jo@example.org"]

        def found(conn, hashes):
            rows = seen(conn, hashes)
            if meanwhile:  # they are committed before the list's own row of them is written
                readers.signs_up(meanwhile.pop(), "russia")
            return rows

        monkeypatch.setattr(crowds, "readers", found)
        file = tmp_path / "list.csv"
        file.write_text(HEADER + "al@example.org,,,,oman,,,\njo@example.org,,,,oman,,,\n")
        imported = import_readers(database, file, Listing(hash_address=hash_address, confirmed=True))
        assert dict(imported.fates) == {"new": 1, "updated": 1}
        assert set(readers.follows("jo@example.org")) == set(readers.follows("al@example.org")) == {"oman"}


def test_an_import_that_broke_off_is_finished_by_the_next(database, tmp_path, monkeypatch):
    add_topics(database)
    file = tmp_path / "list.csv"
    file.write_text(HEADER + "".join(f"r{one}@example.org,,,,oman,,,\n" for one in range(6)))
    listing = Listing(hash_address=hash_address, confirmed=True)
    take, taken = run_admitting.take, []

    def breaks_off(*args, **how):
        taken.append(1)
        if len(taken) == 2:
            raise KeyboardInterrupt
        return take(*args, **how)

    monkeypatch.setattr(run_storing, "_ROWS_A_TRANSACTION", 204)  # two lines at once
    monkeypatch.setattr(run_storing, "take", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        import_readers(database, file, listing)
    fates = import_readers(database, file, listing).fates
    assert fates == {Fate.UPDATED: 2, Fate.NEW: 4}
    readers = Readers(database)
    assert all(set(readers.follows(f"r{one}@example.org")) == {"oman"} for one in range(6))


def test_what_was_muted_and_then_ended_is_heard_again_when_a_list_brings_it_back(readers, write_list):
    for address, ends in (("jo@example.org", True), ("ada@example.org", False)):
        reader_id = readers.joins(address, "oman", "russia")
        with readers.database.write() as conn:
            mutes.mute_topic(conn, readers.follows(address)["oman"].id, until=now(conn) + timedelta(days=7))
            if ends:
                people.unfollow(conn, reader_id, [readers.follows(address)["oman"].id])
    file = write_list(HEADER + "jo@example.org,,,,oman,weekly,,\nada@example.org,,,,oman,weekly,,\n")
    import_readers(readers.database, file, Listing(hash_address=hash_address, confirmed=True))
    assert readers.follows("jo@example.org")["oman"].muted_until is None
    assert readers.follows("ada@example.org")["oman"].muted_until is not None


@pytest.fixture
def by_parts(make_url, monkeypatch) -> Iterator[Database]:
    """A database that takes more than one writer, where every list counts as a long one."""
    monkeypatch.setattr(run_import, "_LONG_BYTES", 0)
    with opened(make_url("postgresql")) as database:
        add_topics(database)
        yield database


def test_a_long_list_is_shared_out_and_each_readers_lines_stay_in_order(by_parts, tmp_path):
    cadences = ("daily", "hourly", "weekly")
    # An odd number of readers: sharing out by lines would part one reader's.
    rows = [f"r{number % 41}@example.org,Name {number},,,oman,{cadences[number // 41]},," for number in range(123)]
    file = tmp_path / "list.csv"
    file.write_text(HEADER + "\n".join(rows))
    told: list[int] = []
    listing = Listing(hash_address=hash_address, confirmed=True)
    assert import_readers(by_parts, file, listing, progress=told.append).fates == {Fate.NEW: 41, Fate.UPDATED: 82}
    assert told == sorted(told)
    assert told[-1] == 2 * file.stat().st_size
    readers = Readers(by_parts)
    for number in range(41):
        address = f"r{number}@example.org"
        assert readers.reader(address).name == f"Name {82 + number}"
        assert readers.follows(address)["oman"].cadence == "weekly"


def test_what_goes_wrong_in_a_part_is_told_and_ends_the_import(by_parts, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(HEADER + "jo@example.org,,,,oman,,,\n")
    with pytest.raises(ValueError, match="invalid literal"):
        import_readers(by_parts, file, Listing(hash_address=_count_it, confirmed=True))


def test_a_part_that_is_killed_is_told(by_parts, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(HEADER + "9@example.org,,,,oman,,,\n")
    with pytest.raises(TocsinError, match="run the import again"):
        import_readers(by_parts, file, Listing(hash_address=_kill_oneself, confirmed=True))


def _count_it(address: str) -> str:
    return str(int(address))


def _kill_oneself(_address: str) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")
