"""Another house's lists, audiences and tags: which of our topics and newsletters stand in their place.

An operator writes `NAME=TARGET`, once for each list. A target is `topic:SLUG` or `newsletter:SLUG`, with `/CADENCE`
after a topic where daily is not meant, several of them separated by `;`; `-` leaves the list out. `*` is everybody.
Pure, but that it counts how many readers stand on which list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from worker.errors import InputError
from worker.model import SubscriberStatus
from worker.signup.importing import NEWSLETTER, Rules, Terms
from worker.signup.wishes import (
    MOST_FOLLOWS,
    Follow,
    Rhythm,
    no_such_newsletter,
    no_such_topic,
    read_cadence,
)

EVERYBODY: Final = "*"
NOTHING: Final = "-"
_TOPIC: Final = "topic:"
_MOST_KNOWN: Final = 50_000
_HOW: Final = 'write --map "LIST=topic:SLUG" or --map "LIST=newsletter:SLUG"'


class Lists:
    """Which list becomes what, and how many readers were on each."""

    def __init__(self, targets: Mapping[str, tuple[Follow, ...]] | None = None) -> None:
        self._targets = dict(targets or {})
        self._names: dict[str, str] = {}
        self._counted: Counter[str] = Counter()
        self._follows: dict[tuple[str, ...], tuple[Follow, ...]] = {}
        self._terms: dict[object, Terms] = {}
        self.counts = True

    def __bool__(self) -> bool:
        """Tell whether any list is taken over."""
        return any(self._targets.values())

    def follows(self, names: Sequence[str]) -> tuple[Follow, ...]:
        """Return what a reader who is on these lists is to follow; everybody is in the file."""
        key = (EVERYBODY, *(_folded(name) for name in names))
        if self.counts:
            self._counted.update(set(key))
            self._names.update(zip(key, (EVERYBODY, *names), strict=True))
        if key not in self._follows:
            if len(self._follows) >= _MOST_KNOWN:  # nearly every reader has tags of their own
                self._follows.clear()
            wanted = [follow for name in key for follow in self._targets.get(name, ())]
            self._follows[key] = tuple({follow.target: follow for follow in wanted}.values())[:MOST_FOLLOWS]
        return self._follows[key]

    def takes(self, name: str) -> bool:
        """Tell whether a list is taken over."""
        return bool(self._targets.get(_folded(name)))

    def terms(self, follows: tuple[Follow, ...], rules: Rules, zone: str, status: SubscriberStatus | None) -> Terms:
        """Return what a record says but for whom; equal ones are one value."""
        key = (id(follows), zone, status)
        if key not in self._terms:
            if len(self._terms) >= MOST_FOLLOWS * 100:
                self._terms.clear()
            self._terms[key] = Terms(follows, rules.locale, zone, status)
        return self._terms[key]

    def table(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each list, the largest first: its readers, what it becomes, or what to write."""
        for key, count in sorted(self._counted.items(), key=lambda item: (-item[1], item[0])):
            name = self._names[key]
            yield {"list": name, "readers": count, "becomes": self._becomes(key) or f'--map "{name}=..."'}

    def unmapped(self) -> list[str]:
        """Return the lists that nothing is said of, but for everybody."""
        return [self._names[key] for key in self._counted if key not in self._targets and key != EVERYBODY]

    def _becomes(self, key: str) -> str:
        if key not in self._targets:
            return ""
        return ", ".join(_shown(follow) for follow in self._targets[key]) or "nothing, as you say"


def read_lists(given: Iterable[str], known: Collection[str]) -> Lists:
    """Read what an operator has written. Raises `InputError`.

    >>> from worker.signup.foreign.lists import Lists
    >>> lists = read_lists(["Asia desk=topic:north-korea/weekly; newsletter:top"], {"north-korea", "newsletter:top"})
    >>> [follow.target for follow in lists.follows(["asia DESK"])]
    [('topic', 'north-korea'), ('newsletter', 'top')]
    """
    targets: dict[str, tuple[Follow, ...]] = {}
    for text in given:
        name, separator, written = text.rpartition("=")
        if not separator or not name.strip() or not written.strip():
            raise InputError(f"{text!r} maps nothing", where="--map", hint=_HOW)
        if _folded(name) in targets:
            raise InputError(f"{name.strip()!r} is mapped twice", where="--map", hint="put all of it into one --map")
        parts = [part.strip() for part in written.split(";") if part.strip()]
        targets[_folded(name)] = () if parts == [NOTHING] else tuple(_target(part, known) for part in parts)
    return Lists(targets)


def _target(text: str, known: Collection[str]) -> Follow:
    if text.startswith(NEWSLETTER):
        slug = text.removeprefix(NEWSLETTER)
        if text not in known:
            letters = [one.removeprefix(NEWSLETTER) for one in known if one.startswith(NEWSLETTER)]
            raise _placed(no_such_newsletter(slug, letters))
        return Follow(newsletter=slug)
    slug, separator, cadence = text.removeprefix(_TOPIC).partition("/")
    if slug not in known:
        raise _placed(no_such_topic(slug, [one for one in known if not one.startswith(NEWSLETTER)]))
    try:
        rhythm = Rhythm(cadence=read_cadence(cadence)) if separator else Rhythm()
    except InputError as error:
        raise _placed(error) from error
    return Follow(topic=slug, rhythm=rhythm)


def _placed(error: InputError) -> InputError:
    return InputError(error.message, where="--map", hint=error.hint)


def _shown(follow: Follow) -> str:
    if follow.newsletter is not None:
        return f"{NEWSLETTER}{follow.newsletter}"
    return f"{_TOPIC}{follow.topic}/{follow.rhythm.cadence}"


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
