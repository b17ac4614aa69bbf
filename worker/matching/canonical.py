"""Writes a tree as the one text that stands for its meaning.

Decides how a query is shown, stored and compared: what has the same canonical text is evaluated once. Parsing the text
gives the same tree again. Pure; evidence names the part of a query that matched by it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from worker.matching.characters import is_han_or_kana
from worker.matching.lexer import is_reserved
from worker.matching.tree import (
    And,
    AnyOf,
    AtLeast,
    Case,
    Leaf,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    Word,
)


def canonical(node: Node) -> str:
    """Write a tree, fields and FIRST at every word and brackets only where they are needed.

    >>> from worker.matching.parser import parse
    >>> canonical(parse("title:(“Kim  Jong-un” | U.S.) FIRST/50 (=Turkey ~Drones)"))
    '(title:"kim jong un" OR title:US) AND FIRST/50 =Turkey AND FIRST/50 ~drones'
    """
    match node:
        case Term() | Prefix() | Phrase():
            return _leaf(node)
        case Reference():
            return f"@{node.slug}"
        case And():
            first, *others = node.children
            return _clause(first) + "".join(_joint(child) + _clause(child) for child in others)
        case Or():
            return " OR ".join(map(canonical, node.children))
        case Not():
            return f"NOT {_bracketed(node.child)}" if isinstance(node.child, And) else f"NOT {_clause(node.child)}"
        case Near():
            operator = f"{'O' if node.is_ordered else ''}NEAR/{node.distance}"
            right = _bracketed(node.right) if isinstance(node.right, Near) else _clause(node.right)
            return f"{_clause(node.left)} {operator} {right}"
        case AtLeast():
            return f"ATLEAST/{node.count} {_clause(node.child)}"
        case AnyOf():
            return f"ANY/{node.count} ({', '.join(map(canonical, node.children))})"


def _joint(child: Node) -> str:
    return " " if isinstance(child, Not) else " AND "


def _clause(node: Node) -> str:
    return _bracketed(node) if isinstance(node, Or) else canonical(node)


def _bracketed(node: Node) -> str:
    return f"({canonical(node)})"


def _leaf(node: Leaf) -> str:
    match node:
        case Prefix():
            text = f"{node.stem}*"
        case Term():
            text = _SIGNS.get(node.word.case, "") + _quoted(_word(node.word))
        case _:
            words = _spaced([*map(_word, node.words), *([f"{node.stem}*"] if node.stem else [])])
            text = _SIGNS.get(node.words[0].case, "") + _quoted(words)
    if node.scope:
        text = f"{node.scope}:{text}"
    return f"FIRST/{node.within} {text}" if node.within else text


_SIGNS: Final = {Case.EXACT: "=", Case.INFLECTED: "~"}


def _word(word: Word) -> str:
    return word.surface or (word.key.upper() if word.case is Case.CAPITALS else word.key)


def _spaced(pieces: list[str]) -> str:
    """Put spaces between words, but none between Han or Kana, as these are written."""
    text = pieces[0]
    for left, right in pairwise(pieces):
        text += right if is_han_or_kana(left) and is_han_or_kana(right) else f" {right}"
    return text


def _quoted(text: str) -> str:
    if text.isalnum() and not text.isupper():
        return text
    return f'"{text}"' if is_reserved(text) or len(text.split()) > 1 else text
