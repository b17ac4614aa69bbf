"""The tokens of a foreign query: what a source's own table makes of the pieces that its pattern finds.

Decides nothing about any source. A source gives `cut` one pattern with named groups and one table of makers, by those
names; the makers below say what a piece is: an operand, an operator between, before or behind operands, or a bracket.
Pure; the sources' modules call it, `grammar` reads what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from worker.errors import QueryError
from worker.matching.foreign.draft import Draft, Effect, Noted, Without, written
from worker.matching.lexer import plain

Join: TypeAlias = Callable[[Draft, Draft], Draft]
Make: TypeAlias = Callable[[Draft], Draft]
Match: TypeAlias = re.Match[str]


class Infix(NamedTuple):
    """How two sides are joined, and how tightly."""

    power: int
    join: Join


class Prefix(NamedTuple):
    """What stands before an operand and takes all that binds at least as tightly as `power`."""

    power: int
    make: Make


class Postfix(NamedTuple):
    """What stands behind, and takes all before it that binds more tightly than `power`."""

    power: int
    make: Make


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A piece of a foreign query. It is what its one member says: an operand, an operator, a bracket.

    `joint` says how it hangs on what stands before it with no operator in between; `None` leaves that to the source.
    """

    text: str
    at: int
    operand: Draft | None = None
    infix: Infix | None = None
    prefix: Prefix | None = None
    postfix: Postfix | None = None
    joint: Infix | None = None
    opens: bool = False
    closes: bool = False


Maker: TypeAlias = Callable[[Match], Token | None]
Makers: TypeAlias = Mapping[str, Maker]


def cut(query: str, pattern: re.Pattern[str], makers: Makers) -> list[Token]:
    """Cut a query into tokens: `makers` has one for each of the pattern's outer groups.

    What the pattern does not match is a quote without a partner. Raises `QueryError`.
    """
    text = plain(query)
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise QueryError("this quote is never closed", offset=at, hint='end the phrase with "')
        token = makers[str(match.lastgroup)](match)
        if token is not None:
            tokens.append(token)
        at = match.end()
    return tokens


def nothing(match: Match) -> None:
    """Make nothing of a piece, such as a space."""


def opens(match: Match) -> Token:
    """Make an opening bracket."""
    return Token(text=match[0], at=match.start(), opens=True)


def closes(match: Match) -> Token:
    """Make a closing bracket."""
    return Token(text=match[0], at=match.start(), closes=True)


def operand(draft: Callable[[Match], Draft], joint: Infix | None = None) -> Maker:
    """Return a maker of operands."""
    return lambda match: Token(text=match[0], at=match.start(), operand=draft(match), joint=joint)


def between(power: int, join: Join) -> Maker:
    """Return a maker of operators between two operands."""
    return lambda match: Token(text=match[0], at=match.start(), infix=Infix(power, join))


def apart(power: int, join: Callable[[Match, Draft, Draft], Draft]) -> Maker:
    """Return a maker of operators between two operands that say more than that they are there, such as a distance."""
    return lambda match: Token(
        text=match[0], at=match.start(), infix=Infix(power, lambda left, right: join(match, left, right))
    )


def before(power: int, make: Callable[[Match, Draft], Draft], joint: Infix | None = None) -> Maker:
    """Return a maker of operators before an operand."""
    return lambda match: Token(
        text=match[0].strip(), at=match.start(), prefix=Prefix(power, lambda child: make(match, child)), joint=joint
    )


def behind(power: int, make: Callable[[Match, Draft], Draft]) -> Maker:
    """Return a maker of operators behind an operand."""
    return lambda match: Token(
        text=match[0], at=match.start(), postfix=Postfix(power, lambda child: make(match, child))
    )


def absent(match: Match, child: Draft) -> Draft:
    """Make a NOT of an operand."""
    return Without(child=child, at=match.start())


def minus(match: Match, child: Draft) -> Draft:
    """Make a NOT of an operand behind a dash, where the source itself has no such sign."""
    says = "taken for NOT, as most search engines do"
    return Noted(
        child=absent(match, child), text=written(match[0], child), at=match.start(), effect=Effect.LESS, says=says
    )
