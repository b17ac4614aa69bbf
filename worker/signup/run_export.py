"""Writes the readers down as a list that `run_import` can read again, here or in another house.

Reads only, some thousands of readers at a time, whatever their number. Called by `tocsin subscribers export`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Final

from worker.signup.consent import Consent
from worker.signup.decide import standing
from worker.signup.importing import COLUMNS, NEWSLETTER, STATUS
from worker.signup.wishes import Wish
from worker.store import crowds, newsletters
from worker.store.database import Database, now

HEADER: Final = (*COLUMNS, STATUS)

Target = tuple[int | None, int | None]
"""A topic's id, or a newsletter's."""
Rhythm = tuple[str, str, int | None]
"""A cadence, its times as a list has them, a weekday: what one line can say of its topics."""
Shelves = list[tuple[Rhythm | None, str]]
"""What somebody follows, oldest first: a newsletter has no rhythm of its own."""

_NOTHING: Final[Shelves] = []


def export_readers(database: Database) -> Iterator[tuple[str, ...]]:
    """Yield a row under `HEADER` for each reader and rhythm, readers in order of id; pending ones with their wishes.

    A newsletter stands among the topics; own queries have no column in such a list and are left out.
    """
    with database.read() as conn:
        at = now(conn)
        slugs: dict[Target, str] = {(topic_id, None): slug for slug, topic_id in crowds.shared_topics(conn).items()}
        slugs |= {(None, one.id): NEWSLETTER + slug for slug, one in newsletters.all_by_slug(conn).items()}
        for readers, following in crowds.exported(conn):
            shelves: dict[int, Shelves] = {}
            for subscriber_id, topic_id, newsletter_id, cadence, times, weekday in following:
                slug = slugs.get((topic_id, newsletter_id))
                if slug is not None:
                    rhythm = None if topic_id is None else (cadence, _written(times), weekday)
                    shelves.setdefault(subscriber_id, []).append((rhythm, slug))
            for number, email, name, locale, timezone, status, paused_until, consent in readers:
                question = None if consent is None else Consent.read(consent).question
                wanted = shelves.get(number, _NOTHING) if question is None else _asked_for(question.wish)
                where = standing(status, paused_until=paused_until, now=at) if paused_until else status
                for topics, cadence, written in _lines(wanted):
                    yield email, name, locale, timezone, topics, cadence, written, where


def _asked_for(wish: Wish) -> Shelves:
    """Return what a pending reader will follow if they say yes."""
    shelves: Shelves = []
    for follow in wish.follows:
        if follow.newsletter is not None:
            shelves.append((None, NEWSLETTER + follow.newsletter))
        elif follow.topic is not None:
            rhythm = follow.rhythm
            shelves.append(((rhythm.cadence, ";".join(rhythm.times), rhythm.weekday), follow.topic))
    return shelves


def _lines(wanted: Shelves) -> list[tuple[str, str, str]]:
    """Return the topics, cadence and times of a reader's lines: one for each rhythm, or one that says of none.

    Newsletters have none. They stand in the first line.
    """
    if len(wanted) == 1 and (only := wanted[0][0]) is not None:  # as most readers have it
        return [(wanted[0][1], only[0], only[1])]
    shelves: dict[Rhythm | None, list[str]] = {}
    for rhythm, slug in wanted:
        if rhythm is not None:
            shelves.setdefault(rhythm, []).append(slug)
    letters = [slug for rhythm, slug in wanted if rhythm is None]
    if letters or not shelves:
        shelves.setdefault(next(iter(shelves), None), []).extend(letters)
    lines = []
    for shelf, slugs in shelves.items():
        cadence, times = shelf[:2] if shelf is not None else ("", "")
        lines.append((";".join(slugs), cadence, times))
    return lines


@functools.lru_cache(maxsize=4096)
def _written(times: str) -> str:
    """Return times as a list has them, from JSON: `["07:00", "18:30"]`."""
    return ";".join(json.loads(times))
