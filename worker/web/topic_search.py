"""Finds topics by what readers may call them: a name in any language, a word of the description, an alias. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from worker.store.topics import TopicRow
from worker.web.wording import TopicLine

_MOST_ALIASES: Final = 12  # that a page carries for its script; the server looks through all


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """The topics as a form shows them: all of them, or what was chosen and what a search has found."""

    lines: tuple[TopicLine, ...]
    words: Mapping[str, str]  # by slug: what the page's script looks for besides name and description
    sought: str = ""
    found: int = 0  # of what was sought
    total: int = 0


def shelf(
    lines: Sequence[TopicLine],
    rows: Iterable[TopicRow],
    aliases: Mapping[str, Sequence[str]],
    *,
    sought: str,
    chosen: Collection[str],
) -> Shelf:
    """Choose what a form shows. What is chosen always stays, so that a search loses nothing."""
    names = {row.slug or "": tuple(dict.fromkeys(row.name.values())) for row in rows}
    found = {line.slug for line in lines}
    if sought:
        found = {line.slug for line in lines if is_meant(sought, _text(line, names, aliases))}
    brief = {
        line.slug: " ".join([*names.get(line.slug, ()), *aliases.get(line.slug, ())[:_MOST_ALIASES]]) for line in lines
    }
    return Shelf(
        lines=tuple(line for line in lines if line.slug in found or line.slug in chosen),
        words=brief,
        sought=sought,
        found=len(found),
        total=len(lines),
    )


def _text(line: TopicLine, names: Mapping[str, Sequence[str]], aliases: Mapping[str, Sequence[str]]) -> str:
    known = (*names.get(line.slug, ()), *aliases.get(line.slug, ()))
    return " ".join([line.name, line.description, line.slug.replace("-", " "), *known])


def is_meant(sought: str, text: str) -> bool:
    """Tell whether every word that was typed begins a word of a text, or stands inside one of three letters or more.

    >>> is_meant("north kor", "North Korea 북한 DPRK"), is_meant("북", "North Korea 북한"), is_meant("", "Oman")
    (True, True, True)
    >>> is_meant("us", "Russia"), is_meant("ussi", "Russia")
    (False, True)
    """
    folded = f" {text.casefold()}"
    return all(
        f" {word}" in folded or (len(word) >= 3 and word in folded)
        for word in sought.casefold().replace('"', " ").split()
    )
