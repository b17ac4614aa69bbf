"""An article as a JSON object names its parts, made into text that can be analysed.

Decides what is accepted as a field: the names of the API's article shape, strings or null. Never reads a file. Pure;
the `match` and `explain` commands call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from worker.errors import InputError
from worker.matching.analyser import ArticleText

_STRINGS: Final = tuple(field.name for field in fields(ArticleText) if field.name != "tags")


def article_text(source: Mapping[str, object]) -> ArticleText:
    """Take an article's text from a JSON object; other members are ignored. Raises `InputError` with the field's name.

    >>> article_text({"id": 7, "title": "Rain", "summary": None, "tags": ["weather"]})
    ArticleText(title='Rain', summary='', body='', author='', section='', source='', lang='', url='', tags=('weather',))
    """
    texts = {name: _text(source.get(name), name) for name in _STRINGS}
    return ArticleText(**texts, tags=_tags(source.get("tags")))


def _text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{name} is no text", where=name, hint='write a string, such as "Rain in Busan"')
    return value


def _tags(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise InputError("tags is no list of texts", where="tags", hint='write a list of strings, such as ["weather"]')
    return tuple(value)
