"""AND, OR and NOT, written with as few brackets as each service's rules of precedence allow, keep their meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from worker.matching.analyser import ArticleText, analyse
from worker.matching.evaluate import holds
from worker.matching.foreign.origin import Source
from worker.matching.foreign.translation import translate

WORDS = ("korea", "missile", "envoy", "geneva", "film")


@dataclass(frozen=True)
class Both:
    wanted: tuple[Wish, ...]
    unwanted: tuple[Wish, ...] = ()


@dataclass(frozen=True)
class Either:
    wishes: tuple[Wish, ...]


Wish = str | Both | Either


def is_granted(wish: Wish, words: frozenset[str]) -> bool:
    match wish:
        case Both():
            unwanted = any(is_granted(one, words) for one in wish.unwanted)
            return not unwanted and all(is_granted(one, words) for one in wish.wanted)
        case Either():
            return any(is_granted(one, words) for one in wish.wishes)
        case _:
            return wish in words


@dataclass(frozen=True)
class Style:
    """How a service writes: what binds tighter gets no brackets inside what binds less tightly."""

    both: str
    either: str
    without: str
    either_first: bool
    """Whether OR binds tighter than AND."""

    bare_without: bool = False
    """Whether NOT takes all that follows, and so comes last."""

    def written(self, wish: Wish) -> str:
        match wish:
            case Both():
                wanted = self.both.join(self.part(one, Both) for one in wish.wanted)
                inner: Callable[[Wish], str] = self.written_last if self.bare_without else self.bracketed
                return wanted + "".join(self.without + inner(one) for one in wish.unwanted)
            case Either():
                return self.either.join(self.part(one, Either) for one in wish.wishes)
            case _:
                return wish

    def part(self, wish: Wish, around: type) -> str:
        is_tighter = isinstance(wish, Either) if self.either_first else isinstance(wish, Both)
        is_around_loose = around is (Both if self.either_first else Either)
        is_safe = isinstance(wish, str) or (is_tighter and is_around_loose)
        return self.written(wish) if is_safe else f"({self.written(wish)})"

    def written_last(self, wish: Wish) -> str:
        return f"({self.written(wish)})" if isinstance(wish, Both) and wish.unwanted else self.written(wish)

    def bracketed(self, wish: Wish) -> str:
        return wish if isinstance(wish, str) else f"({self.written(wish)})"


STYLES = {
    Source.GOOGLE: Style(" ", " OR ", " -", either_first=True),
    Source.FACTIVA: Style(" and ", " or ", " not ", either_first=False),
    Source.MELTWATER: Style(" AND ", " OR ", " NOT ", either_first=False),
    Source.NEXIS: Style(" and ", " or ", " and not ", either_first=True, bare_without=True),
}

WISHES = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.one_of(
        st.builds(
            Both, st.lists(inner, min_size=1, max_size=3).map(tuple), st.lists(inner, max_size=2).map(tuple)
        ).filter(lambda both: len(both.wanted) + len(both.unwanted) > 1),
        st.builds(Either, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=10,
)


@given(wish=WISHES, words=st.frozensets(st.sampled_from(WORDS)), source=st.sampled_from(Source))
def test_a_translated_query_wants_what_was_wished_for(wish: Wish, words: frozenset[str], source: Source) -> None:
    query = STYLES[source].written(wish)
    article = analyse(ArticleText(body=". ".join(sorted(words))))
    assert holds(translate(query, source).node, article) is is_granted(wish, words), query
