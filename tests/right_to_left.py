"""Mails in Arabic and in Hebrew, as an operator has them who adds these languages by a theme: catalogues and stories.

There is no catalogue for either among ours; these have the sentences of the mails that editors send. What they lack is
English.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from worker.content import (
    ConfirmationContent,
    Content,
    CorrectionContent,
    DigestContent,
    NewsletterContent,
    Newsroom,
    RollingContent,
    StoryCard,
)
from worker.content.freezing import recarded
from worker.rendering import samples
from worker.rendering.theme_files import Theme, read_theme

_HOUSES = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
TAGS = tuple(_HOUSES)


def theme(folder: Path) -> Theme:
    """Write the catalogues of a theme that adds both languages, and read it."""
    for tag in TAGS:
        catalogue = Catalog(locale=tag)
        for sentence, translation in _HOUSES[tag]["sentences"].items():
            catalogue.add(sentence, translation)
        file = folder / "locales" / tag / "LC_MESSAGES" / "messages.po"
        file.parent.mkdir(parents=True)
        with file.open("wb") as stream:
            write_po(stream, catalogue)
    return read_theme(folder)


def newsroom(tag: str) -> Newsroom:
    """Return the house."""
    house = _HOUSES[tag]["house"]
    changes = {"name": house["name"], "from_name": house["name"], "postal_address": house["address"]}
    return samples.newsroom("en").model_copy(update=changes)


def card(story: StoryCard, tag: str) -> StoryCard:
    """Tell one of the English sample stories in another language."""
    words = _HOUSES[tag]["stories"][story.story_id - 1]
    word, at = words["word"], words["summary"].index(words["word"])
    reasons = tuple(one.model_copy(update={"topic": _topic(one.topic, tag), "words": (word,)}) for one in story.reasons)
    changes = {
        **{name: words[name] for name in ("title", "summary", "source", "author", "section")},
        "lang": tag,
        "also_in": ("Northern Wire", words["source"]) if story.also_in else (),
        "highlights": ((at, at + len(word)),) if story.highlights else (),
        "reasons": reasons,
        "update": story.update and story.update.model_copy(update={"note": _HOUSES[tag]["newsletter"]["remark"]}),
    }
    return story.model_copy(update=changes)


def content(kind: str, tag: str) -> Content:
    """Return the sample of a kind in Arabic or Hebrew."""
    english = samples.content(kind, "en")
    new = {one.digest(): card(one, tag) for one in english.all_cards()}
    told = (recarded(english, new) or english).model_copy(update={"locale": tag})
    house, letter = _HOUSES[tag], _HOUSES[tag]["newsletter"]
    if isinstance(told, NewsletterContent):
        words = {"name": letter["name"], "note": letter["note"], "notes": ((2, letter["remark"]),)}
        return told.model_copy(update={**words, "sender_name": house["house"]["name"]})
    if isinstance(told, DigestContent | RollingContent):
        named = tuple(one.model_copy(update={"topic": _topic(one.topic, tag)}) for one in told.sections)
        return told.model_copy(update={"sections": named})
    if isinstance(told, ConfirmationContent):
        return told.model_copy(update={"topics": tuple(house["topics"])})
    if isinstance(told, CorrectionContent):
        return told.model_copy(update={"title": house["stories"][0]["title"], "note": letter["remark"]})
    return told


def _topic(english: str, tag: str) -> str:
    return str(_HOUSES[tag]["topics"][("North Korea", "Russia", "Economy").index(english)])
