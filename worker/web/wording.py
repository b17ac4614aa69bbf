"""Puts what the store knows into a reader's words: topics by name, rhythms as sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from worker.facts import OfferedNewsletter
from worker.model import SubscriptionId
from worker.rendering import schedules
from worker.rendering.language import Language
from worker.signup.run_wishes import rhythm_of
from worker.signup.wishes import Follow, Rhythm
from worker.store.people import Following
from worker.store.topics import TopicRow
from worker.web.newsletter_words import comes


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicLine:
    """A shared topic, in the page's language."""

    slug: str
    name: str
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowLine:
    """One thing that a reader follows, or would: its name, and when mail comes.

    `is_own` for a query of theirs; `is_timed` unless its editors say when it comes; `muted` until when, "" for no mute.
    """

    id: int | None
    name: str
    is_own: bool
    slug: str | None
    when: str
    is_timed: bool = True
    muted: str = ""


def topic_lines(rows: Iterable[TopicRow], language: Language) -> list[TopicLine]:
    """Name topics, in alphabetical order."""
    lines = [
        TopicLine(
            slug=row.slug or "",
            name=named(row.name, language) or row.slug or "",
            description=named(row.description, language),
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: line.name.casefold())


def following_lines(
    followings: Iterable[Following],
    language: Language,
    *,
    letters: Mapping[str, OfferedNewsletter] | None = None,
    muted: Mapping[SubscriptionId, str] | None = None,
) -> list[FollowLine]:
    """Word what a reader follows, oldest first.

    `letters` are the newsletters by slug, to say when they come; `muted` says until when a mute lasts.
    """
    return [
        FollowLine(
            id=one.id,
            name=one.query if one.query is not None else named(one.name, language) or one.slug or "",
            is_own=one.query is not None,
            slug=one.slug if one.newsletter_id is None else None,
            when=rhythm(rhythm_of(one), language)
            if one.newsletter_id is None
            else _by_editors((letters or {}).get(one.slug or ""), language),
            is_timed=one.newsletter_id is None,
            muted=(muted or {}).get(one.id, ""),
        )
        for one in followings
    ]


def wish_lines(
    follows: Iterable[Follow],
    names: Mapping[str, dict[str, str]],
    letters: Mapping[str, OfferedNewsletter],
    language: Language,
) -> list[FollowLine]:
    """Word what somebody asks for; `names` has the names of topics by slug, `letters` the newsletters."""
    return [_wish_line(one, names, letters, language) for one in follows]


def _wish_line(
    one: Follow, names: Mapping[str, dict[str, str]], letters: Mapping[str, OfferedNewsletter], language: Language
) -> FollowLine:
    if one.newsletter is not None:
        letter = letters.get(one.newsletter)
        return FollowLine(
            id=None,
            name=letter.name if letter else one.newsletter,
            is_own=False,
            slug=None,
            when=_by_editors(letter, language),
            is_timed=False,
        )
    return FollowLine(
        id=None,
        name=one.query if one.query is not None else _named(one.topic or "", names, language),
        is_own=one.query is not None,
        slug=one.topic,
        when=rhythm(one.rhythm, language),
    )


def rhythm(value: Rhythm, language: Language) -> str:
    """Say how often, and when: "Every day at 07:00 and 18:30"."""
    return schedules.rhythm(value.cadence, times=value.times, weekday=value.weekday, language=language)


def _by_editors(letter: OfferedNewsletter | None, language: Language) -> str:
    return comes(letter, language) if letter else language.gettext("Whenever it is published")


def _named(slug: str, names: Mapping[str, dict[str, str]], language: Language) -> str:
    return named(names.get(slug, {}), language) or slug


def named(names: dict[str, str], language: Language) -> str:
    """Choose a name in a language, else in its base, else in English; "" when there is none."""
    return names.get(language.tag) or names.get(language.tag.partition("-")[0]) or names.get("en", "")


def masked(address: str) -> str:
    """Write an address so that its owner knows it and nobody else learns it.

    >>> masked("ada.pemberton@mail.example"), masked("a@b.example")
    ('a…n@mail.example', 'a…@b.example')
    """
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…{local[-1] if len(local) > 2 else ''}@{domain}"
