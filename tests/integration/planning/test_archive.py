"""The public archive: an issue is there once it goes out, as it was sent, and as kills and corrections leave it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Connection

from tests.builders import all_editions, change_edition, follow, news, reader, set_clock, topic
from worker.delivery.run_withdrawal import withdraw
from worker.intake.run_correcting import Correction, correct
from worker.intake.run_edits import Edit
from worker.model import ArticleId, Cadence, EditionId, EditionKind, EditionStatus, StoryId, TopicId
from worker.planning.run_archive import PublicIssue, issues_of, open_issue
from worker.planning.run_choosing import Choosing, approve, choose, skip
from worker.planning.run_corrections import carry_out
from worker.signup.newsletters import NewNewsletter
from worker.signup.run_newsletters import store_newsletters
from worker.signup.run_wishes import fulfil
from worker.signup.wishes import Follow
from worker.store import archive, migrate, newsletters
from worker.store.database import Database
from worker.store.schema import ArchivedIssue, Article

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TUESDAY_SIX = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TOP: dict[str, Any] = {
    "slug": "top-10",
    "name": "Top 10 stories",
    "sender": {"name": "The Courier", "address": "top10@courier.example"},
    "schedule": "FREQ=DAILY;BYHOUR=6;BYMINUTE=30",
    "timezone": "Europe/London",
    "selection": {"minimum": 2, "maximum": 3},
}


BEFORE_THE_ARCHIVE = "0017"


def be(database: Database, at: datetime) -> None:
    set_clock(database, ahead=at - datetime.now(UTC))


@pytest.fixture
def oman(database: Database) -> TopicId:
    be(database, MONDAY)
    with database.write() as conn:
        return topic(conn, "oman", en="Oman")


def letter(database: Database, **values: Any) -> None:
    store_newsletters(database, (NewNewsletter.model_validate({**TOP, **values}),), where="n.yaml")
    with database.write() as conn:
        ada = reader(conn, "ada", timezone="UTC")
        fulfil(conn, ada, [Follow(newsletter="top-10")], timezone="UTC")


def stories(conn: Connection, oman: TopicId, *titles: str) -> list[StoryId]:
    return [news(conn, oman, title=title, outlet=f"Paper of {title}") for title in titles]


def public(database: Database) -> list[PublicIssue]:
    with database.read() as conn:
        found = newsletters.by_slug(conn, "top-10")
    assert found is not None
    return issues_of(database, found.id, limit=10)[0]


def told(issue: PublicIssue) -> list[str | None]:
    return [place.card.title if place.card else None for place in issue.places]


def article_of(database: Database, story: StoryId) -> ArticleId:
    with database.read() as conn:
        return ArticleId(conn.execute(sa.select(Article.id).where(Article.story_id == story)).scalar_one())


def issue_of(database: Database) -> EditionId:
    with database.read() as conn:
        return next(EditionId(one.id) for one in all_editions(conn) if one.kind is EditionKind.NEWSLETTER)


def test_an_issue_is_public_once_it_goes_out_and_not_before(database, planned, oman):
    letter(database)
    with database.write() as conn:
        stories(conn, oman, "Anchors", "Boats", "Cranes")
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    assert public(database) == []
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    [issue] = public(database)
    assert told(issue) == ["Cranes", "Boats", "Anchors"]
    assert (issue.slug, issue.name, str(issue.day)) == ("top-10", "Top 10 stories", "2026-11-24")
    assert issue.updated_at == issue.due_at == TUESDAY_SIX
    planned()
    assert public(database) == [issue]


def test_the_archive_has_the_whole_issue_whatever_its_readers_had_seen(database, planned, oman):
    letter(database)
    with database.write() as conn:
        ben = reader(conn, "ben", timezone="UTC")
        fulfil(conn, ben, [Follow(newsletter="top-10")], timezone="UTC")
        follow(conn, ben, oman, cadence=Cadence.DAILY, due_at=TUESDAY_SIX - HOUR)
        stories(conn, oman, "Anchors")
    be(database, TUESDAY_SIX - HOUR + MINUTE)
    planned()
    with database.write() as conn:
        stories(conn, oman, "Boats", "Cranes")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert [told(issue) for issue in public(database)] == [["Cranes", "Boats", "Anchors"]]


def test_an_editors_words_are_in_it(database, planned, oman):
    letter(database, approval="required")
    with database.write() as conn:
        anchors, boats = stories(conn, oman, "Anchors", "Boats")
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    choosing = Choosing(pins=(anchors,), notes={boats: "Ours alone."}, note="Good morning.", subject="A long night")
    choose(database, issue_of(database), choosing, actor="test")
    approve(database, issue_of(database), actor="test")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    [issue] = public(database)
    assert (issue.subject, issue.note) == ("A long night", "Good morning.")
    assert [place.remark for place in issue.places] == ["", "Ours alone."]


@pytest.mark.parametrize("approval", ["automatic", "required"])
def test_an_issue_that_goes_round_the_world_is_there_once(database, planned, oman, approval):
    letter(database, timing="reader", approval=approval)
    with database.write() as conn:
        stories(conn, oman, "Anchors", "Boats")
    first = TUESDAY_SIX - 14 * HOUR
    be(database, first - HOUR / 2)
    planned()
    if approval == "required":
        approve(database, issue_of(database), actor="test")
    for at in (first + MINUTE, TUESDAY_SIX + MINUTE, TUESDAY_SIX + 13 * HOUR):
        be(database, at)
        planned()
        assert [told(issue) for issue in public(database)] == [["Boats", "Anchors"]]


def test_what_nobody_got_and_what_an_editor_stopped_is_not_there(database, planned, oman):
    letter(database)
    with database.write() as conn:
        stories(conn, oman, "Anchors")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert public(database) == []
    with database.write() as conn:
        stories(conn, oman, "Boats", "Cranes")
    be(database, TUESDAY_SIX + DAY + MINUTE)
    planned()
    [issue] = public(database)
    for status in (EditionStatus.PAUSED, EditionStatus.HELD, EditionStatus.CANCELLED):
        with database.write() as conn:
            latest = EditionId(all_editions(conn)[-1].id)
            change_edition(conn, latest, status=status)
        assert public(database) == []
        assert open_issue(database, issue.id) is None


def test_an_issue_that_is_skipped_is_not_there(database, planned, oman):
    letter(database)
    with database.write() as conn:
        stories(conn, oman, "Anchors", "Boats")
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    skip(database, issue_of(database), actor="test", reason="a strike")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert public(database) == []


def test_a_story_that_was_killed_leaves_its_place_and_nothing_else(database, planned, oman):
    letter(database)
    with database.write() as conn:
        anchors, boats, cranes = stories(conn, oman, "Anchors", "Boats", "Cranes")
        assert anchors
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    withdraw(database, article_of(database, boats), actor="eve")
    [issue] = public(database)
    assert told(issue) == ["Cranes", None, "Anchors"]
    assert issue.places[1].mended == ()
    assert not issue.places[1].is_retracted
    for story in (anchors, cranes):
        withdraw(database, article_of(database, story), actor="eve")
    assert public(database) == []
    opened = open_issue(database, issue.id)
    assert opened
    assert opened.issue.is_gone


def test_a_corrected_story_is_told_in_its_right_words_with_the_note(database, planned, policy, oman):
    letter(database)
    with database.write() as conn:
        anchors, _ = stories(conn, oman, "Anchors", "Boats")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    be(database, TUESDAY_SIX + DAY)
    correction = Correction(note="Seven, not nine.", changed=Edit(title="Seven anchors", summary="Seven.", body=""))
    done = correct(database, article_of(database, anchors), correction, actor="eve")
    assert done
    carry_out(database, policy, done.correction, revision=done.revision)
    [issue] = public(database)
    assert told(issue) == ["Boats", "Seven anchors"]
    [(at, note)] = issue.places[1].mended
    assert (note, at.date()) == ("Seven, not nine.", (TUESDAY_SIX + DAY).date())
    assert issue.updated_at == at


def test_a_retracted_story_says_why_and_no_more(database, planned, policy, oman):
    letter(database)
    with database.write() as conn:
        anchors, _ = stories(conn, oman, "Anchors", "Boats")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    done = correct(
        database,
        article_of(database, anchors),
        Correction(note="It never was.", changed=Edit(), retracts=True),
        actor="eve",
    )
    assert done
    carry_out(database, policy, done.correction, revision=done.revision)
    [issue] = public(database)
    assert told(issue) == ["Boats", None]
    assert issue.places[1].is_retracted
    assert [words for _, words in issue.places[1].mended] == ["It never was."]


def test_issues_know_their_neighbours_and_come_in_pages(database, planned, oman):
    letter(database)
    for day in range(3):
        with database.write() as conn:
            stories(conn, oman, f"Anchors {day}", f"Boats {day}")
        be(database, TUESDAY_SIX + day * DAY + MINUTE)
        planned()
    third, second, first = public(database)
    opened = [open_issue(database, one.id) for one in (first, second, third)]
    assert [(one.before, one.after) for one in opened if one] == [
        (None, second.id),
        (first.id, third.id),
        (second.id, None),
    ]
    with database.read() as conn:
        [letter_id] = set(conn.execute(sa.select(ArchivedIssue.newsletter_id)).scalars())
    page, more = issues_of(database, letter_id, limit=2)
    assert (page, more) == ([third, second], second.due_at)
    assert issues_of(database, letter_id, limit=2, before=more) == ([first], None)


def test_publishing_twice_keeps_the_id_which_tells_nothing(database, planned, oman):
    letter(database)
    with database.write() as conn:
        stories(conn, oman, "Anchors", "Boats")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    [before] = public(database)
    assert len(before.id) == 24
    assert int(before.id, 16) > 2**32
    with database.write() as conn:
        row = conn.execute(sa.select(ArchivedIssue)).one()
        archive.publish(conn, row.edition_id, row.content_id, newsletter_id=row.newsletter_id, due_at=row.due_at)
    assert public(database) == [before]


def test_what_was_sent_before_there_was_an_archive_is_in_it_as_most_readers_got_it(database, planned, oman):
    letter(database)
    with database.write() as conn:
        for name in ("ben", "eve"):
            fulfil(conn, reader(conn, name, timezone="UTC"), [Follow(newsletter="top-10")], timezone="UTC")
        ben = reader(conn, "zoe", timezone="UTC")
        fulfil(conn, ben, [Follow(newsletter="top-10")], timezone="UTC")
        follow(conn, ben, oman, cadence=Cadence.DAILY, due_at=TUESDAY_SIX - HOUR)
        stories(conn, oman, "Anchors")
    be(database, TUESDAY_SIX - HOUR + MINUTE)
    planned()
    with database.write() as conn:
        stories(conn, oman, "Boats", "Cranes")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    [before] = public(database)
    with database.write() as conn:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.downgrade(config, BEFORE_THE_ARCHIVE)
    migrate.upgrade(database)
    [after] = public(database)
    assert told(after) == told(before) == ["Cranes", "Boats", "Anchors"]
    assert (after.due_at, after.day) == (before.due_at, before.day)
    assert after.id != before.id
