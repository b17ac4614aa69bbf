"""An editor corrects an article: what is unsent says it right, and exactly those who were sent it wrong are told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa

from tests.builders import DOMAIN, HOLDER, article, breaking, follow, match, news, reader, time_of, topic
from worker.content import AlertContent, CorrectionContent
from worker.errors import InputError
from worker.intake.run_correcting import Corrected, Correction, correct
from worker.intake.run_edits import Edit
from worker.lifecycle import State
from worker.model import ArticleId, Cadence, ContentId, EditionId, StoryId, SubscriberId
from worker.planning import run_corrections
from worker.planning.run import Policy, plan
from worker.planning.run_corrections import CarriedOut, carry_out
from worker.store import contents, corrections, house, last_check, leases
from worker.store.database import Database
from worker.store.schema import Article, ContentStory, Delivery, Edition, EditionContent, Story

POLICY = Policy(domain=DOMAIN, alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))
RIGHT = Edit(title="Envoy invited, not expelled", summary="Envoy invited to talks. We had it wrong.", body="")
NOTE = "He was invited, not expelled."


def put_right(
    database: Database, article_id: ArticleId, *, changed: Edit = RIGHT, note: str = NOTE, **options: bool
) -> CarriedOut:
    done = correct(database, article_id, Correction(note=note, changed=changed, **options), actor="eve")
    assert done is not None
    return carry_out(database, POLICY, done.correction, revision=done.revision)


def articles_of(database: Database, story: StoryId) -> list[ArticleId]:
    with database.read() as conn:
        found = conn.execute(sa.select(Article.id).where(Article.story_id == story).order_by(Article.id)).scalars()
        return list(map(ArticleId, found))


def copies(database: Database, kind: str) -> dict[int, Any]:
    """Return what each reader's copies of a kind say."""
    query = (
        sa.select(Delivery.subscriber_id, Delivery.content_id)
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Edition.kind == kind)
        .order_by(Delivery.id)
    )
    with database.read() as conn:
        rows = conn.execute(query).all()
        told = contents.thawed(conn, {ContentId(row.content_id) for row in rows})
    return {row.subscriber_id: told[ContentId(row.content_id)] for row in rows}


def stand(database: Database, states: dict[SubscriberId, State]) -> None:
    with database.write() as conn:
        for subscriber, state in states.items():
            at = time_of(database) if state is not State.PLANNED else None
            which = sa.update(Delivery).where(Delivery.subscriber_id == subscriber)
            conn.execute(which.values(state=state, committed_at=at))


def alerted(database: Database, count: int) -> tuple[ArticleId, StoryId, list[SubscriberId]]:
    """Alert readers of a story, wrong as it is."""
    with database.write() as conn:
        oman = topic(conn, "oman", ko="오만")
        readers = [reader(conn) for _ in range(count)]
        for one in readers:
            follow(conn, one, oman)
        story = breaking(conn, oman, title="Envoy expelled")
    plan(database, POLICY)
    return articles_of(database, story)[0], story, readers


def is_settled(database: Database) -> bool:
    with database.read() as conn:
        return not corrections.unsettled(conn)


def test_exactly_those_who_were_sent_the_fault_are_told_wherever_their_copy_stands(database):
    article_id, _story, readers = alerted(database, len(State))
    by_state = dict(zip(State, readers, strict=True))
    stand(database, {subscriber: state for state, subscriber in by_state.items()})
    done = put_right(database, article_id)
    sent = {State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.UNKNOWN}
    told = copies(database, "correction")
    assert set(told) == {by_state[state] for state in sent}
    assert (done.rerendered, done.cancelled, done.sent, done.mails) == (3, 0, 6, 5)
    alerts = copies(database, "alert")
    for state in (State.PLANNED, State.LEASED, State.DEFERRED):
        content = alerts[by_state[state]]
        assert isinstance(content, AlertContent)
        assert (content.card.title, content.card.revision) == (RIGHT.title, 2)
    assert not is_settled(database)  # one is on the wire, one in doubt

    stand(database, {by_state[State.COMMITTING]: State.ACCEPTED, by_state[State.UNKNOWN]: State.DELIVERED})
    plan(database, POLICY)
    assert set(copies(database, "correction")) == set(told) | {by_state[State.COMMITTING]}
    assert is_settled(database)
    plan(database, POLICY)
    with database.read() as conn:
        rows = conn.execute(sa.select(Delivery.subscriber_id).join(Edition).where(Edition.kind == "correction"))
        assert len(rows.all()) == len(sent) + 1
        assert house.notes(conn, f"article {article_id}")[0][1:3] == ("eve", "article correct")


def test_a_correction_says_what_was_wrong_below_the_mail_that_said_it(database):
    article_id, _story, (one,) = alerted(database, 1)
    stand(database, {one: State.ACCEPTED})
    put_right(database, article_id)
    content = copies(database, "correction")[one]
    assert isinstance(content, CorrectionContent)
    assert (content.title, content.note, content.retracted) == ("Envoy expelled", NOTE, False)
    assert content.card is not None
    assert (content.card.title, content.card.revision) == (RIGHT.title, 2)
    with database.read() as conn:
        alert, mail = conn.execute(sa.select(Delivery.message_id, Delivery.in_reply_to, Delivery.serves)).all()
        assert mail.in_reply_to == alert.message_id
        assert list(mail.serves) == list(alert.serves) != []


def test_a_digest_is_told_anew_with_its_other_stories_untouched(database):
    with database.write() as conn:
        oman = topic(conn, "oman")
        one = reader(conn)
        follow(conn, one, oman, cadence=Cadence.HOURLY, due_at=time_of(database))
        wrong, other = news(conn, oman, title="Envoy expelled"), news(conn, oman, title="Ferry sails")
    plan(database, POLICY)
    put_right(database, articles_of(database, wrong)[0])
    titles = {card.title for card in copies(database, "digest")[one].all_cards()}
    assert titles == {RIGHT.title, "Ferry sails"}
    put_right(database, articles_of(database, other)[0], retracts=True)
    assert [card.title for card in copies(database, "digest")[one].all_cards()] == [RIGHT.title]


def test_a_retraction_ends_what_tells_nothing_else_and_the_story_for_good(database):
    article_id, story, (unsent, sent) = alerted(database, 2)
    stand(database, {sent: State.DELIVERED})
    done = put_right(database, article_id, retracts=True)
    assert (done.cancelled, done.rerendered, done.mails) == (1, 0, 1)
    content = copies(database, "correction")[sent]
    assert isinstance(content, CorrectionContent)
    assert (content.retracted, content.card) == (True, None)
    with database.read() as conn:
        assert conn.execute(sa.select(Story.killed_at).where(Story.id == story)).scalar_one() is not None
        assert states(conn, unsent) == [State.CANCELLED]
    assert correct(database, article_id, Correction(note=NOTE, changed=RIGHT), actor="eve") is None


def test_a_retracted_article_leaves_the_story_to_the_others_that_tell_it(database):
    article_id, story, _ = alerted(database, 1)
    with database.write() as conn:
        other, _ = article(conn, "Envoy leaves", story=story, outlet="Northern Wire")
        match(conn, other)
    put_right(database, article_id, retracts=True)
    with database.read() as conn:
        assert conn.execute(sa.select(Story.killed_at).where(Story.id == story)).scalar_one() is None


def test_a_correction_of_a_correction_reaches_them_again_with_the_title_they_were_sent_last(database):
    article_id, _, (one,) = alerted(database, 1)
    stand(database, {one: State.ACCEPTED})
    put_right(database, article_id)
    stand(database, {one: State.ACCEPTED})
    put_right(database, article_id, changed=Edit(title="Envoy not invited either"), note="Nor invited.")
    content = copies(database, "correction")[one]
    assert isinstance(content, CorrectionContent)
    assert (content.title, content.note) == (RIGHT.title, "Nor invited.")


def test_what_the_feed_has_put_right_already_needs_only_the_note(database):
    article_id, _, (one,) = alerted(database, 1)
    stand(database, {one: State.ACCEPTED})
    with pytest.raises(InputError, match="nothing is corrected"):
        put_right(database, article_id, changed=Edit())
    assert is_settled(database)
    correct_quietly(database, article_id)
    done = put_right(database, article_id, changed=Edit(), note="Look again.")
    assert (done.mails, done.revision) == (1, 2)


def correct_quietly(database: Database, article_id: ArticleId) -> None:
    done = put_right(database, article_id, mails=False)
    assert done.mails == 0
    assert copies(database, "correction") == {}


@pytest.mark.parametrize("note", ["", " \n ", "x" * 501])
def test_a_note_that_says_nothing_is_refused(database, note):
    article_id, _, _ = alerted(database, 1)
    with pytest.raises(InputError, match="says what was wrong"):
        put_right(database, article_id, note=note)


def test_the_last_check_lets_nothing_faulty_go_from_the_editor_s_word_on(database):
    article_id, _, _readers = alerted(database, 2)
    with database.write() as conn:
        edition_id, batch_no = conn.execute(sa.select(Delivery.edition_id, Delivery.batch_no)).first() or (0, 0)
        lease = leases.take(conn, EditionId(edition_id), batch_no, holder=HOLDER, lease_s=60)
        assert lease is not None
        ids = list(conn.execute(sa.select(Delivery.id)).scalars())
    recorded: Corrected | None = correct(database, article_id, Correction(note=NOTE, changed=RIGHT), actor="eve")
    with database.write() as conn:
        assert last_check.commit(conn, lease, ids) == set()
    plan(database, POLICY)  # whoever recorded it died
    assert recorded is not None
    assert is_settled(database)
    with database.write() as conn:
        lease = leases.take(conn, EditionId(edition_id), batch_no, holder=HOLDER, lease_s=60)
        if lease is not None:
            assert last_check.commit(conn, lease, ids) <= set(ids)


@pytest.mark.parametrize("dies_in", ["faulty_in", "misled", "settle", "rounds"])
def test_whoever_dies_in_the_middle_is_followed_by_a_sweep_that_loses_and_doubles_nothing(database, dies_in):
    article_id, _, readers = alerted(database, 6)
    stand(database, dict.fromkeys(readers[:3], State.ACCEPTED))
    calls = iter(range(1, 9))
    real = getattr(corrections, dies_in)

    def dying(*args: object, **options: object) -> object:
        if next(calls) >= 2 or dies_in != "misled":
            raise KeyboardInterrupt
        return real(*args, **options)

    with (
        mock.patch.object(run_corrections, "CHUNK_READERS", 1),
        mock.patch.object(corrections, dies_in, dying),
        pytest.raises(KeyboardInterrupt),
    ):
        put_right(database, article_id)
    plan(database, POLICY)
    plan(database, POLICY)
    assert sorted(copies(database, "correction")) == sorted(readers[:3])
    with database.read() as conn:
        rows = conn.execute(sa.select(Edition.audience).where(Edition.kind == "correction")).scalars().all()
        assert sum(rows) == 3
    assert {copies(database, "alert")[one].card.title for one in readers[3:]} == {RIGHT.title}
    assert is_settled(database)


def test_a_reader_s_night_is_written_on_their_copy(database):
    article_id, _, (one, other) = alerted(database, 2)
    stand(database, dict.fromkeys((one, other), State.ACCEPTED))
    at = time_of(database)
    hours = {"quiet_from": f"{at - timedelta(hours=1):%H:%M}", "quiet_to": f"{at + timedelta(hours=2):%H:%M}"}
    with database.write() as conn:
        conn.execute(
            sa.text("UPDATE subscriber SET quiet_from = :quiet_from, quiet_to = :quiet_to WHERE id = :id"),
            {**hours, "id": one},
        )
    put_right(database, article_id)
    with database.read() as conn:
        rows = dict(
            conn.execute(
                sa.select(Delivery.subscriber_id, Delivery.quiet_until)
                .join(Edition)
                .where(Edition.kind == "correction")
            ).all()
        )
    assert rows[other] is None
    assert at < rows[one] <= at + timedelta(hours=3)


def test_contents_that_still_have_their_cards_in_them_are_corrected_too(database):
    article_id, _story, (unsent, sent) = alerted(database, 2)
    stand(database, {sent: State.ACCEPTED})
    with database.write() as conn:
        for number, content in contents.thawed(conn, all_contents(conn)).items():
            body = content.model_dump_json()
            conn.execute(sa.update(EditionContent).where(EditionContent.id == number).values(body=body))
        conn.execute(sa.update(ContentStory).values(card_id=None))
    done = put_right(database, article_id)
    assert (done.rerendered, done.mails) == (1, 1)
    assert copies(database, "alert")[unsent].card.title == RIGHT.title


def all_contents(conn: sa.Connection) -> Iterable[ContentId]:
    return map(ContentId, conn.execute(sa.select(EditionContent.id)).scalars().all())


def states(conn: sa.Connection, subscriber: SubscriberId) -> list[State]:
    return list(conn.execute(sa.select(Delivery.state).where(Delivery.subscriber_id == subscriber)).scalars())
