"""What an article needs before it may come in, and what can be put right without asking.

Pure. Raises `InputError` that names the field; the doors turn it into one line, polling into a note on the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from worker.errors import InputError
from worker.intake.thresholds import (
    MAX_CLOCK_SKEW,
    MAX_PICTURE_WORDS_CHARS,
    MAX_TEXT_BYTES,
    MAX_TITLE_CHARS,
    MAX_URL_CHARS,
)
from worker.model import ParsedArticle, Picture
from worker.pictures import address_fault, fault

_TEXTS: Final = ("guid", "url", "title", "summary", "body", "author", "section", "source", "lang")
_TIMES: Final = ("published_at", "updated_at")
_FIRST_SENTENCE: Final = re.compile(r".{1,120}?[.!?。](?=\s|$)|.{1,120}(?=\s|$)|.{1,120}", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Valid:
    """An article fit to be judged and stored; `notes` say what was put right, a sentence each, may be empty."""

    article: ParsedArticle
    notes: tuple[str, ...] = ()


def validate(article: ParsedArticle, *, now: datetime, where: str = "") -> Valid:
    """Check an article and put right what can be: dates in the future become `now`, a missing title the first sentence.

    Raises `InputError`; `where` (a file, an item) stands before the field's name.

    >>> validate(ParsedArticle(body="It shook. Twice."), now=datetime(2026, 11, 23, tzinfo=UTC)).article.title
    'It shook.'
    >>> validate(ParsedArticle(title="Quake", url="ftp://x"), now=datetime(2026, 11, 23, tzinfo=UTC))
    Traceback (most recent call last):
    worker.errors.InputError: url: "ftp://x" is no web address (write it like https://news.example/story)
    """
    at = f"{where}, " if where else ""
    for name in _TEXTS:
        _check_characters(getattr(article, name), at + name)
    for tag in article.tags:
        _check_characters(tag, at + "tags")
    _check_substance(article, at)
    _check_url(article.url, at + "url")
    if article.image:
        check_picture(article.image, at + "image")
    notes: list[str] = []
    title = article.title.strip()
    if not title:
        title = _first_sentence(article.body or article.summary)
        notes.append("without a title: its first sentence stands in")
    times = {name: _settled(getattr(article, name), now, at + name) for name in _TIMES}
    notes += [f"{name} lay in the future: taken for now" for name in _TIMES if times[name] != getattr(article, name)]
    fit = replace(article, title=title, published_at=times["published_at"], updated_at=times["updated_at"])
    return Valid(article=fit, notes=tuple(notes))


def check_picture(picture: Picture, where: str) -> None:
    """Refuse a picture that mails do not show. Raises `InputError`; `where` is the picture's own field.

    >>> check_picture(Picture(url="https://courier.example/map.svg"), "image")
    Traceback (most recent call last):
    worker.errors.InputError: image.url: a file of type "svg", which mails do not show (give a JPEG, PNG, GIF or WebP)
    """
    for name in ("url", "alt", "credit"):
        _check_characters(getattr(picture, name), f"{where}.{name}")
    for name in ("alt", "credit"):
        if (length := len(getattr(picture, name))) > MAX_PICTURE_WORDS_CHARS:
            raise InputError(f"{length} characters; the limit is {MAX_PICTURE_WORDS_CHARS}", where=f"{where}.{name}")
    if wrong := address_fault(picture.url):
        hint = "give a JPEG, PNG, GIF or WebP" if "type" in wrong else "write it like https://news.example/quake.jpg"
        raise InputError(wrong, where=f"{where}.url", hint=hint)
    if wrong := fault(picture):
        raise InputError(wrong, where=where, hint="leave it out")


def _check_characters(text: str, where: str) -> None:
    if "\0" in text:
        raise InputError(f"a NUL character at offset {text.index(chr(0))}", where=where)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"half of a UTF-16 pair at offset {error.start}, which is no character", where=where
        ) from error


def _check_substance(article: ParsedArticle, at: str) -> None:
    if not (article.title.strip() or article.body.strip() or article.summary.strip()):
        raise InputError("an article needs a title or a body", where=f"{at}title")
    if len(article.title) > MAX_TITLE_CHARS:
        raise InputError(f"{len(article.title)} characters; the limit is {MAX_TITLE_CHARS}", where=f"{at}title")
    size = len(article.body.encode()) + len(article.summary.encode())
    if size > MAX_TEXT_BYTES:
        limit = f"{size / 1e6:.1f} MB of text is more than the limit of {MAX_TEXT_BYTES // 1_000_000} MB an article"
        raise InputError(limit, where=f"{at}body", hint="hand it in as several articles")


def _check_url(url: str, where: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        sound = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or len(url) > MAX_URL_CHARS or any(character.isspace() for character in url):
        hint = "write it like https://news.example/story"
        raise InputError(f'"{url[:80]}" is no web address', where=where, hint=hint)


def _settled(moment: datetime | None, now: datetime, where: str) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InputError("a time without a zone", where=where, hint="write it like 2026-11-23T09:30:00+09:00")
    return now if moment > now + MAX_CLOCK_SKEW else moment.astimezone(UTC)


def _first_sentence(text: str) -> str:
    line = text.strip().partition("\n")[0]
    match = _FIRST_SENTENCE.match(line)
    return match.group(0).strip() if match else line
