"""Takes a list line by line, each by the functions that serve a single reader: what the import must come to as well.

This is how lists were imported until they had a million lines. Slow, plain, and kept to compare with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from worker.model import SubscriberStatus
from worker.signup.admitting import Fate
from worker.signup.consent import Consent, Evidence
from worker.signup.decide import Act, Standing, Wishes, standing, standing_on_a_list, step
from worker.signup.importing import Line
from worker.signup.run import accept, ask
from worker.store import people
from worker.store.database import Database, now
from worker.store.people import Reader


def take_lines(
    database: Database, lines: Iterable[Line], hash_address: Callable[[str], str], *, confirmed: bool
) -> Counter[Fate]:
    with database.write() as conn:
        return Counter(_take(conn, line, hash_address(line.address.key), confirmed=confirmed) for line in lines)


def _take(conn: Connection, line: Line, address_hash: str, *, confirmed: bool) -> Fate:
    if people.is_suppressed(conn, address_hash) is not None:
        return Fate.SUPPRESSED
    reader, is_new = people.ensure_reader(
        conn,
        address_hash=address_hash,
        email=line.address.text,
        status=SubscriberStatus.PENDING,
        name=line.wish.name,
        locale=line.wish.locale,
        timezone=line.wish.timezone,
    )
    if line.status is SubscriberStatus.LEFT:
        if is_new:
            people.change_reader(conn, reader.id, status=SubscriberStatus.LEFT, left_at=now(conn))
        return Fate.LEFT
    where: Standing = None
    if not is_new:
        where = standing(reader.status, paused_until=reader.paused_until, now=now(conn))
        where = standing_on_a_list(where, left_at=reader.left_at)
    return _admit(conn, reader, where, line, is_vouched=confirmed)


def _admit(conn: Connection, reader: Reader, where: Standing, line: Line, *, is_vouched: bool) -> Fate:
    is_vouched = is_vouched and line.status is not SubscriberStatus.PENDING
    act, how = (
        (Act.VOUCH, "imported by the operator, with consent")
        if is_vouched
        else (Act.IMPORT, "imported by the operator")
    )
    due = step(where, act)
    if due is None or due.wishes is Wishes.DROPPED:
        return Fate.LEFT
    if due.asks:
        open_question = Consent.read(reader.consent).question
        wish = open_question.wish.merged(line.wish) if open_question else line.wish
        asked = ask(conn, reader, where=where, act=act, wish=wish, evidence=Evidence(how=how)).asked
        return Fate.ASKED if asked else Fate.WAITING
    is_consenting = where in {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}
    evidence = None if is_consenting else Evidence(how=how)
    accept(conn, reader, where=where, due=due, wish=line.wish, evidence=evidence)
    if where is None and line.status is SubscriberStatus.PAUSED:
        people.change_reader(conn, reader.id, status=SubscriberStatus.PAUSED)
        people.pause_begins(conn, reader.id)
    return Fate.NEW if where is None else Fate.UPDATED
