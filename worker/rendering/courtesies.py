"""What a template shows of the letters that go unasked: what a new reader will get, and what was changed from what.

Words each choice in a reader's language; the sentences around them are in the templates. Pure. `view` makes the views
of all kinds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from worker.content import ChangedContent, Choices, GoodbyeContent, Subscribed, WelcomeContent
from worker.model import BelowFloor, Cadence
from worker.rendering.language import Language
from worker.rendering.prose import one_line, shorten
from worker.rendering.schedules import comes, own_name, rhythm, zone_label

_NAME_CHARS: Final = 120  # an own query may have thousands
_MOST_LINES: Final = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowedLine:
    """One thing that a reader follows: what it is called, and when it comes. `is_own`: a search of their own."""

    name: str
    is_own: bool
    when: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WelcomeView:
    """What a new reader will get; `more` lines had no room. `first` says when mail can come first, as a sentence."""

    lines: tuple[FollowedLine, ...]
    more: int
    first: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeLine:
    """One thing that is otherwise than it was."""

    name: str
    is_own: bool
    before: str
    now: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedView:
    """What has changed; `more` lines had no room."""

    lines: tuple[ChangeLine, ...]
    more: int


@dataclass(frozen=True, kw_only=True, slots=True)
class GoodbyeView:
    """Nothing: the farewell is the same for all."""


CourtesyView = WelcomeView | ChangedView | GoodbyeView


def courtesy_view(content: WelcomeContent | ChangedContent | GoodbyeContent, language: Language) -> CourtesyView:
    """Word a letter that goes unasked."""
    match content:
        case WelcomeContent():
            return _welcome(content, language)
        case ChangedContent():
            return _changed(content, language)
        case GoodbyeContent():
            return GoodbyeView()


def _welcome(content: WelcomeContent, language: Language) -> WelcomeView:
    choices = content.choices
    lines = [
        FollowedLine(name=_name(one, language), is_own=one.is_own, when=_when(one, choices, language))
        for one in choices.follows
    ]
    return WelcomeView(lines=tuple(lines[:_MOST_LINES]), more=len(lines[_MOST_LINES:]), first=_first(choices, language))


def _changed(content: ChangedContent, language: Language) -> ChangedView:
    """Word what is otherwise: what is followed first, in the order in which it came to be, then all other choices."""
    lines = [*_follows(content.before, content.now, language), *_rest(content.before, content.now, language)]
    return ChangedView(lines=tuple(lines[:_MOST_LINES]), more=len(lines[_MOST_LINES:]))


def _follows(before: Choices, now: Choices, language: Language) -> Iterator[ChangeLine]:
    had = {one.target: one for one in before.follows}
    has = {one.target: one for one in now.follows}
    for target in dict.fromkeys([*had, *has]):
        old, new = had.get(target), has.get(target)
        if old and new and old.wish() == new.wish():
            continue
        one = new or had[target]
        yield ChangeLine(
            name=_name(one, language),
            is_own=one.is_own,
            before=_when(old, before, language) if old else language.gettext("not followed"),
            now=_when(new, now, language) if new else language.gettext("not followed any more"),
        )


def _rest(before: Choices, now: Choices, language: Language) -> Iterator[ChangeLine]:
    for (name, old), (_, new) in zip(_settings(before, language), _settings(now, language), strict=True):
        if old != new:
            yield ChangeLine(name=name, is_own=False, before=old, now=new)


def _settings(choices: Choices, language: Language) -> Iterator[tuple[str, str]]:
    """Yield everything that holds for all of a reader's mail, worded; the same names in the same order for all."""
    yield language.gettext("Pause"), _pause(choices, language)
    quiet = {"start": choices.quiet[0], "end": choices.quiet[1]} if choices.quiet else None
    said = language.gettext("from %(start)s to %(end)s") % quiet if quiet else language.gettext("none")
    yield language.gettext("Quiet hours"), said
    yield language.gettext("Alerts a day, at most"), _budget(choices.alert_budget, language)
    yield language.gettext("Stories in a digest, at least"), str(choices.digest_floor)
    is_merged = choices.below_floor is BelowFloor.MERGE or choices.digest_floor == 1
    left = language.gettext("Keep them for the next digest") if is_merged else language.gettext("Leave them out")
    yield language.gettext("When there are fewer"), left
    yield language.gettext("Your time zone"), zone_label(choices.timezone, language)
    yield language.gettext("Language"), own_name(choices.locale)


def _pause(choices: Choices, language: Language) -> str:
    if choices.paused_until is not None:
        until = choices.paused_until.astimezone(ZoneInfo(choices.timezone)).date()
        return language.gettext("until %(day)s") % {"day": language.day(until)}
    return language.gettext("until you end it") if choices.is_paused else language.gettext("none")


def _budget(budget: int | None, language: Language) -> str:
    if budget is None:
        return language.gettext("as many as the newspaper has set")
    return str(budget) if budget else language.gettext("no limit")


def _first(choices: Choices, language: Language) -> str:
    """Say when mail can come first; "" where nothing is followed."""
    if any(one.cadence is Cadence.IMMEDIATE for one in choices.follows):
        return language.gettext("The first mail comes as soon as there is news.")
    due = [one.next_at for one in choices.follows if one.next_at]
    if not due:
        return ""
    local = min(due).astimezone(ZoneInfo(choices.timezone))
    told = {"day": language.day(local.date()), "time": f"{local:%H:%M}"}
    return language.gettext("The first mail comes on %(day)s at %(time)s, if there is news by then.") % told


def _name(one: Subscribed, language: Language) -> str:
    names, base = one.name, language.tag.partition("-")[0]
    chosen = names.get(language.tag) or names.get(base) or names.get("en") or next(iter(names.values()), "")
    return shorten(one_line(chosen), _NAME_CHARS) or language.gettext("A topic without a name")


def _when(one: Subscribed, choices: Choices, language: Language) -> str:
    if one.cadence is not None:
        return rhythm(one.cadence, times=one.times, weekday=one.weekday, language=language)
    return comes(
        one.schedule, zone=one.zone, next_at=one.next_at, next_zone=one.zone or choices.timezone, language=language
    )
