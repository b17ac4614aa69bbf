"""What no query may be, however well it is formed: limits, and queries that would match next to everything.

Decides refusals that need the whole tree. Pure; `parser` calls it for what a person wrote, `references` for what comes
of it once the topics are put in.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from worker.errors import QueryError
from worker.matching.stopwords import STOP_WORDS
from worker.matching.tree import (
    TEXT_FIELDS,
    And,
    AnyOf,
    Case,
    Leaf,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    Word,
    children,
    walk,
)

MAX_CHARACTERS: Final = 20_000
MAX_DEPTH: Final = 50  # brackets inside brackets
MAX_PREFIXES: Final = 20  # each may stand for thousands of words


def check(root: Node) -> None:
    """Refuse a tree that is only absence, only stop words, or has too many prefixes. Raises `QueryError`."""
    if not is_positive(root):
        raise QueryError("only absence is asked for", offset=root.at, hint="say what to look for: russia NOT drill")
    prefixes = 0
    for node in walk(root):
        match node:
            case Or():
                _check_branches(node)
            case Not() if not is_positive(node.child):
                raise QueryError("NOT of what is absent", offset=node.at, hint="take both NOTs out")
            case Prefix() | Phrase() if node.stem:
                prefixes += 1
                _check_prefixes(prefixes, node.at)
    _check_stop_words(root)


def is_positive(node: Node) -> bool:
    """Tell whether something must be present for a node to match; `check` looks at the branches of an `Or` itself."""
    match node:
        case Not():
            return False
        case And():
            return any(is_positive(child) for child in node.children)
        case _:
            return True


def _check_branches(node: Or) -> None:
    for branch in node.children:
        if not is_positive(branch):
            raise QueryError("NOT cannot be a branch of OR", offset=branch.at, hint="write a OR (b NOT c), or a NOT b")


def _check_prefixes(count: int, at: int) -> None:
    if count > MAX_PREFIXES:
        raise QueryError(
            f"there are more than {MAX_PREFIXES} prefixes, the first too many",
            offset=at,
            hint="write words out, or make topics of the parts",
        )


def _check_stop_words(root: Node) -> None:
    if all(_says_nothing(leaf) for leaf in _wanted(root)):
        raise QueryError(
            "there are only stop words",
            offset=next(_wanted(root)).at,
            hint="add a word that says what it is about; write an acronym in capitals: US, WHO",
        )


def idle_words(node: Node) -> Iterator[Leaf]:
    """Find stop words that alone make a query true, and so in nearly every article: the `it` of `korea OR it`."""
    match node:
        case Term() | Prefix() | Phrase():
            if _says_nothing(node):
                yield node
        case Not() | Reference():
            return
        case _:
            parts = [list(idle_words(part)) for part in children(node) if not isinstance(part, Not)]
            enough = 1 if isinstance(node, Or) else node.count if isinstance(node, AnyOf) else len(parts)
            if sum(map(bool, parts)) >= enough:
                yield from chain.from_iterable(parts)


def _wanted(node: Node) -> Iterator[Node]:
    """Go through the leaves and references that may be present."""
    match node:
        case Not():
            return
        case Term() | Prefix() | Phrase() | Reference():
            yield node
        case _:
            for child in children(node):
                yield from _wanted(child)


def _says_nothing(node: Node) -> bool:
    match node:
        case Term() if node.scope is None or node.scope in TEXT_FIELDS:
            return _is_stop_word(node.word)
        case Phrase() if node.scope is None or node.scope in TEXT_FIELDS:
            return not node.stem and all(_is_stop_word(word) for word in node.words)
        case _:
            return False


def _is_stop_word(word: Word) -> bool:
    is_acronym = word.case is Case.CAPITALS or (len(word.key) > 1 and word.surface.isupper())
    return word.key in STOP_WORDS and not is_acronym
