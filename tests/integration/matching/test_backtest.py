"""A backtest finds what asking every stored article would find, and counts it as planning would have mailed it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests import builders
from tests.thorough import thorough
from tests.unit.matching.generated import articles as texts
from tests.unit.matching.generated import nodes
from worker.errors import QueryError, TooLongError
from worker.matching.analyser import ArticleText, analyse
from worker.matching.backtest import Backtest
from worker.matching.canonical import canonical
from worker.matching.evaluate import holds
from worker.matching.library import TopicDraft
from worker.matching.query import Node
from worker.matching.run import Matcher
from worker.matching.run_backtest import Effort, backtest
from worker.matching.run_library import import_topics
from worker.matching.run_terms import TermIndex, renew
from worker.matching.run_text import text_of
from worker.model import ArticleId, Cadence, StoryId
from worker.store import articles
from worker.store.database import Database, now
from worker.store.schema import Article, ArticleTerms, Base, Story, Term


@pytest.fixture
def matcher(database: Database) -> Matcher:
    return Matcher(database, gather=timedelta(seconds=60))


@pytest.fixture
def index(database: Database) -> TermIndex:
    return TermIndex(database)


def store(
    database: Database, text: ArticleText | str, *, days_ago: float = 1, **values: Any
) -> tuple[ArticleId, StoryId]:
    """Store an article as it was published then."""
    told = text if isinstance(text, ArticleText) else ArticleText(title=text)
    with database.write() as conn:
        at = now(conn) - timedelta(days=days_ago)
        fields: dict[str, Any] = {
            "title": told.title,
            "summary": told.summary,
            "body": told.body,
            "author": told.author,
            "lang": told.lang,
        }
        return builders.article(
            conn, **{"tags": list(told.tags), "outlet": "", "url": "", "published_at": at, **fields, **values}
        )


def ask(database: Database, query: str, *, days: int = 30, **options: Any) -> Backtest:
    return backtest(database, query, days=days, timezone="UTC", **options)


def kill(database: Database, table: type[Article | Story], number: int) -> None:
    with database.write() as conn:
        conn.execute(sa.update(table).where(table.id == number).values(killed_at=now(conn)))


# What is found -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One article of an example: its first text and the text of its update, if any; whose story it tells; its end."""

    first: ArticleText
    later: ArticleText | None
    story: int
    killed: bool
    matched: bool


storable = texts.map(
    lambda text: ArticleText(
        title=_storable(text.title),
        summary=_storable(text.summary),
        body=_storable(text.body),
        author=_storable(text.author),
        lang=text.lang,
        tags=tuple(map(_storable, text.tags)),
    )
)
told = st.builds(
    Told,
    first=storable,
    later=st.none() | storable,
    story=st.integers(0, 3),
    killed=st.booleans(),
    matched=st.booleans() | st.just(True),
)


def _storable(text: str) -> str:
    """Intake lets neither of these in, and PostgreSQL takes neither."""
    return text.replace("\0", "").replace("\ud800", "")


@thorough(few=8, many=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(example=st.lists(told, min_size=1, max_size=6), queries=st.lists(nodes, min_size=1, max_size=6))
def test_it_finds_the_stories_that_asking_every_article_would_find(database, index, example, queries):
    _empty(database)
    stories: dict[int, StoryId] = {}
    ids = []
    for one in example:
        article_id, stories[one.story] = store(database, one.first, story=stories.get(one.story))
        ids.append(article_id)
        if one.matched:
            _keep(database, index, article_id)
        if one.killed:
            kill(database, Article, article_id)
    texts_now = {article_id: one.first for article_id, one in zip(ids, example, strict=True)}
    alive = {article_id for article_id, one in zip(ids, example, strict=True) if not one.killed}
    _compare(database, queries, alive, texts_now)
    for article_id, one in zip(ids, example, strict=True):
        if one.later is not None:
            _update(database, article_id, one.later)
            texts_now[article_id] = one.later
            if one.matched:
                _keep(database, index, article_id)
    _compare(database, queries, alive, texts_now)


def _keep(database: Database, index: TermIndex, article_id: ArticleId) -> None:
    """Store an article's terms, as matching does."""
    with database.read() as conn:
        article = articles.by_id(conn, article_id)
    assert article is not None
    index.keep(article, analyse(text_of(article)))


def _compare(
    database: Database,
    queries: Sequence[Node],
    alive: Collection[ArticleId],
    texts_now: Mapping[ArticleId, ArticleText],
) -> None:
    with database.read() as conn:
        stories = {article.id: article.story_id for article in articles.by_ids(conn, alive)}  # as matching placed them
    for node in queries:
        expected = {stories[article_id] for article_id in alive if holds(node, analyse(texts_now[article_id]))}
        found = ask(database, canonical(node))
        assert found.stories == len(expected)
        assert not found.estimated
        assert {sample.story for sample in found.samples} == expected


def _update(database: Database, article_id: ArticleId, text: ArticleText) -> None:
    with database.write() as conn:
        stored = articles.by_id(conn, article_id)
        assert stored is not None
        fields: dict[str, Any] = {
            "title": text.title,
            "summary": text.summary,
            "body": text.body,
            "author": text.author,
            "lang": text.lang,
        }
        assert articles.update_article(
            conn, article_id, revision=stored.revision, bands=(), reason="updated", tags=list(text.tags), **fields
        )


def _empty(database: Database) -> None:
    """Take all news out; the vocabulary stays, as it does in life."""
    news = {"article", "story"}
    told_of = [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if table.name in news or any(key.column.table.name in news for key in table.foreign_keys)
    ]
    with database.write() as conn:
        for table in told_of:
            conn.execute(sa.delete(table))
        assert conn.execute(sa.select(sa.func.count()).select_from(ArticleTerms)).scalar() == 0


def test_inflections_are_found_by_each_articles_own_language(database, matcher):
    for title, lang in (("Missiles", "en"), ("Ракеты", "ru"), ("Missiles", "ja"), ("Mission", "en")):
        matcher.match(store(database, title, lang=lang)[0])
    assert ask(database, "~missile").stories == 1
    assert ask(database, "~missile OR ~ракета").stories == 2
    assert ask(database, "~missile").articles_read == 2  # the Japanese one has the word, in a language without stems


def test_a_story_counts_once_whatever_outlets_copy_it_and_not_when_it_was_killed(database, matcher):
    article_id, story = store(database, "Korea fires")
    copy_id, _ = store(database, "Korea fires", story=story, days_ago=0.5)
    matcher.match(article_id)
    matcher.match(copy_id)
    found = ask(database, "korea")
    assert (found.stories, found.all_stories, found.all_articles) == (1, 1, 2)
    assert [sample.article for sample in found.samples] == [copy_id]
    kill(database, Story, story)
    assert ask(database, "korea").stories == 0


def test_days_are_counted_by_publication_and_never_lie_ahead(database, matcher):
    for days_ago in (-3, 0.5, 6, 8, 40):
        matcher.match(store(database, "Korea fires", days_ago=days_ago)[0])
    assert ask(database, "korea", days=7).stories == 3
    assert ask(database, "korea", days=30).stories == 4
    found = ask(database, "korea", days=366)
    assert found.stories == 5
    assert sum(day.stories for day in found.per_day) == 5
    assert found.per_day[-1].stories >= 1  # what claims to be of a later day is counted when it was seen


def test_topics_may_be_named_and_an_unknown_one_is_refused(database, matcher):
    import_topics(
        database, [TopicDraft(where="", slug="north-korea", name={"en": "x"}, description={}, query="dprk | 북한")]
    )
    matcher.match(store(database, "북한이 밝혔다")[0])
    assert ask(database, "@north-korea").stories == 1
    assert ask(database, "@north-korea -밝혔다").stories == 0
    with pytest.raises(QueryError, match="there is no topic @south-korea") as refused:
        ask(database, "rain OR @south-korea")
    assert refused.value.offset == 8


def test_samples_are_the_newest_with_the_words_that_told(database, matcher):
    for days_ago in range(1, 8):
        body = f"{'Long before. ' * 60}The D.P.R.K. fired again. {'And after. ' * 60}"
        matcher.match(store(database, ArticleText(title=f"Day {days_ago}", body=body), days_ago=days_ago)[0])
    samples = ask(database, "DPRK").samples
    assert [sample.title for sample in samples] == [f"Day {days_ago}" for days_ago in range(1, 6)]
    headline, excerpt = samples[0].excerpts
    assert (headline.field, headline.text, headline.highlights) == ("title", "Day 1", ())
    assert [excerpt.text[start:end] for start, end in excerpt.highlights] == ["D.P.R.K."]
    assert len(excerpt.text) < 300
    assert samples[0].words == ("D.P.R.K.",)


def test_a_query_that_finds_nothing_says_which_part_is_to_blame(database, matcher):
    for title in ("Korea fires", "Korea sings", "Oman sings"):
        matcher.match(store(database, title)[0])
    found = ask(database, 'korea "oman sings" -film')
    assert [(part.part, part.stories, part.excluded) for part in found.parts] == [
        ("korea", 2, False),
        ('"oman sings"', 1, False),
        ("film", 0, True),
    ]
    assert any("never all as the query wants" in warning for warning in found.warnings)
    assert any("no story has chad" in warning for warning in ask(database, "korea chad").warnings)
    assert ask(database, "korea").parts == ()


def test_a_broad_query_and_an_empty_archive_are_said_so(database, matcher):
    assert ask(database, "korea").warnings == ("no story was stored in these days, so nothing can be said",)
    matcher.match(store(database, "Korea")[0])
    assert ask(database, "korea").warnings == ("this query is broad: it would have matched 100% of all stories",)


# What it costs -------------------------------------------------------------------------------------------------------


def test_where_terms_tell_everything_no_article_is_read(database, matcher):
    for number in range(20):
        matcher.match(store(database, f"Korea {number} U.S. envoy")[0])
    assert ask(database, "korea US envoy").articles_read == 0
    assert ask(database, '"korea 7"').articles_read == 1


def test_too_many_to_be_read_are_estimated_from_some_that_are_spread_evenly(database, matcher):
    for number in range(60):
        title = "Turkey votes" if number % 3 else "TURKEY votes"
        matcher.match(store(database, f"{title} {number}", days_ago=29 - number / 3)[0])
    exact = ask(database, "=Turkey")
    assert (exact.stories, exact.estimated, exact.margin, exact.articles_read) == (40, False, 0, 60)
    found = ask(database, "=Turkey", effort=Effort(stories=24))
    assert (found.estimated, found.articles_read) == (True, 24)
    assert 0 < found.margin < 30
    assert abs(found.stories - 40) <= found.margin
    assert abs(sum(day.stories for day in found.per_day) - found.stories) <= 8
    nothing_read = ask(database, "=Turkey", effort=Effort(reading_s=0))
    assert (nothing_read.estimated, nothing_read.margin, nothing_read.articles_read) == (True, 60, 0)


def test_a_question_that_takes_too_long_is_given_up(database, matcher):
    matcher.match(store(database, "Korea")[0])
    with pytest.raises(TooLongError, match="ask about fewer days"):
        ask(database, "korea", effort=Effort(total_s=-1))


# Mails ---------------------------------------------------------------------------------------------------------------


def test_each_cadence_makes_the_mails_that_planning_would_have_made(database, matcher):
    with database.read() as conn:
        midnight = now(conn).replace(hour=0, minute=0, second=0, microsecond=0)
    for hours in (1.1, 1.2, 3, 25, 26):  # two in one hour; five on two days
        _published(database, matcher, midnight - timedelta(days=2) + timedelta(hours=hours))
    mails = {pace.cadence: (pace.mails, pace.runs) for pace in ask(database, "korea", days=10).cadences}
    assert mails[Cadence.IMMEDIATE] == (5, None)
    assert mails[Cadence.HOURLY] == (4, 240)
    assert mails[Cadence.DAILY] == (2, 10)


def _published(database: Database, matcher: Matcher, at: datetime) -> None:
    matcher.match(store(database, f"Korea at {at}", published_at=at)[0])


# The stored terms ----------------------------------------------------------------------------------------------------


def test_terms_of_another_version_are_not_believed_and_renewed_in_time(database, matcher):
    for _ in range(3):
        matcher.match(store(database, "Korea fires")[0])
    with database.write() as conn:
        conn.execute(sa.update(ArticleTerms).values(analyser_version=0, terms=b""))
    found = ask(database, "korea")
    assert (found.stories, found.articles_read) == (3, 3)
    assert [renew(database, limit=2) for _ in range(3)] == [2, 1, 0]
    assert ask(database, "korea").articles_read == 0


def test_terms_go_with_their_article(database, matcher):
    article_id, _ = store(database, "Korea fires")
    matcher.match(article_id)
    with database.write() as conn:
        for table in Base.metadata.sorted_tables:
            if table.name != "article_terms" and "article_id" in table.c:
                conn.execute(sa.delete(table))
        conn.execute(sa.delete(Article).where(Article.id == article_id))
        assert conn.execute(sa.select(ArticleTerms.article_id)).all() == []


def test_an_article_of_too_many_words_is_read_instead(database, matcher):
    matcher.match(store(database, ArticleText(title="Korea", body=" ".join(f"w{n}" for n in range(25_000))))[0])
    found = ask(database, "korea w7")
    assert (found.stories, found.articles_read) == (1, 1)
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(Term)).scalar_one() < 100


def test_workers_that_meet_the_same_new_words_agree_on_their_numbers(database):
    words = [f"word{number}" for number in range(300)]
    orders = [words, words[::-1], words[100:] + words[:100], words[::-1]]
    ids = [store(database, ArticleText(body=" ".join(order)), title="")[0] for order in orders]
    start = threading.Barrier(len(ids))

    def meet(article_id: ArticleId) -> None:
        start.wait()
        _keep(database, TermIndex(database), article_id)

    threads = [threading.Thread(target=meet, args=(article_id,)) for article_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as conn:
        assert sorted(conn.execute(sa.select(Term.key)).scalars()) == sorted(words)
        stored = conn.execute(sa.select(ArticleTerms.terms)).scalars().all()
    assert len(stored) == len(ids)
    assert len(set(stored)) == 1
