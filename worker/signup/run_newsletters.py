"""Stores editorial newsletters: all of a file's, in one transaction, or none. Called by `tocsin newsletters import`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from worker.errors import InputError
from worker.facts import StoredNewsletter
from worker.model import SubscriberStatus, Timing
from worker.recurrence import next_issue, next_occurrence
from worker.signup.newsletters import NewNewsletter, read_newsletters
from worker.signup.run_wishes import check_newsletters, check_topics, fulfil
from worker.signup.wishes import Follow
from worker.store import newsletters as stored
from worker.store import outbox, people
from worker.store.database import Database, now
from worker.store.people import Reader
from worker.tidings import Tiding


def import_newsletters(database: Database, file: Path) -> dict[str, bool]:
    """Import a YAML file and return its slugs, True for the new ones.

    Raises `InputError`, and then nothing is stored.
    """
    try:
        newsletters = read_newsletters(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8", where=file.name, hint="save it as UTF-8") from error
    except InputError as error:
        raise InputError(error.message, where=f"{file.name}, {error.where}" if error.where else file.name) from error
    return store_newsletters(database, newsletters, where=file.name)


def store_newsletters(database: Database, newsletters: tuple[NewNewsletter, ...], *, where: str) -> dict[str, bool]:
    """Store newsletters by slug, in place of earlier ones; the topics that they select from must exist."""
    with database.write() as conn:
        for newsletter in newsletters:
            try:
                check_topics(conn, newsletter.selection.topics)
            except InputError as error:
                place = f"{where}, {newsletter.slug}, selection.topics"
                raise InputError(error.message, where=place, hint=error.hint) from error
        return {newsletter.slug: _store(conn, newsletter, at=now(conn)) for newsletter in newsletters}


def follow(database: Database, slug: str, reader: Reader) -> None:
    """Let a reader who has said yes to us have a newsletter too. Raises `InputError` for anybody else."""
    with database.write() as conn:
        check_newsletters(conn, [slug])
        now_is = people.locked(conn, reader.id)
        if now_is is None or now_is.status not in {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}:
            raise InputError("this reader gets no mail", where="address", hint="they must sign up, and confirm")
        before = outbox.before_change(conn, reader.id)
        fulfil(conn, reader.id, [Follow(newsletter=slug)], timezone=now_is.timezone)
        outbox.tell_change(conn, reader.id, before)


def unfollow(database: Database, slug: str, reader: Reader) -> bool:
    """End a subscription to a newsletter; False when the reader has none. Raises `InputError` for an unknown slug."""
    with database.write() as conn:
        check_newsletters(conn, [slug])
        people.locked(conn, reader.id)
        mine = people.followings(conn, reader.id)
        ending = [one for one in mine if one.newsletter_id is not None and one.slug == slug]
        if not ending:
            return False
        people.unfollow(conn, reader.id, [one.id for one in ending])
        outbox.tell(conn, Tiding.UNSUBSCRIBED, reader.id, ended=outbox.targets(ending), left=False)
        return True


def _store(conn: Connection, newsletter: NewNewsletter, *, at: datetime) -> bool:
    """Store one newsletter. Where its schedule has changed, it is due by the new one from now on, to everybody."""
    before = stored.by_slug(conn, newsletter.slug)
    is_new = stored.put(conn, _columns(newsletter))
    after = stored.by_slug(conn, newsletter.slug)
    if after is None:  # pragma: no cover  it has just been stored
        raise AssertionError(newsletter.slug)
    starts_on = newsletter.starts or after.starts_on or at.astimezone(ZoneInfo(after.timezone)).date()
    if before is None or starts_on != before.starts_on or _clock(before) != _clock(after):
        by_readers = after.timing is Timing.READER
        due_at = next_issue(
            after.schedule, starts_on=starts_on, timezone=after.timezone, by_readers=by_readers, after=at
        )
        stored.reschedule(conn, after, due_at, starts_on=starts_on)
        _reschedule_readers(conn, after, starts_on=starts_on, at=at)
    return is_new


def _reschedule_readers(conn: Connection, newsletter: StoredNewsletter, *, starts_on: date, at: datetime) -> None:
    if newsletter.timing is Timing.NEWSROOM:
        stored.set_zone_due(conn, newsletter.id, None, None)
        return
    for name in stored.zones_of(conn, newsletter.id):
        due_at = next_occurrence(newsletter.schedule, starts_on=starts_on, zone=ZoneInfo(name), after=at)
        stored.set_zone_due(conn, newsletter.id, name, due_at)


def _clock(newsletter: StoredNewsletter) -> tuple[str, str, Timing]:
    return newsletter.schedule, newsletter.timezone, newsletter.timing


def _columns(newsletter: NewNewsletter) -> dict[str, object]:
    return {
        "slug": newsletter.slug,
        "name": newsletter.name,
        "description": newsletter.description,
        "sender_name": newsletter.sender.name,
        "sender_address": newsletter.sender.address,
        "locale": newsletter.locale,
        "timezone": newsletter.timezone,
        "schedule": newsletter.schedule,
        "selection": newsletter.selection.model_dump(mode="json"),
        "timing": newsletter.timing,
        "approval": newsletter.approval,
        "lead_s": 60 * newsletter.lead,
    }
