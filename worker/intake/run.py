"""Takes articles in: judges each item against what is stored, and stores the judgement with its reason.

A feed's new items are stored some in a transaction, and one by one where that fails: a bad item never costs the
others, and nothing is half stored. What a feed has told before costs none: one question tells which of its items those
are. Called by `run_polling`, the CLI and the API.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from worker.errors import InputError, printable
from worker.intake.circumstances import Added, Circumstances
from worker.intake.dating import Dating, dating_of
from worker.intake.flood import is_suspicious
from worker.intake.marks import marked
from worker.intake.places import place
from worker.intake.run_holding import hold_if_flooded, room_for
from worker.intake.run_rekeying import move_along
from worker.intake.run_taking import take_in
from worker.intake.told import PageWord, Told, once_each, told_of
from worker.intake.validate import validate
from worker.intake.wordings import Wordings
from worker.model import ArticleId, ParsedArticle, SourceId
from worker.store import sightings, sources
from worker.store.database import AWAY, Database, now
from worker.store.sightings import Sighted

log = logging.getLogger(__name__)

_TOGETHER: Final = 100
_FEWEST: Final = 10
_WITHIN_S: Final = 0.1  # all others who write to SQLite wait meanwhile


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of a document's items, each of which is counted once.

    `articles` are to be matched, in the order in which they happened. `new` counts copies of another source's articles
    too, `unchanged` whatever left nothing behind. `refused` items were no articles. To be handed in again are `broken`
    ones, which could not be stored by a defect of ours, and `postponed` ones, which were too many for a day.
    """

    articles: tuple[ArticleId, ...] = ()
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    broken: int = 0
    postponed: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing needs to be handed in again."""
        return not (self.broken or self.postponed)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Document:
    """A document's items that may be articles, which of them are stored, and how it dates them."""

    told: Sequence[Told]
    known: dict[str, Sighted]
    dating: Dating
    refused: int
    broken: int

    def unknown(self) -> list[Told]:
        return [one for one in self.told if one.key not in self.known]

    def otherwise(self) -> list[Told]:
        """Return what is new or told otherwise than before, the oldest first: stories number in the order of events."""
        known = {key: one.told_hash for key, one in self.known.items()}
        return [one for one in reversed(self.told) if known.get(one.key) != one.hash]


class Intake:
    """Takes articles in for one installation."""

    def __init__(
        self,
        database: Database,
        *,
        age_limit: timedelta,
    ) -> None:
        self._database, self._age_limit, self._wordings = database, age_limit, Wordings()
        self._together = _TOGETHER

    def add(self, parsed: ParsedArticle, *, kind: str, outlet: str, where: str = "") -> Added:
        """Take one article in that was pushed or handed in by a person.

        `kind` is "push" or "file"; `outlet` names its source where the article does not. Raises `InputError`.
        """
        name = parsed.source or outlet
        try:
            return self._add(parsed, kind=kind, name=name, where=where)
        except IntegrityError:  # somebody else stored the same item at the same moment: judge again, with theirs known
            return self._add(parsed, kind=kind, name=name, where=where)

    def check(self, parsed: ParsedArticle, *, where: str) -> None:
        """Raise the `InputError` that `add` would raise, and store nothing."""
        with self._database.read() as conn:
            at = now(conn)
        validate(parsed, now=at, where=where)

    def take_feed(
        self,
        source: Row[*tuple[object, ...]],
        found: Iterable[ParsedArticle],
        *,
        pages: Mapping[str, PageWord] | None = None,
    ) -> Taken:
        """Take in what a watched source tells, newest first. An item that is refused is logged, and costs no other.

        Items that are told as before cost one question for all of them, and no transaction that writes. `pages` says,
        by item key, what became of their own pages.
        """
        parsed = [replace(one, lang=one.lang or source.lang) for one in found]
        document = self._look(source, parsed, pages or {})
        unknown = document.unknown()
        dates = [one.article.published_at for one in unknown]
        is_held = hold_if_flooded(self._database, source, items=len(document.told), unknown=dates)
        too_many = {one.key for one in unknown[room_for(self._database, source, unknown=len(unknown)) :]}
        given = Circumstances(
            outlet=source.outlet,
            age_limit=self._age_limit,
            is_held=is_held or bool(too_many),
            is_backlog=source.last_ok_at is None,
            dating=document.dating,
            places={one.key: place(one.article.url) for one in document.told},
            wordings=self._wordings,
        )
        changed: list[ArticleId] = []
        unfit = {"refused": document.refused, "broken": document.broken}
        counted = Counter(**unfit, unchanged=len(parsed) - sum(unfit.values()) - len(document.told))
        otherwise = document.otherwise()
        waiting = [one for one in otherwise if one.key not in too_many]
        counted.update(unchanged=len(document.told) - len(otherwise), postponed=len(otherwise) - len(waiting))
        for added in self._take(waiting, document.known, source, given):
            if added:
                counted["new" if added.is_new else "updated" if added.stored else "unchanged"] += 1
                changed += [added.id] if added.stored else []
            else:
                counted["broken"] += 1
        return Taken(articles=tuple(changed), **counted)

    def _look(
        self, source: Row[*tuple[object, ...]], parsed: Sequence[ParsedArticle], pages: Mapping[str, PageWord]
    ) -> _Document:
        """Look which of a document's items are stored, also under keys that they have no more."""
        document = self._read(source, parsed, pages)
        unknown = document.unknown()
        if not is_suspicious(items=len(document.told), unknown=len(unknown)):
            return document
        present = {one.id for one in document.known.values()}
        if not move_along(self._database, source, unknown, present=present):
            return document
        return self._read(source, parsed, pages)

    def _read(
        self, source: Row[*tuple[object, ...]], parsed: Sequence[ParsedArticle], pages: Mapping[str, PageWord]
    ) -> _Document:
        told, unfit = [], Counter[str]()
        with self._database.read() as conn:
            at = now(conn)
            for one in parsed:
                try:
                    told.append(told_of(one, validate(one, now=at), pages))
                except InputError as error:
                    unfit["refused"] += 1
                    log.warning("source %d, %s: an item is left out: %s", source.id, source.name, error)
                except Exception:
                    unfit["broken"] += 1
                    log.exception("source %d, %s: an item breaks us, and is left out", source.id, source.name)
            kept = once_each(told)
            known = sightings.by_item_keys(conn, SourceId(source.id), {one.key for one in kept})
        dates = [one.article.published_at for one in kept if one.article.published_at is not None]
        dating = dating_of(dates, at)
        return _Document(told=kept, known=known, dating=dating, refused=unfit["refused"], broken=unfit["broken"])

    def _take(
        self, waiting: Sequence[Told], known: Container[str], source: Row[*tuple[object, ...]], given: Circumstances
    ) -> Iterator[Added | None]:
        """Take items in, in their order: known ones, which others may be waiting for, in a transaction of its own each.

        None stands for one that is left out.
        """
        for is_known, run in groupby(waiting, key=lambda one: one.key in known):
            some = list(run)
            step = 1 if is_known else _TOGETHER
            for start in range(0, len(some), step):
                yield from self._take_together(some[start : start + step], source, given)

    def _take_together(
        self, some: Sequence[Told], source: Row[*tuple[object, ...]], given: Circumstances
    ) -> list[Added | None]:
        """Store new items in few transactions; where one of them fails, one by one, so that it costs no other."""
        taken: list[Added | None] = []
        try:
            ready = [marked(one, self._wordings) for one in some] if len(some) > 1 else []
            while len(taken) < len(ready):
                part = ready[len(taken) : len(taken) + self._together]
                with self._database.write() as conn:
                    done = take_in(conn, part, SourceId(source.id), given, within_s=_WITHIN_S)
                taken += done
                # What is asked of the database for items that are not reached is asked in vain.
                self._together = min(2 * len(done), _TOGETHER) if len(done) == len(part) else max(len(done), _FEWEST)
        except Exception as error:  # noqa: BLE001  judged again by itself, which tells what it was
            why = printable(type(error).__name__)
            log.info("source %d, %s: its items are taken one by one: %s", source.id, source.name, why)
        return [*taken, *(self._take_one(one, source, given) for one in some[len(taken) :])]

    def _take_one(self, told: Told, source: Row[*tuple[object, ...]], given: Circumstances) -> Added | None:
        """Judge and store an item; None, and logged, for one that breaks us, or clashes even at the second try."""
        for _ in range(2):
            try:
                ready = [marked(told, self._wordings)]
                with self._database.write() as conn:
                    return take_in(conn, ready, SourceId(source.id), given)[0]
            except IntegrityError:  # another worker has stored the same item: judge again, with theirs known
                continue
            except AWAY:
                raise
            except Exception:
                log.exception(
                    "source %d, %s: an item breaks us, and is left out: %s", source.id, source.name, printable(told.key)
                )
                return None
        log.error(
            "source %d, %s: an item is left out: its key clashes: %s", source.id, source.name, printable(told.key)
        )
        return None

    def _add(self, parsed: ParsedArticle, *, kind: str, name: str, where: str) -> Added:
        with self._database.write() as conn:
            source_id = sources.put(conn, kind=kind, name=name)
            told = told_of(parsed, validate(parsed, now=now(conn), where=where))
            given = Circumstances(outlet=name, age_limit=self._age_limit, wordings=self._wordings)
            return take_in(conn, [marked(told, self._wordings)], source_id, given)[0]
