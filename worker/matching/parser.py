"""Reads a query into a tree, or says what is wrong with it, where, and what to write instead.

    query    = both { ("OR" | "|") both }
    both     = clause { ["AND"] clause }
    clause   = ("NOT" | "-") operand | operand
    operand  = [field ":"] ( "(" query ")" | ["="] word | ["="] phrase ) | "@" slug

Decides the grammar; `lexer` knows the characters, `leaves` the words, `checks` what is refused as a whole. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from worker.errors import QueryError
from worker.matching.checks import MAX_CHARACTERS, MAX_DEPTH, check
from worker.matching.leaves import LeafText, leaf
from worker.matching.lexer import Kind, Lexeme, field_named, lex
from worker.matching.tree import Node, Not, Reference, all_of, any_of
from worker.model import Field

_OPERANDS: Final = frozenset({Kind.OPEN, Kind.EXACT, Kind.FIELD, Kind.REFERENCE, Kind.PHRASE, Kind.WORD})
_OPERATORS: Final = {Kind.AND: "AND", Kind.OR: "OR", Kind.NOT: "NOT", Kind.EXACT: "=", Kind.FIELD: "the field"}


def parse(query: str) -> Node:
    """Read a query. Raises `QueryError` with the offset in code points; a retry never helps.

    References stay in the tree; `references.resolve` follows them.

    >>> from worker.matching.canonical import canonical
    >>> canonical(parse("Kim-jong (missil* | ‘rocket’) -drill title:US"))
    '"kim jong" AND (missil* OR rocket) NOT drill AND title:US'
    """
    if len(query) > MAX_CHARACTERS:
        raise QueryError(
            f"the query is longer than {MAX_CHARACTERS:,} characters",
            offset=MAX_CHARACTERS,
            hint="cut it into topics, and name them with @",
        )
    lexemes = list(lex(query))
    if not lexemes:
        raise QueryError("the query is empty", offset=0, hint="write a word, such as russia")
    node = _Parser(lexemes).query()
    check(node)
    return node


class _Parser:
    """Recursive descent over the lexemes; goes as deep as the brackets do."""

    def __init__(self, lexemes: Sequence[Lexeme]) -> None:
        self._lexemes = lexemes
        self._next = 0
        self._open: list[Lexeme] = []
        self._scope: Field | None = None

    def query(self) -> Node:
        node = self._either()
        if self._peek() is not None:
            raise QueryError("this bracket closes nothing", offset=self._take().at, hint="take it out")
        return node

    def _either(self) -> Node:
        branches = [self._both()]
        while self._peek() is Kind.OR:
            self._take()
            branches.append(self._both())
        return any_of(tuple(branches), at=branches[0].at)

    def _both(self) -> Node:
        clauses = [self._clause()]
        while self._peek() in _OPERANDS or self._peek() in (Kind.AND, Kind.NOT):
            if self._peek() is Kind.AND:
                self._take()
            clauses.append(self._clause())
        return all_of(tuple(clauses), at=clauses[0].at)

    def _clause(self) -> Node:
        if self._peek() is Kind.NOT:
            at = self._take().at
            return Not(child=self._operand(), at=at)
        return self._operand()

    def _operand(self) -> Node:
        if self._peek() not in _OPERANDS:
            raise self._missing()
        lexeme = self._take()
        match lexeme.kind:
            case Kind.OPEN:
                return self._bracket(lexeme)
            case Kind.FIELD:
                return self._scoped(lexeme)
            case Kind.REFERENCE:
                return self._reference(lexeme)
            case _:
                return self._leaf(lexeme)

    def _bracket(self, opened: Lexeme) -> Node:
        self._open.append(opened)
        if len(self._open) > MAX_DEPTH:
            raise QueryError(
                f"brackets are nested more than {MAX_DEPTH} deep",
                offset=opened.at,
                hint="make a topic of the inner part, and name it with @",
            )
        node = self._either()
        if self._peek() is not Kind.CLOSE:
            raise QueryError("this bracket is never closed", offset=opened.at, hint="write ) where the group ends")
        self._take()
        self._open.pop()
        return node

    def _scoped(self, named: Lexeme) -> Node:
        if self._scope is not None:
            raise QueryError("a field stands inside another", offset=named.at, hint="name one field at a time")
        if self._peek() in (Kind.REFERENCE, Kind.NOT):
            raise QueryError(
                f"{named.text}: cannot stand before this", offset=named.at, hint="write title:russia, -title:russia"
            )
        self._scope = field_named(named.text)
        node = self._operand()
        self._scope = None
        return node

    def _reference(self, lexeme: Lexeme) -> Node:
        if not lexeme.text:
            raise QueryError(
                "@ names no topic", offset=lexeme.at, hint="write @ and a topic's slug, as in @north-korea"
            )
        if self._scope is not None:
            raise QueryError("a topic cannot be restricted to a field", offset=lexeme.at, hint="take the field away")
        return Reference(slug=lexeme.text, at=lexeme.at)

    def _leaf(self, lexeme: Lexeme) -> Node:
        is_exact = lexeme.kind is Kind.EXACT
        content = self._take() if is_exact and self._peek() in (Kind.WORD, Kind.PHRASE) else lexeme
        if content.kind is Kind.EXACT:
            raise QueryError("= wants a word right behind it", offset=lexeme.at, hint="write =Turkey, title:=Turkey")
        return leaf(LeafText(content.text, lexeme.at, content.text_at, is_exact, self._scope))

    def _missing(self) -> QueryError:
        before = self._lexemes[self._next - 1] if self._next else None
        if before is not None and before.kind in _OPERATORS:
            return QueryError(
                f"a word is missing after {_OPERATORS[before.kind]}", offset=before.at, hint="write one there"
            )
        if self._peek() is None and before is not None:
            return QueryError("this bracket is never closed", offset=before.at, hint="write ) where the group ends")
        here = self._take()
        if here.kind is not Kind.CLOSE:
            return QueryError(
                f"a word is missing before {_OPERATORS[here.kind]}", offset=here.at, hint="write one there"
            )
        if before is not None:
            return QueryError("these brackets are empty", offset=before.at, hint="take them out")
        return QueryError("this bracket closes nothing", offset=here.at, hint="take it out")

    def _peek(self) -> Kind | None:
        return self._lexemes[self._next].kind if self._next < len(self._lexemes) else None

    def _take(self) -> Lexeme:
        self._next += 1
        return self._lexemes[self._next - 1]
