"""Reads a query into a tree, or says what is wrong with it, where, and what to write instead.

    query    = both { ("OR" | "|") both }
    both     = clause { ["AND"] clause }
    clause   = ["NOT" | "-"] close
    close    = operand { ("NEAR/n" | "ONEAR/n") operand }
    operand  = [field ":"] ( "(" query ")" | many | leaf ) | "FIRST/n" operand | "@" slug
    many     = "ANY/n" "(" query { "," query } ")" | "ATLEAST/n" operand
    leaf     = ["=" | "~"] ( word | phrase )

Decides the grammar; `lexer` knows the characters, `leaves` the words, `operands` what NEAR and ATLEAST take, `checks`
what is refused as a whole. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from worker.errors import QueryError
from worker.matching.checks import MAX_CHARACTERS, MAX_DEPTH, check, is_positive
from worker.matching.leaves import LeafText, leaf
from worker.matching.lexer import Kind, Lexeme, field_named, lex
from worker.matching.operands import check_counted, check_sides
from worker.matching.tree import AnyOf, AtLeast, Case, Near, Node, Not, Reference, all_of, any_of, depth
from worker.model import Field

_SIGNS: Final = {Kind.EXACT: Case.EXACT, Kind.INFLECTED: Case.INFLECTED}
_LEAVES: Final = frozenset({Kind.WORD, Kind.PHRASE, *_SIGNS})
_OPERANDS: Final = _LEAVES | {Kind.OPEN, Kind.FIELD, Kind.REFERENCE, Kind.ATLEAST, Kind.ANY, Kind.FIRST}
_CLAUSES: Final = _OPERANDS | {Kind.AND, Kind.NOT}


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
    lexemes = lex(query)
    if len(lexemes) == 1:
        raise QueryError("the query is empty", offset=0, hint="write a word, such as russia")
    node = _Parser(lexemes).query()
    check(node)
    return node


def parse_again(canonical: str) -> Node:
    """Read what `canonical` wrote of a tree that had passed; with its topics put in, it may be longer than a query."""
    return _Parser(lex(canonical)).query()


class _Parser:
    """Recursive descent over the lexemes; goes as deep as the brackets do."""

    def __init__(self, lexemes: Sequence[Lexeme]) -> None:
        self._lexemes = lexemes
        self._next = 0
        self._kind = lexemes[0].kind  # of the next lexeme
        self._open = 0
        self._scope: Field | None = None
        self._within = 0
        self._counted = ""  # the ATLEAST that we are behind

    def query(self) -> Node:
        node = self._either()
        if self._kind is not Kind.END:
            raise QueryError("this bracket closes nothing", offset=self._take().at, hint="take it out")
        return node

    def _either(self) -> Node:
        node = self._both()
        if self._kind is not Kind.OR:
            return node
        branches = [node]
        while self._kind is Kind.OR:
            self._take()
            branches.append(self._both())
        return any_of(tuple(branches), at=node.at)

    def _both(self) -> Node:
        node = self._clause()
        if self._kind not in _CLAUSES:
            return node
        clauses = [node]
        while self._kind in _CLAUSES:
            if self._kind is Kind.AND:
                self._take()
            clauses.append(self._clause())
        return all_of(tuple(clauses), at=node.at)

    def _clause(self) -> Node:
        if self._kind is Kind.NOT:
            at = self._take().at
            return Not(child=self._close(), at=at)
        return self._close()

    def _close(self) -> Node:
        node = self._operand()
        while self._kind is Kind.NEAR:
            operator = self._take()
            near = Near(
                left=node,
                right=self._operand(),
                distance=operator.number,
                is_ordered=operator.text.startswith("O"),
                at=node.at,
            )
            node = check_sides(near, operator.text)
            self._check_depth(self._open + depth(node), operator)
        return node

    def _operand(self) -> Node:
        if self._kind in _LEAVES:
            return self._leaf(self._take())
        if self._kind not in _OPERANDS:
            raise self._missing()
        lexeme = self._take()
        match lexeme.kind:
            case Kind.OPEN:
                return self._brackets(lexeme)[0]
            case Kind.FIELD:
                return self._scoped(lexeme)
            case Kind.FIRST:
                return self._first(lexeme)
            case Kind.ATLEAST:
                return self._at_least(lexeme)
            case Kind.ANY:
                return self._any(lexeme)
            case _:
                return self._reference(lexeme)

    def _brackets(self, opened: Lexeme, *, is_list: bool = False) -> list[Node]:
        """Read what stands in brackets: one query, or in ANY's several with commas between them."""
        self._open += 1
        self._check_depth(self._open, opened)
        nodes = [self._either()]
        while self._kind is Kind.COMMA:
            comma = self._take()
            if not is_list:
                raise QueryError(
                    "a comma stands in brackets inside ANY's", offset=comma.at, hint="write AND or OR there instead"
                )
            nodes.append(self._either())
        if self._kind is not Kind.CLOSE:
            raise QueryError("this bracket is never closed", offset=opened.at, hint="write ) where the group ends")
        self._take()
        self._open -= 1
        return nodes

    def _scoped(self, named: Lexeme) -> Node:
        if self._scope is not None:
            raise QueryError("a field stands inside another", offset=named.at, hint="name one field at a time")
        if self._kind in (Kind.REFERENCE, Kind.NOT):
            raise QueryError(
                f"{named.text}: cannot stand before this", offset=named.at, hint="write title:russia, -title:russia"
            )
        self._scope = field_named(named.text)
        node = self._operand()
        self._scope = None
        return node

    def _first(self, operator: Lexeme) -> Node:
        outer = self._within
        self._within = min(outer or operator.number, operator.number)
        while self._kind is Kind.FIRST:
            operator = self._take()
            self._within = min(self._within, operator.number)
        if self._kind in (Kind.REFERENCE, Kind.NOT):
            raise QueryError(
                f"{operator.text} cannot stand before this",
                offset=operator.at,
                hint="write FIRST/50 russia, NOT FIRST/50 russia",
            )
        node = self._operand()
        self._within = outer
        return node

    def _at_least(self, operator: Lexeme) -> Node:
        if self._counted:
            raise QueryError(
                f"ATLEAST cannot stand behind {self._counted}", offset=operator.at, hint="leave one of them out"
            )
        self._counted = operator.text
        child = check_counted(self._operand(), operator.text)
        self._counted = ""
        return AtLeast(count=operator.number, child=child, at=operator.at) if operator.number > 1 else child

    def _any(self, operator: Lexeme) -> Node:
        if self._kind is not Kind.OPEN:
            raise QueryError(
                f"{operator.text} wants a list in brackets", offset=operator.at, hint="write ANY/2 (a, b, c)"
            )
        nodes = tuple(self._brackets(self._take(), is_list=True))
        for node in nodes:
            if not is_positive(node):
                raise QueryError(
                    "only absence is asked for between commas", offset=node.at, hint="write ANY/2 (a, b, c) NOT d"
                )
        if operator.number > len(nodes):
            raise QueryError(
                f"{operator.text} wants more than the {len(nodes)} it has to choose from",
                offset=operator.at,
                hint="put commas between them: ANY/2 (a, b, c)",
            )
        if operator.number == 1:
            return any_of(nodes, at=operator.at)
        if operator.number == len(nodes):
            return all_of(nodes, at=operator.at)
        return AnyOf(count=operator.number, children=nodes, at=operator.at)

    def _reference(self, lexeme: Lexeme) -> Node:
        if not lexeme.text:
            raise QueryError(
                "@ names no topic", offset=lexeme.at, hint="write @ and a topic's slug, as in @north-korea"
            )
        if self._scope is not None:
            raise QueryError("a topic cannot be restricted to a field", offset=lexeme.at, hint="take the field away")
        if self._within:
            raise QueryError("a topic cannot be cut to its first words", offset=lexeme.at, hint="take FIRST away")
        return Reference(slug=lexeme.text, at=lexeme.at)

    def _leaf(self, lexeme: Lexeme) -> Node:
        case, content = Case.ANY, lexeme
        if lexeme.kind in _SIGNS:
            case = _SIGNS[lexeme.kind]
            if self._kind is not Kind.WORD and self._kind is not Kind.PHRASE:
                raise QueryError(
                    f"{lexeme.text} wants a word right behind it",
                    offset=lexeme.at,
                    hint=f"write {lexeme.text}Turkey, title:{lexeme.text}Turkey",
                )
            content = self._take()
        within = self._within if self._scope in (None, Field.BODY) else 0
        return leaf(LeafText(content.text, lexeme.at, content.text_at, case, self._scope, within))

    def _check_depth(self, deep: int, here: Lexeme) -> None:
        if deep > MAX_DEPTH:
            raise QueryError(
                f"brackets are nested more than {MAX_DEPTH} deep, a NEAR counting as a pair",
                offset=here.at,
                hint="make a topic of the inner part, and name it with @",
            )

    def _missing(self) -> QueryError:
        """Say why no operand stands here: something before it wants one, or nothing is between two brackets."""
        before = self._lexemes[self._next - 1] if self._next else None
        here = self._lexemes[self._next]
        if before is None and here.kind is Kind.CLOSE:
            return QueryError("this bracket closes nothing", offset=here.at, hint="take it out")
        if before is not None and before.kind is Kind.NEAR and here.kind is Kind.NOT:
            return QueryError(f"NOT cannot stand beside {before.text}", offset=here.at, hint="write (a NEAR/5 b) NOT c")
        if before is not None and before.kind is not Kind.OPEN:
            return QueryError(f"a word is missing after {_name(before)}", offset=before.at, hint="write one there")
        if before is not None and here.kind is Kind.END:
            return QueryError("this bracket is never closed", offset=before.at, hint="write ) where the group ends")
        if before is not None and here.kind is Kind.CLOSE:
            return QueryError("these brackets are empty", offset=before.at, hint="take them out")
        return QueryError(f"a word is missing before {_name(here)}", offset=here.at, hint="write one there")

    def _take(self) -> Lexeme:
        lexeme = self._lexemes[self._next]
        self._next += 1
        self._kind = self._lexemes[self._next].kind
        return lexeme


def _name(lexeme: Lexeme) -> str:
    """Name an operator as its author wrote it, and its usual name where that is a mere character."""
    match lexeme.kind:
        case Kind.FIELD:
            return "the field"
        case Kind.COMMA:
            return "the comma"
        case Kind.OR | Kind.NOT:
            return lexeme.kind.upper()
        case _:
            return lexeme.text
