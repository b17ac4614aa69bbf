"""Finds again how somebody wrote a word of a query: a tree has only the folded keys, people know their own spelling.

Pure; `plain_words` and `suggest` call it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from worker.errors import QueryError
from worker.matching.lexer import QUOTES
from worker.matching.parser import parse
from worker.matching.tree import Case, Leaf, Phrase, Prefix, Term, Word

_PIECE: Final = re.compile(rf"[=~]?(?:[{QUOTES}](?P<quoted>[^{QUOTES}]*)[{QUOTES}]|(?P<bare>[^\s(){QUOTES}|]+))")


def spelled(leaf: Leaf, query: str = "") -> str:
    """Return a word or phrase as `query` has it at the leaf's offset, without quotes and signs, else from its keys.

    A prefix comes without its star. What stands at the offset counts only if it is read as this very leaf.

    >>> spelled(parse("U.S."), ""), spelled(parse("nav*"), "nav*"), spelled(parse("“North  Korea”"), "“North  Korea”")
    ('US', 'nav', 'North Korea')
    """
    piece = _PIECE.match(query, leaf.at)
    if piece and _is_read_as(piece[0].rstrip(",،、"), leaf):
        text = " ".join((piece["quoted"] or piece["bare"] or "").rstrip(",،、").split())
        return text.removesuffix("*")
    return from_keys(leaf)


def from_keys(leaf: Leaf) -> str:
    """Write a leaf from its keys.

    >>> from_keys(parse('"Kim Jong-un"'))
    'kim jong un'
    """
    match leaf:
        case Prefix():
            return leaf.stem
        case Term():
            return _word(leaf.word)
        case Phrase():
            return " ".join([*map(_word, leaf.words), *([leaf.stem] if leaf.stem else [])])


def _word(word: Word) -> str:
    return word.surface or (word.key.upper() if word.case is Case.CAPITALS else word.key)


def _is_read_as(piece: str, leaf: Leaf) -> bool:
    try:
        return parse(piece) == replace(leaf, scope=None, within=0)
    except QueryError:
        return False
