"""What an article says that could be its story: the terms of its title, its summary and the lead of its body.

Decides which words stand for an article, in which form, and which of them are names. Compares nothing. Pure; `stories`,
`run_stories` and the CLI call `read`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Final, NamedTuple

from worker.matching.analyser import AnalysedField, ArticleText, analyse
from worker.matching.background import UNLISTED, country, latin_language, says_nothing, share
from worker.matching.characters import is_han_or_kana
from worker.matching.hangul import is_hangul, stems
from worker.matching.inflection import stem
from worker.model import Field
from worker.sameness import LEAD_CHARS, LEAD_WORDS


class Mark(IntFlag):
    """Where a term stands and what it looks like. The numbers are stored."""

    TITLE = 1
    CONTENT = 2
    NAME = 4
    NUMBER = 8
    YEAR = 16
    SMALL = 32  # a number of one or two digits


ALL_MARKS: Final = sum(Mark)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """An article as stories are judged by it. `terms` are unique and sorted; `marks` has one `Mark` for each."""

    language: str
    terms: tuple[str, ...]
    marks: bytes


class _Word(NamedTuple):
    key: str
    surface: str
    begins: bool  # a sentence, or a quotation


_ENDS_SENTENCE = re.compile(r"[.!?:;…。！？\"“”‘«»(\[|–—-]|\n\s*\n")
_HIRAGANA: Final = ("\u3041", "\u309f")
_KANA: Final = ("\u3041", "\u30ff")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CYRILLIC: Final = ("\u0400", "\u052f")
_ARABIC: Final = ("\u0600", "\u06ff")
_OTHER_LETTERS: Final = frozenset(("", "ko", "ja", "zh", "ru", "uk", "bg", "ar", "fa"))
_TITLE_CASE_SHARE: Final = 0.6  # of a title's longer words in capitals, from which on capitals say nothing


def read(article: ArticleText) -> Reading:
    """Read what an article tells first; linear in what is read, which is bounded.

    >>> reading = read(ArticleText(title="Strong quake hits Chile", summary="The quake in northern Chile killed 4."))
    >>> [term for term, mark in zip(reading.terms, reading.marks) if mark & Mark.NAME]
    ['chile']
    """
    title, summary, body = (text[:LEAD_CHARS] for text in (article.title, article.summary, article.body))
    fields = analyse(ArticleText(title=title, summary=summary, body=body)).fields
    heading = _words(fields.get(Field.TITLE))
    lead = [*_words(fields.get(Field.SUMMARY)), *_words(fields.get(Field.BODY))]
    content = lead[:LEAD_WORDS]
    language = _language(article.lang, [*heading, *content])
    marks: dict[str, int] = {}
    for place, words in ((Mark.TITLE, heading), (Mark.CONTENT, content)):
        shouts = place is Mark.TITLE and _is_title_case(words)
        for term, mark in _terms(words, language, capitals_count=not shouts):
            marks[term] = marks.get(term, 0) | place | mark
    terms = tuple(sorted(marks))
    return Reading(language=language, terms=terms, marks=bytes(marks[term] for term in terms))


def _words(field: AnalysedField | None) -> list[_Word]:
    if field is None:
        return []
    words: list[_Word] = []
    end = 0
    for key, surface, start, stop in zip(
        field.words.keys, field.words.surfaces, field.words.starts, field.words.ends, strict=True
    ):
        words.append(_Word(key, surface, not words or _ENDS_SENTENCE.search(field.text, end, start) is not None))
        end = stop
    return words


def _language(declared: str, words: Sequence[_Word]) -> str:
    """Return the language by its letters; where they do not tell, as the source says, or by its small words."""
    told = declared.partition("-")[0].lower()
    told = "" if told == "en" else told  # which is what feeds say that say nothing
    text = "".join(word.key for word in words)
    for language, (first, last) in (("ko", ("가", "힣")), ("ja", _KANA), ("ru", _CYRILLIC), ("ar", _ARABIC)):
        if sum(first <= char <= last for char in text) * 10 > len(text):
            return told if language in {"ru", "ar"} and told else language
    if sum(is_han_or_kana(word.key) for word in words) * 10 > len(text):
        return "zh"
    return latin_language(word.key for word in words) if told in _OTHER_LETTERS else told


def _is_title_case(words: Sequence[_Word]) -> bool:
    longer = [word for word in words[1:] if len(word.key) > 3 and word.surface[0].isalpha()]
    return sum(word.surface[0].isupper() for word in longer) > _TITLE_CASE_SHARE * len(longer)


def _terms(words: Sequence[_Word], language: str, *, capitals_count: bool) -> Iterator[tuple[str, int]]:
    before: _Word | None = None
    for place, word in enumerate(words):
        if is_han_or_kana(word.key):
            if before is not None and not word.begins and is_han_or_kana(before.key):
                pair = before.key + word.key
                if not all(_HIRAGANA[0] <= char <= _HIRAGANA[1] for char in pair):
                    yield pair, 0
        elif not says_nothing(word.key, language):
            following = words[place + 1] if place + 1 < len(words) else None
            term = _term(word, language)
            is_name = capitals_count and _is_name(word, term, following)
            yield term, _kind(word.key) or (Mark.NAME if is_name else 0)
            if is_hangul(term) and len(term) > 2:
                for start in range(len(term) - 1):
                    yield term[start : start + 2], 0
        before = word


def _is_name(word: _Word, term: str, following: _Word | None) -> bool:
    """Tell whether capitals make a word a name; at a sentence's beginning, of an uncommon word or one of several."""
    if not word.surface[0].isupper():
        return False
    if not word.begins or share(term) == UNLISTED:
        return True
    return following is not None and not following.begins and following.surface[0].isupper()


def _term(word: _Word, language: str) -> str:
    if is_hangul(word.key):
        return next(iter(stems(word.key)), word.key)
    term = stem(word.surface.lower(), language) or word.key
    return country(term) if language == "en" else term


def _kind(key: str) -> int:
    if not key[0].isdigit():
        return 0
    if _YEAR.fullmatch(key):
        return Mark.NUMBER | Mark.YEAR
    return Mark.NUMBER | Mark.SMALL if len(key) <= 2 else Mark.NUMBER
