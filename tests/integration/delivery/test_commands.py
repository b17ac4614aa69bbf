"""`tocsin editions` and `tocsin deliveries`, as an operator and a help desk type them."""

from __future__ import annotations

import io
import json
import sys
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import (
    article,
    change_edition,
    deliveries_of,
    edition,
    follow,
    ids_of,
    match,
    reader,
    states_of,
    topic,
)
from tests.integration.conftest import SUPPRESSION_KEY
from tests.integration.delivery.stand_in import BUSY, NO_SUCH_USER
from worker.errors import OutcomeUnknown
from worker.lifecycle import State
from worker.model import Cadence, EditionKind, EditionStatus, Lapse, Owing, SubscriberStatus
from worker.store import house, mutes, people
from worker.store.database import now
from worker.store.schema import Article, Burst, EditionContent, Event, Omission, OwedStory, Story, TopicStory
from worker.tokens import keyed_hash

ADDRESS = "ada@readers.example"


def hashed(address: str) -> str:
    return keyed_hash(SUPPRESSION_KEY, address)


@pytest.fixture
def send(database):
    """An edition for three readers."""
    with database.write() as conn:
        return edition(conn, [reader(conn, name) for name in ("ada", "bo", "cy")])


@pytest.fixture
def doubts(database, send, post):
    """The same, and nobody knows what became of it."""
    with database.read() as conn:
        for row in deliveries_of(conn):
            post.transport.answers[row.recipient].append(OutcomeUnknown("the reply was lost"))
    post.deliver(send)
    return send


def test_an_edition_is_paused_resumed_and_cancelled(tocsin, send):
    assert tocsin.ask("editions", "pause", send, "--reason", "wrong headline") == [
        {
            "id": send,
            "was": "planned",
            "status": "paused",
            "changed": True,
            "cancelled": 0,
            "says": f"edition {send} was planned and is paused now",
        }
    ]
    (shown,) = tocsin.ask("editions", "show", send)
    assert (shown["status"], shown["conservation"]["open"]) == ("paused", 3)
    assert shown["reason"].endswith("wrong headline")
    assert not tocsin.rung
    tocsin.ask("editions", "resume", send)
    assert tocsin.rung == ["sweep_deliveries"]
    assert tocsin.ask("editions", "cancel", send)[0]["cancelled"] == 3
    assert tocsin.ask("editions", "cancel", send)[0]["changed"] is False
    status, out, err = tocsin("editions", "resume", send)
    assert (status, out) == (1, "")
    assert "already cancelled" in err


def test_an_edition_that_is_not_there_is_told(tocsin):
    status, _, err = tocsin("editions", "pause", 9)
    assert status == 2
    assert "there is no edition 9" in err


def test_unknown_deliveries_are_shown_and_settled(tocsin, database, doubts):
    shown = tocsin.ask("deliveries", "resolve")
    assert [row["recipient"][:2] for row in shown] == ["ad", "bo", "cy"]
    first, *others = [row["id"] for row in shown]
    assert tocsin.ask("deliveries", "resolve", first, "--as", "resend")[0]["resolved"] is True
    assert tocsin.rung == ["sweep_deliveries"]
    assert len(tocsin.ask("deliveries", "resolve", "--edition", doubts, "--as", "accepted", "--yes")) == len(others)
    with database.read() as conn:
        assert states_of(conn) == [State.DEFERRED, State.ACCEPTED, State.ACCEPTED]
    status, _, err = tocsin("deliveries", "resolve", first, "--as", "refused")
    assert status == 2
    assert f"delivery {first} is deferred, not unknown" in err


@pytest.mark.parametrize(("answer", "state"), [("y\n", State.REFUSED), ("n\n", State.UNKNOWN), ("", State.UNKNOWN)])
@pytest.mark.usefixtures("doubts")
def test_nobody_settles_many_without_being_asked(tocsin, monkeypatch, answer, state):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    tocsin("deliveries", "resolve", "--as", "refused")
    with tocsin.database.read() as conn:
        assert states_of(conn) == [state] * 3


def test_who_resends_what_is_too_late_is_told(tocsin, database, doubts):
    with database.write() as conn:
        change_edition(conn, doubts, expires_at=now(conn))
        first = ids_of(conn, doubts)[0]
    assert "1 of them are not sent any more" in tocsin("deliveries", "resolve", first, "--as", "resend")[2]


def test_deliveries_are_listed_by_what_one_knows_of_them(tocsin, database, send, post):
    with database.write() as conn:
        ada = deliveries_of(conn)[0].subscriber_id
        people.change_reader(conn, ada, address_hash=hashed(ADDRESS))
        post.transport.answers["bo@readers.example"].append(NO_SUCH_USER)
    post.deliver(send)
    assert [row["recipient"] for row in tocsin.ask("deliveries", "list", "--address", "Ada@readers.example")] == [
        ADDRESS
    ]
    assert len(tocsin.ask("deliveries", "list", "--domain", "readers.example")) == 3
    assert tocsin.ask("deliveries", "list", "--domain", "elsewhere.example") == []
    assert len(tocsin.ask("deliveries", "list", "--provider", "stand-in", "--state", "accepted")) == 2
    assert tocsin("deliveries", "list", "--address", "who@readers.example")[0] == 2
    status, _, err = tocsin("deliveries", "list", "--edition", send + 1)
    assert (status, f"there is no edition {send + 1}" in err) == (2, True)


def test_an_edition_s_audience_is_shown_once(tocsin, send):
    assert tocsin("editions", "show", send)[1].count("audience") == 1


def test_the_doctor_tells_of_what_waits_for_a_person(tocsin, doubts):
    def sends():
        told = map(json.loads, tocsin("doctor", "--no-dns", "--json")[1].splitlines())
        return [(row["health"], row["says"]) for row in told if row["part"] == "sends"]

    unknown = ("note", "of 3 deliveries nobody knows whether they arrived")
    assert sends() == [("well", "no edition is held or paused"), unknown]
    tocsin("editions", "pause", doubts, "--reason", "wrong headline")
    (paused, *others) = sends()
    assert others == [unknown]
    assert (paused[0], paused[1].endswith("wrong headline")) == ("note", True)


# Why did, or didn't, this reader get it ------------------------------------------------------------------------------


@pytest.fixture
def ada(database):
    """A reader who follows one topic of two as it comes, in Seoul."""
    with database.write() as conn:
        concerned, other = topic(conn, "volcanoes", en="Volcanoes"), topic(conn, "trains", en="Trains")
        ada = people.add_reader(
            conn,
            email=ADDRESS,
            address_hash=hashed(ADDRESS),
            status=SubscriberStatus.ACTIVE,
            timezone="Asia/Seoul",
            confirmed_at=now(conn),
        )
        follow(conn, ada, concerned)
        follow(conn, ada, other, cadence=Cadence.DAILY, due_at=now(conn) + timedelta(hours=1))
        number, story = article(conn, "Etna throws lava")
        match(conn, number, concerned, alert_in=timedelta(0))
    return ada, number, story


def test_a_mail_that_was_sent_is_traced_through_every_stage(tocsin, database, ada, post):
    reader_id, number, story = ada
    with database.write() as conn:
        alert = edition(conn, [reader_id], kind=EditionKind.ALERT, story=story)
        (delivery,) = ids_of(conn, alert)
    post.transport.answers[ADDRESS] += [BUSY, NO_SUCH_USER]
    post.deliver(alert)
    with database.write() as conn:
        conn.execute(
            sa.insert(Event).values(
                provider="mailgun",
                provider_event_id="1",
                kind="bounced",
                delivery_id=delivery,
                occurred_at=now(conn) + timedelta(minutes=1),
                received_at=now(conn),
                normalised={"status": "5.1.1", "reason": "no such user"},
            )
        )
    (traced,) = tocsin.ask("deliveries", "trace", "ADA@readers.example", "--article", number)
    whats = [entry["what"] for entry in traced["timeline"]]
    for what in ("published", "seen", "matched", "followed", "concerned", "planned", "deferred", "bounced"):
        assert what in whats, whats
    assert {entry["what"]: entry["says"] for entry in traced["timeline"]}["bounced"] == "mailgun: 5.1.1 no such user"
    assert "could not be handed over yet: 4.3.2 busy" in traced["says"]
    assert traced["deliveries"][0]["tries"][0]["code"] == 451
    assert [one["says"] for one in traced["subscriptions"]] == [
        "The story met Volcanoes.",
        "The article does not concern Trains.",
    ]


def test_the_words_that_matched_are_shown_to_people(tocsin, ada):
    out = tocsin("deliveries", "trace", ADDRESS, "--article", ada[1])[1]
    assert "the story met Volcanoes by the words Etna" in out
    assert out.splitlines()[-1] == "The alert for Volcanoes is being planned at this moment."


def test_an_article_that_was_withdrawn_explains_itself(tocsin, database, ada):
    with database.write() as conn:
        conn.execute(sa.update(Story).values(killed_at=now(conn)))
    assert "An editor withdrew the story" in tocsin.ask("deliveries", "trace", ADDRESS, "--article", ada[1])[0]["says"]


def test_an_article_that_waits_to_be_matched_explains_itself(tocsin, database, ada):
    with database.write() as conn:
        conn.execute(sa.update(Article).values(matched_at=None))
    assert "yet" in tocsin.ask("deliveries", "trace", ADDRESS, "--article", ada[1])[0]["says"]


def test_a_story_is_stopped_from_the_command_line(tocsin, ada):
    (told,) = tocsin.ask("articles", "kill", ada[1], "--reason", "not true")
    assert (told["article"], told["changed"]) == (ada[1], True)
    assert tocsin("articles", "kill", 99)[0] == 2


def test_a_copy_that_was_cancelled_has_its_line_in_the_timeline(tocsin, database, ada):
    with database.write() as conn:
        digest = edition(conn, [ada[0]])
    assert tocsin("editions", "cancel", digest, "--reason", "wrong headline")[0] == 0
    (traced,) = tocsin.ask("deliveries", "trace", ADDRESS)
    last = traced["timeline"][-1]
    assert last["what"] == "cancelled"
    assert last["says"].endswith("wrong headline")


def test_without_an_article_a_readers_mails_are_told(tocsin, database, ada, post):
    with database.write() as conn:
        digest = edition(conn, [ada[0]])
    assert "Volcanoes" not in tocsin.ask("deliveries", "trace", ADDRESS)[0]["says"]
    post.deliver(digest)
    (traced,) = tocsin.ask("deliveries", "trace", ADDRESS)
    assert "was taken on by stand-in" in traced["says"]


def test_an_address_that_is_unknown_suppressed_or_none_at_all_is_answered(tocsin, database, ada):
    (traced,) = tocsin.ask("deliveries", "trace", "who@readers.example")
    assert traced["reader"] is None
    assert "No reader has this address" in traced["says"]
    with database.write() as conn:
        people.suppress(conn, hashed("who@readers.example"), reason="complaint")
        people.suppress(conn, hashed(ADDRESS), reason="hard bounce")
    assert "nothing is sent to it: complaint" in tocsin.ask("deliveries", "trace", "who@readers.example")[0]["says"]
    assert tocsin.ask("deliveries", "trace", ADDRESS, "--article", ada[1])[0]["says"].endswith("hard bounce.")
    assert tocsin("deliveries", "trace", "who")[0] == 2
    assert tocsin("deliveries", "trace", ADDRESS, "--article", 99)[0] == 2


def test_who_settled_what_is_in_the_audit_without_an_address(tocsin, database, doubts):
    tocsin("deliveries", "resolve", "--as", "accepted", "--yes")
    tocsin("editions", "cancel", doubts)
    with database.read() as conn:
        first = ids_of(conn, doubts)[0]
        ((_, actor, action, _),) = house.notes(conn, f"delivery {first}")
        assert (actor.endswith("at the command line"), action) == (True, "resolve as accepted")
        assert "@" not in actor
        (row,) = conn.execute(sa.text("SELECT status FROM edition")).all()
        assert row.status == EditionStatus.FINISHED


def test_a_story_that_is_owed_passed_over_or_without_room_is_traced(tocsin, database, ada):
    reader_id, number, story = ada
    with database.write() as conn:
        at = now(conn)
        owed = {"subscriber_id": reader_id, "story_id": story, "why": Owing.BUDGET}
        conn.execute(sa.insert(OwedStory).values(**owed, owed_at=at, due_at=at + timedelta(hours=1)))
        lapse = {"subscriber_id": reader_id, "at": at, "why": Lapse.AWAY}
        conn.execute(sa.insert(Omission).values(**lapse, stories=[story]))
        conn.execute(sa.insert(Omission).values(**lapse, stories=[story + 1]))
        _, other = article(conn, "A story with room")
        crowded = edition(conn, [reader_id], kind=EditionKind.DIGEST, story=other)
        conn.execute(
            sa.update(EditionContent).values(
                body=sa.func.replace(EditionContent.body, '"left_out":[]', f'"left_out":[{story}]')
            )
        )
    (traced,) = tocsin.ask("deliveries", "trace", ADDRESS, "--article", number)
    assert "as many alerts that day as they want" in traced["says"]
    whats = [entry["what"] for entry in traced["timeline"]]
    assert [whats.count(what) for what in ("comes later", "passed over", "no room")] == [1, 1, 1]
    with database.write() as conn:
        conn.execute(sa.delete(OwedStory))
        assert len(ids_of(conn, crowded)) == 1
    (traced,) = tocsin.ask("deliveries", "trace", ADDRESS, "--article", number)
    assert "had no room for it under Diplomacy" in traced["says"]


@pytest.mark.parametrize("how", ["topic", "story"])
def test_a_mute_is_traced(tocsin, database, ada, how):
    reader_id, number, story = ada
    with database.write() as conn:
        until = now(conn) + timedelta(days=7)
        if how == "story":
            mutes.mute_story(conn, reader_id, story, until=until)
        else:
            mutes.mute_topic(conn, people.followings(conn, reader_id)[0].id, until=until)
    (traced,) = tocsin.ask("deliveries", "trace", ADDRESS, "--article", number)
    assert "has muted" in traced["says"]
    whats = [entry["what"] for entry in traced["timeline"]]
    assert whats.count("muted") == (how == "story")


def test_a_burst_is_traced_with_its_summary(tocsin, database, ada):
    with database.write() as conn:
        at = now(conn) + timedelta(minutes=30)
        (concerned,) = conn.execute(sa.update(TopicStory).values(rolls=True).returning(TopicStory.topic_id)).scalars()
        conn.execute(sa.insert(Burst).values(topic_id=concerned, opened_at=now(conn), summary_due_at=at, from_seq=0))
    (traced,) = tocsin.ask("deliveries", "trace", ADDRESS, "--article", ada[1])
    assert "So much is reported on Volcanoes that its alerts come as one summary" in traced["says"]


def test_a_story_is_corrected_from_the_command_line(tocsin, ada, tmp_path):
    words = tmp_path / "right.json"
    words.write_text(json.dumps({"title": "Etna throws no lava", "body": "It smokes.", "url": "https://x.example/1"}))
    (told,) = tocsin.ask("articles", "correct", ada[1], "--note", "It only smokes.", "--file", words)
    assert (told["article"], told["revision"], told["mails"]) == (ada[1], 2, 0)
    assert tocsin("articles", "correct", 99, "--note", "x")[0] == 2
    assert tocsin("articles", "correct", ada[1], "--note", "")[0] == 2
    (told,) = tocsin.ask("articles", "correct", ada[1], "--note", "There is no Etna.", "--retract")
    assert "is retracted" in told["says"]
    assert tocsin("articles", "correct", ada[1], "--note", "x", "--retract")[0] == 2
