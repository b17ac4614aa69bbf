"""Operator precedence, which the sources share: tokens with binding powers in, a draft out.

Decides how operators, brackets and neighbours belong together, given each token's power (a higher one binds tighter).
What the tokens are and how tight they bind is each source's own. Pure; the sources' modules call `read`.
"""

from __future__ import annotations

from collections.abc import Sequence

from worker.errors import QueryError
from worker.matching.checks import MAX_DEPTH
from worker.matching.foreign.draft import All, Any, Draft, Words
from worker.matching.foreign.tokens import Infix, Token


def read(tokens: Sequence[Token], joint: Infix) -> Draft:
    """Read a whole query; `joint` joins neighbours without an operator. Raises `QueryError`."""
    if not tokens:
        raise QueryError("the query is empty", offset=0, hint="leave the line out")
    return _Reader(tokens, joint).query()


class _Reader:
    """Precedence climbing; goes as deep as the brackets do, never as deep as a row is long."""

    def __init__(self, tokens: Sequence[Token], joint: Infix) -> None:
        self._tokens = tokens
        self._joint = joint
        self._next = 0
        self._depth = 0

    def query(self) -> Draft:
        draft = self._expression(0)
        if (token := self._peek()) is not None:
            raise QueryError("this bracket closes nothing", offset=token.at, hint="take it out")
        return draft

    def _expression(self, floor: int) -> Draft:
        left = self._operand()
        links = 0
        while (token := self._peek()) is not None and not token.closes:
            power, join = token.infix or token.joint or self._joint
            if (token.postfix.power if token.postfix else power) < floor:
                break
            self._next += token.infix is not None or token.postfix is not None
            left = token.postfix.make(left) if token.postfix else join(left, self._expression(power + 1))
            links = 0 if isinstance(left, All | Any | Words) else links + 1
            self._limit(links, token, "more than {} operators in a row")
        return left

    def _operand(self) -> Draft:
        token = self._peek()
        if token is None or token.closes or token.infix is not None or token.postfix is not None:
            raise self._missing(token)
        self._next += 1
        if token.operand is not None:
            return token.operand
        self._depth += 1
        self._limit(self._depth, token, "nested more than {} deep")
        if token.prefix is not None:
            inner = token.prefix.make(self._expression(token.prefix.power))
        else:
            inner = self._bracket(token)
        self._depth -= 1
        return inner

    def _bracket(self, opened: Token) -> Draft:
        inner = self._expression(0)
        if self._peek() is None:
            raise QueryError("this bracket is never closed", offset=opened.at, hint="write ) where the group ends")
        self._next += 1
        return inner

    def _limit(self, count: int, token: Token, says: str) -> None:
        if count > MAX_DEPTH:
            raise QueryError(says.format(MAX_DEPTH), offset=token.at, hint="cut the query into several")

    def _missing(self, token: Token | None) -> QueryError:
        before = self._tokens[self._next - 1] if self._next else None
        if token is not None and token.closes and before is not None and before.opens:
            return QueryError("these brackets are empty", offset=before.at, hint="take them out")
        if token is not None and token.closes and before is None:
            return QueryError("this bracket closes nothing", offset=token.at, hint="take it out")
        if before is not None:
            return QueryError(f"a word is missing after {before.text}", offset=before.at, hint="write one there")
        name, at = (token.text, token.at) if token is not None else ("", 0)
        return QueryError(f"a word is missing before {name}", offset=at, hint="write one there")

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None
