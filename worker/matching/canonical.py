"""Writes a tree as the one text that stands for its meaning.

Decides how a query is shown, stored and compared: what has the same canonical text is evaluated once. Parsing the text
gives the same tree again. Pure; evidence names the part of a query that matched by it.
"""

from __future__ import annotations

from itertools import pairwise

from worker.matching.characters import is_han_or_kana
from worker.matching.lexer import RESERVED
from worker.matching.tree import And, Case, Leaf, Node, Not, Or, Phrase, Prefix, Reference, Term, Word


def canonical(node: Node) -> str:
    """Write a tree, fields at every word and brackets only where they are needed.

    >>> from worker.matching.parser import parse
    >>> canonical(parse("title:(“Kim  Jong-un” | U.S.) (=Turkey)"))
    '(title:"kim jong un" OR title:US) AND =Turkey'
    """
    match node:
        case Term() | Prefix() | Phrase():
            return f"{node.scope}:{_leaf(node)}" if node.scope else _leaf(node)
        case Reference():
            return f"@{node.slug}"
        case And():
            first, *others = node.children
            return _clause(first) + "".join(_joint(child) + _clause(child) for child in others)
        case Or():
            return " OR ".join(canonical(child) for child in node.children)
        case Not():
            return f"NOT {_bracketed(node.child)}" if isinstance(node.child, And) else f"NOT {_clause(node.child)}"


def _joint(child: Node) -> str:
    return " " if isinstance(child, Not) else " AND "


def _clause(node: Node) -> str:
    return _bracketed(node) if isinstance(node, Or) else canonical(node)


def _bracketed(node: Node) -> str:
    return f"({canonical(node)})"


def _leaf(node: Leaf) -> str:
    match node:
        case Prefix():
            return f"{node.stem}*"
        case Term():
            return _quoted(_word(node.word), is_exact=node.word.case is Case.EXACT)
        case Phrase():
            text = _spaced([*map(_word, node.words), *([f"{node.stem}*"] if node.stem else [])])
            return _quoted(text, is_exact=node.words[0].case is Case.EXACT)


def _word(word: Word) -> str:
    match word.case:
        case Case.EXACT:
            return word.surface
        case Case.CAPITALS:
            return word.key.upper()
        case Case.ANY:
            return word.key


def _spaced(pieces: list[str]) -> str:
    """Put spaces between words, but none between Han or Kana, as these are written."""
    text = pieces[0]
    for left, right in pairwise(pieces):
        text += right if is_han_or_kana(left) and is_han_or_kana(right) else f" {right}"
    return text


def _quoted(text: str, *, is_exact: bool) -> str:
    needs_quotes = text in RESERVED or len(text.split()) > 1
    return ("=" if is_exact else "") + (f'"{text}"' if needs_quotes else text)
