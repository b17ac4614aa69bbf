"""What a query means, read from the rules with nothing but tokens and sets: slow, plain, and nobody's copy."""

from __future__ import annotations

from itertools import product

import Stemmer

from worker.matching.analyser import AnalysedArticle, Token
from worker.matching.folding import fold
from worker.matching.hangul import PARTICLES
from worker.matching.query import And, AnyOf, AtLeast, Case, Leaf, Near, Node, Not, Or, Phrase, Term, Word
from worker.model import Field

Piece = tuple[Field, int, int]
"""A field, and the positions of a first and a last word in it."""

STEMMERS = {name: Stemmer.Stemmer(name) for name in ("english", "russian", "german")}
LANGUAGES = {"": "english", "en": "english", "ru": "russian", "de": "german"}


def naive(node: Node, article: AnalysedArticle) -> bool:
    """Ask every place of every field."""
    match node:
        case And():
            return all(naive(child, article) for child in node.children)
        case Or():
            return any(naive(child, article) for child in node.children)
        case Not():
            return not naive(node.child, article)
        case AnyOf():
            return [naive(child, article) for child in node.children].count(True) >= node.count
        case AtLeast():
            return most_apart(pieces(node.child, article)) >= node.count
        case _:
            return bool(pieces(node, article))


def pieces(node: Node, article: AnalysedArticle) -> set[Piece]:
    """Find every stretch of text that makes a leaf, a group of such, or a NEAR true."""
    match node:
        case Or():
            return {piece for child in node.children for piece in pieces(child, article)}
        case Near():
            pairs = list(product(pieces(node.left, article), pieces(node.right, article)))
            joined = {joint(left, right, node.distance) for left, right in pairs}
            if not node.is_ordered:
                joined |= {joint(right, left, node.distance) for left, right in pairs}
            return {piece for piece in joined if piece}
        case _:
            return leaf_pieces(node, article)  # type: ignore[arg-type]  # the queries here name no topics


def joint(before: Piece, after: Piece, distance: int) -> Piece | None:
    is_near = before[0] is after[0] and before[2] < after[1] <= before[2] + distance
    return (before[0], before[1], after[2]) if is_near else None


def most_apart(found: set[Piece]) -> int:
    """Count the largest number of pieces of which no two share a word: all ways are tried."""
    if not found:
        return 0
    one, *_ = found
    others = found - {one}
    apart = {other for other in others if other[0] is not one[0] or other[2] < one[1] or other[1] > one[2]}
    with_one = 1 + most_apart(apart)
    return with_one if len(apart) == len(others) else max(with_one, most_apart(others))


def leaf_pieces(leaf: Leaf, article: AnalysedArticle) -> set[Piece]:
    found = set()
    scope = [leaf.scope] if leaf.scope else [Field.TITLE, Field.BODY] if leaf.within else [*Field][:3]
    for name in scope:
        tokens = list(article.fields[name].tokens()) if name in article.fields else []
        if leaf.within and name is Field.BODY:
            tokens = tokens[: leaf.within]
        for place in range(len(tokens)):
            if length := stands(leaf, tokens[place:], language(article)):
                found.add((name, place, place + length - 1))
    return found


def language(article: AnalysedArticle) -> str:
    return next(article.fields[Field.LANG].tokens()).key if Field.LANG in article.fields else ""


def stands(leaf: Leaf, tokens: list[Token], lang: str) -> int:
    """Return how many words a leaf takes right here, 0 if it does not stand here."""
    words = (leaf.word,) if isinstance(leaf, Term) else leaf.words if isinstance(leaf, Phrase) else ()
    stem = "" if isinstance(leaf, Term) else leaf.stem
    length = len(words) + bool(stem)
    row = tokens[:length]
    is_here = (
        len(row) == length
        and len({token.paragraph for token in row}) == 1
        and all(suits(word, token, lang) for word, token in zip(words, row, strict=False))
        and row[-1].key.startswith(stem)
    )
    return length if is_here else 0


def suits(word: Word, token: Token, lang: str) -> bool:
    if word.case is Case.EXACT:
        return token.surface == word.surface
    with_particle = len(word.key) > 1 and token.key.startswith(word.key) and token.key[len(word.key) :] in PARTICLES
    letters = [character for character in token.surface if character.isalpha()]
    all_capitals = token.surface.isupper()
    if word.case is Case.CAPITALS and not all_capitals:
        enough = sum(character.isalpha() for character in word.key) >= 4
        return token.key == word.key and enough and letters[0].isupper()
    if word.case is Case.INFLECTED and lang in LANGUAGES:
        stemmer = STEMMERS[LANGUAGES[lang]]
        if fold(stemmer.stemWord(word.surface)) == fold(stemmer.stemWord(token.surface.lower())):
            return True
    return token.key == word.key or with_particle
