"""Stored articles meet stored topics: matches, evidence, numbers, and topics that change meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests import builders
from worker.errors import QueryError
from worker.matching.library import TopicDraft
from worker.matching.run import Matcher
from worker.matching.run_library import Imported, check_stored, import_topics
from worker.model import ArticleId
from worker.store import topics
from worker.store.database import Database
from worker.store.house import TOPICS_GENERATION, draw
from worker.store.schema import Match, Topic, TopicStory


def draft(slug: str, query: str) -> TopicDraft:
    return TopicDraft(where=slug, slug=slug, name={"en": slug}, description={}, query=query)


@pytest.fixture
def matcher(database: Database) -> Matcher:
    import_topics(database, [draft("north-korea", '"n korea" OR dprk'), draft("war", "@north-korea missile*")])
    return Matcher(database, gather=timedelta(seconds=60))


def stored(database: Database, **values: Any) -> ArticleId:
    with database.write() as conn:
        return builders.article(conn, **values)[0]


def test_an_article_is_matched_once_with_its_evidence_in_its_own_words(database, matcher):
    article_id = stored(database, title="N. Korea fires missiles", summary="", body="")
    matched = matcher.match(article_id)
    assert matched is not None
    assert (matched.topics, matched.new_pairs) == (("north-korea", "war"), 2)
    assert matcher.match(article_id) is None
    with database.read() as conn:
        evidence = conn.execute(sa.select(Match.evidence).order_by(Match.topic_id)).scalars().first()
    assert evidence == [{"field": "title", "start": 0, "end": 8, "part": '"n korea"', "alias": "N. Korea"}]


def test_new_pairs_are_numbered_in_order_and_gather_before_they_alert(database, matcher):
    for title in ("DPRK speaks", "DPRK sings"):
        matcher.match(stored(database, title=title))
    with database.read() as conn:
        pairs = conn.execute(sa.select(TopicStory).order_by(TopicStory.match_seq)).all()
    assert [pair.match_seq for pair in pairs] == [1, 2]
    for pair in pairs:
        assert abs(pair.alert_due_at - pair.matched_at - timedelta(seconds=60)) < timedelta(seconds=1)


def test_what_the_age_gate_holds_back_is_matched_but_not_alerted(database, matcher):
    matcher.match(stored(database, title="DPRK speaks", may_alert=False))
    with database.read() as conn:
        assert conn.execute(sa.select(TopicStory.alert_due_at)).scalars().all() == [None]


def test_an_imported_topic_counts_from_the_next_article_on(database, matcher):
    matcher.match(stored(database, title="Bears wake"))
    import_topics(database, [draft("bears", "bears")])
    matched = matcher.match(stored(database, title="Bears sleep"))
    assert matched is not None
    assert matched.topics == ("bears",)


def test_a_saved_query_that_is_refused_later_is_switched_off_visibly_and_the_others_go_on(database, matcher):
    with database.write() as conn:
        generation = draw(conn, TOPICS_GENERATION)[0]
        conn.execute(sa.update(Topic).where(Topic.slug == "war").values(query="((", generation=generation))
    matched = matcher.match(stored(database, title="DPRK missile"))
    assert matched is not None
    assert matched.topics == ("north-korea",)
    with database.read() as conn:
        war = topics.topic_by_slug(conn, "war")
    assert war is not None
    assert "offset" in war.disabled_reason


@pytest.mark.usefixtures("matcher")
def test_importing_again_replaces_and_counts(database):
    imported = import_topics(database, [draft("war", "@north-korea rocket*"), draft("new", "x1")])
    assert imported == Imported(added=("new",), changed=(("war", 2),))
    with database.read() as conn:
        war = topics.topic_by_slug(conn, "war")
        assert not check_stored(topics.topics(conn, shared_only=True)).faults
    assert war is not None
    assert (war.version, war.query) == (2, "@north-korea rocket*")


@pytest.mark.usefixtures("matcher")
def test_a_version_rises_only_when_a_topic_asks_for_something_else(database):
    same = draft("north-korea", '"n korea" OR dprk')
    assert import_topics(database, [same]) == Imported(unchanged=("north-korea",))
    rewritten = [draft("north-korea", '"N KOREA" | dprk')]
    assert import_topics(database, rewritten) == Imported(edited=("north-korea",))
    assert import_topics(database, [draft("north-korea", "dprk")]) == Imported(changed=(("north-korea", 2),))
    with database.read() as conn:
        row = topics.topic_by_slug(conn, "north-korea")
    assert row is not None
    assert row.version == 2


@pytest.mark.usefixtures("matcher")
def test_of_several_topics_none_is_stored_when_one_is_at_fault(database):
    with pytest.raises(QueryError):
        import_topics(database, [draft("fine", "fine"), draft("open", "(open")])
    with database.read() as conn:
        assert topics.topic_by_slug(conn, "fine") is None


@pytest.mark.usefixtures("matcher")
def test_a_switched_off_topic_comes_back_when_it_is_imported_unchanged(database):
    with database.write() as conn:
        conn.execute(sa.update(Topic).where(Topic.slug == "war").values(disabled_reason="broken"))
    assert import_topics(database, [draft("war", "@north-korea missile*")]) == Imported(edited=("war",))
    with database.read() as conn:
        war = topics.topic_by_slug(conn, "war")
    assert war is not None
    assert war.disabled_reason == ""
