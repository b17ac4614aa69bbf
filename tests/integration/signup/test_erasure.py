"""A reader is forgotten everywhere, in every column of every table and every file; and the books still hold."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.builders import (
    DOMAIN,
    HOLDER,
    card,
    follow,
    ids_of,
    news,
    own_query,
    reader,
    states_of,
    time_of,
)
from tests.integration.conftest import SUPPRESSION_KEY
from worker.content import DigestContent, Reason, Section
from worker.facts import Copy, EditionPlan
from worker.feedback.run_consequences import Means, draw
from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import Happening, State
from worker.model import Cadence, EditionId, EditionKind, Lane, LetterKind, SubscriberId, SubscriberStatus
from worker.signup import run_erasure
from worker.store import deliveries, editions, events, last_check, leases, mutes, own_letters, people
from worker.store.database import Database, now
from worker.store.deliveries import Outcome
from worker.store.schema import Base, Delivery, Event, StoryMute, Subscriber, Suppression, Topic
from worker.tokens import keyed_hash

ADDRESS = "Augusta.King@Lovelace.example"
HASH = keyed_hash(SUPPRESSION_KEY, ADDRESS.lower())
QUERY = "analytical engine"
HEADER = "email,name,locale,timezone,topics,cadence,at\n"
MEANS = Means(hash_address=lambda _address: HASH, unsubscribe=lambda *_: None, threshold=3)
SECRETS = ("augusta", "lovelace", "countess", QUERY, "provider-number-7")


@pytest.fixture
def augusta(database):
    """A reader about whom everything is known that can be."""
    with database.write() as conn:
        augusta = people.add_reader(
            conn,
            email=ADDRESS,
            address_hash=HASH,
            name="Countess Augusta",
            status=SubscriberStatus.ACTIVE,
            consent={"evidence": [{"how": "page", "ip_prefix": "203.0.113.0/24", "note": ADDRESS}]},
            confirmed_at=now(conn),
        )
        topic_id = own_query(conn, QUERY)
        follow(conn, augusta, topic_id, query=QUERY, cadence=Cadence.DAILY)
        story = news(conn, topic_id, title="An engine weaves")
    for fate in ("bounced", "planned"):
        sent(database, augusta, story, slot=fate)
    with database.write() as conn:
        mutes.mute_story(conn, augusta, story, until=now(conn) + timedelta(days=7))
    return augusta


def sent(database: Database, subscriber: SubscriberId, story, *, slot: str) -> EditionId:
    """Plan a digest that quotes the reader's own query; have it refused once, with a reply that quotes the address."""
    told = card(story).model_copy(update={"reasons": (Reason(topic=QUERY),)})
    content = DigestContent(
        locale="en",
        personal_to=subscriber,
        day=time_of(database).date(),
        sections=(Section(topic=QUERY, cards=(told,)),),
    )
    with database.write() as conn:
        at = now(conn)
        plan = EditionPlan(
            kind=EditionKind.DIGEST,
            slot=slot,
            locale="en",
            lane=Lane.BULK,
            due_at=at,
            expires_at=at + timedelta(hours=6),
        )
        edition_id = editions.open_edition(conn, plan)
        assert edition_id is not None
        (served,) = people.followings(conn, subscriber)
        copy = Copy(
            subscriber_id=subscriber,
            recipient=ADDRESS,
            content_id=editions.intern(conn, content),
            subscriptions=(served.id,),
        )
        editions.add_batch(conn, edition_id, [copy], lane=Lane.BULK, domain=DOMAIN)
        editions.close_edition(conn, edition_id)
        (delivery,) = ids_of(conn, edition_id)
        if slot == "planned":
            return edition_id
        lease = leases.take(conn, edition_id, 1, holder=HOLDER, lease_s=60)
        assert lease is not None
        assert last_check.commit(conn, lease, [delivery])
        reply = Outcome(
            delivery_id=delivery,
            fence=lease.fence,
            happening=Happening.REFUSED,
            provider="relay",
            code=550,
            text=f"5.1.1 <{ADDRESS}> no such user",
            provider_message_id="provider-number-7",
        )
        deliveries.record(conn, [reply])
        leases.release(conn, lease)
        bounce = FeedbackEvent(
            provider="mailgun",
            event_id="1",
            kind=EventKind.BOUNCED,
            occurred_at=at,
            delivery_id=delivery,
            recipient=ADDRESS,
            provider_message_id="provider-number-7",
            reason=f"no mailbox for {ADDRESS}",
        )
        events.put(conn, [(bounce, json.dumps({"to": ADDRESS.lower()}))], received_at=at)
        stray = FeedbackEvent(provider="returned mail", event_id="2", kind=EventKind.UNKNOWN, occurred_at=at)
        events.put(conn, [(stray, f"Final-Recipient: {ADDRESS.upper()}")], received_at=at)
        people.suppress(conn, HASH, reason=f"550 <{ADDRESS}> no such user")
    return edition_id


def everything(database: Database) -> str:
    """Return the whole database as text."""
    with database.read() as conn:
        rows = [str(tuple(row)) for table in Base.metadata.sorted_tables for row in conn.execute(table.select())]
    return "\n".join(rows).lower()


def test_nothing_of_the_reader_is_left_in_any_table(tocsin, database, augusta):
    before = everything(database)
    for secret in SECRETS:
        assert secret in before, secret
    status, _, err = tocsin("subscribers", "erase", ADDRESS, "--yes")
    assert status == 0, err
    after = everything(database)
    for secret in SECRETS:
        assert secret not in after, secret
    with database.read() as conn:
        row = conn.execute(sa.select(Subscriber.__table__).where(Subscriber.id == augusta)).one()
        assert (row.status, row.email, row.address_hash, row.name, row.consent) == ("erased", None, None, "", {})
        assert conn.execute(sa.select(StoryMute.story_id)).all() == []
        assert sorted(states_of(conn)) == [State.REFUSED, State.SUPPRESSED]
        assert editions.audience_holds(conn)
        assert editions.conservation(conn)["audience"] == 2


@pytest.mark.usefixtures("augusta")
def test_a_reader_is_told_what_they_have_muted(tocsin):
    told = json.loads(tocsin("subscribers", "export", "--address", ADDRESS)[1])
    assert [one["title"] for one in told["muted_stories"]] == ["An engine weaves"]
    assert all("muted_until" in one for one in told["subscriptions"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL's files are its own, until it vacuums
@pytest.mark.usefixtures("augusta")
def test_no_byte_of_the_address_is_left_in_the_files(tocsin, tmp_path):
    inbox = tocsin.home / "inbox"
    for name in ("cur", "new", "tmp"):
        (inbox / name).mkdir(parents=True)
    mail = f"Delivered-To: {ADDRESS}\r\nTo: {ADDRESS}\r\n\r\nNews.\r\n"
    (inbox / "new" / "1.M1P1.abc").write_text(mail)
    (inbox / "new" / "2.M1P1.abd").write_text(mail.replace(ADDRESS, "bo@readers.example"))
    (tocsin.home / "returned-mail" / "new").mkdir(parents=True)
    (tocsin.home / "returned-mail" / "new" / "1").write_text(f"Final-Recipient: rfc822; {ADDRESS.upper()}")
    assert leaks(tmp_path)
    (told,) = tocsin.ask("subscribers", "erase", ADDRESS, "--yes")
    assert (told["known"], told["unsent"], told["mails"], told["files"], told["flushed"]) == (True, 1, 2, 2, True)
    assert leaks(tmp_path) == []
    assert (inbox / "new" / "2.M1P1.abd").exists()


def leaks(folder: Path) -> list[str]:
    """Return the files in which something of the reader stands, the database's own files too."""
    secrets = [secret.encode() for secret in SECRETS]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(secret in path.read_bytes().lower() for secret in secrets)]


def test_mail_to_a_former_address_goes_too(tocsin, database, augusta):
    with database.write() as conn:
        own_letters.put(conn, augusta, LetterKind.MOVED, recipient="ada@byron.example", recipient_hash="hash of it")
    for name in ("cur", "new", "tmp"):
        (tocsin.home / "inbox" / name).mkdir(parents=True)
    inbox = tocsin.home / "inbox" / "new"
    (inbox / "1.M1P1.abc").write_text("Delivered-To: ada@byron.example\r\n\r\nNews.\r\n")
    (told,) = tocsin.ask("subscribers", "erase", ADDRESS, "--yes")
    assert (told["files"], list(inbox.iterdir())) == (1, [])


@pytest.mark.usefixtures("augusta")
def test_a_suppression_outlives_the_erasure_and_an_import(tocsin, database, write_list):
    tocsin("subscribers", "erase", ADDRESS, "--yes")
    with database.read() as conn:
        assert people.is_suppressed(conn, HASH) == "operator"  # the reason quoted the address
    assert (
        "1 suppressed"
        in tocsin("subscribers", "import", write_list(f"{HEADER}{ADDRESS},,,,oman,,\n"), "--confirmed")[2]
    )
    with database.read() as conn:
        assert people.by_address(conn, HASH) is None


@pytest.mark.usefixtures("augusta")
def test_what_a_server_said_of_a_reader_is_forgotten_even_where_it_names_no_address(tocsin, database):
    with database.write() as conn:
        values = {"cause": "bounce", "reason": "550 the Countess has moved"}
        conn.execute(sa.update(Suppression).where(Suppression.address_hash == HASH).values(**values))
    assert "countess has moved" in everything(database)
    tocsin("subscribers", "erase", ADDRESS, "--yes")
    assert "countess" not in everything(database)
    with database.read() as conn:
        assert people.is_suppressed(conn, HASH) == "bounce"


@pytest.mark.usefixtures("augusta")
def test_a_suppression_that_was_lifted_leaves_no_name_behind(tocsin, database):
    tocsin("subscribers", "unsuppress", ADDRESS, "--reason", f"{ADDRESS} wrote to the desk")
    assert "550 <augusta" in everything(database)
    told = json.loads(tocsin("subscribers", "export", "--address", ADDRESS)[1])
    assert [act["action"] for act in told["acts"]] == ["unsuppress"]
    assert told["acts"][0]["reason"] == f"{ADDRESS} wrote to the desk"
    tocsin("subscribers", "erase", ADDRESS, "--yes")
    assert "lovelace" not in everything(database)


def test_an_address_may_come_again_as_a_stranger_unless_that_is_not_wanted(tocsin, database, write_list):
    listed = write_list(HEADER + "jo@example.org,,,,oman,,\n")
    tocsin("subscribers", "import", listed, "--confirmed")
    tocsin("subscribers", "erase", "jo@example.org", "--yes")
    assert "1 new" in tocsin("subscribers", "import", listed, "--confirmed")[2]
    assert tocsin("subscribers", "show", "jo@example.org")[0] == 0
    tocsin("subscribers", "erase", "jo@example.org", "--yes", "--suppress")
    tocsin("subscribers", "import", listed, "--confirmed")
    assert tocsin("subscribers", "show", "jo@example.org")[0] == 2
    with database.read() as conn:
        assert len(conn.execute(sa.select(Subscriber.id)).all()) == 2  # two tombstones


def test_what_the_wire_brings_in_late_is_forgotten_too(tocsin, database, augusta):
    with database.write() as conn:
        (delivery,) = conn.execute(sa.select(Delivery.id).where(Delivery.state == State.PLANNED)).scalars()
        conn.execute(sa.update(Delivery).where(Delivery.id == delivery).values(state=State.COMMITTING, fence=1))
    tocsin("subscribers", "erase", ADDRESS, "--yes")
    with database.write() as conn:
        reply = Outcome(
            delivery_id=delivery, fence=1, happening=Happening.REFUSED, provider="relay", text=f"<{ADDRESS}> is full"
        )
        deliveries.record(conn, [reply])
    assert "lovelace" in everything(database)
    run_erasure.sweep(database)
    with database.write() as conn:
        for event_id in events.unsettled(conn, limit=99):
            draw(conn, event_id, MEANS)
    assert "lovelace" not in everything(database)
    with database.read() as conn:
        assert State.REFUSED in states_of(conn)
        assert augusta in [row.id for row in conn.execute(sa.select(Subscriber.id))]


def test_a_query_that_somebody_else_follows_too_stays_theirs(tocsin, database, augusta):
    assert augusta
    with database.write() as conn:
        (topic_id,) = conn.execute(sa.select(Topic.id).where(Topic.query == QUERY)).scalars()
        other = reader(conn)
        follow(conn, other, topic_id, query=QUERY)
    tocsin("subscribers", "erase", ADDRESS, "--yes")
    with database.read() as conn:
        assert conn.execute(sa.select(Topic.query, Topic.dormant).where(Topic.id == topic_id)).one() == (QUERY, False)
        assert len(people.followings(conn, other)) == 1


@pytest.mark.usefixtures("augusta")
def test_once_more_finds_nothing_and_says_so(tocsin):
    tocsin("subscribers", "erase", ADDRESS, "--yes")
    (told,) = tocsin.ask("subscribers", "erase", ADDRESS, "--yes")
    assert (told["known"], told["mails"], told["events"]) == (False, 0, 0)
    says = tocsin.ask("deliveries", "trace", ADDRESS)[0]["says"]
    assert says == "No reader has this address, and nothing is sent to it: operator."


@pytest.mark.usefixtures("augusta")
def test_a_reader_is_told_everything_that_is_held(tocsin, database):
    status, out, _ = tocsin("subscribers", "export", "--address", ADDRESS.lower())
    assert status == 0
    told = json.loads(out)
    assert told["reader"]["name"] == "Countess Augusta"
    assert told["reader"]["consent"]["evidence"][0]["how"] == "page"
    assert told["subscriptions"][0]["query"] == QUERY
    assert told["suppression"]["reason"].startswith("550")
    refused, planned = told["deliveries"]
    assert refused["tries"][0]["text"] == f"5.1.1 <{ADDRESS}> no such user"
    assert (planned["state"], planned["stories"]) == ("planned", ["Envoy summoned"])
    assert [event["raw"] for event in told["events"]] == [
        "",  # the refusal, in our own words
        json.dumps({"to": ADDRESS.lower()}),
        f"Final-Recipient: {ADDRESS.upper()}",
    ]
    tocsin("subscribers", "erase", ADDRESS, "--yes")
    left = json.loads(tocsin("subscribers", "export", "--address", ADDRESS)[1])
    assert (left["reader"], left["deliveries"], left["events"]) == (None, [], [])
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count(Event.id))).scalar() == 3  # that something was told, not what
