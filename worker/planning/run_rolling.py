"""Sums bursts up: what would have been an alert a story becomes one rolling mail a reader, on a fixed grid of instants.

All bursts due together are one run, so that several of a reader's topics make one mail. Called by `planning.run` and,
with the alerts, by a task of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from worker.content import RollingContent, Section
from worker.model import EditionKind, Lapse, Owing, RunKind, Severity, StoryId, SubscriberId, TopicId
from worker.planning.bursts import Burst, step
from worker.planning.cards import Library, card, is_private, reason
from worker.planning.decide_rolling import RollingCase, decide_rolling
from worker.planning.lay_out import Layout
from worker.planning.news import News, Pair, StoryFacts
from worker.planning.rules import Policy, ReaderTerms
from worker.planning.run_copies import Made, library_of
from worker.planning.run_fan_out import (
    Addressed,
    Later,
    Told,
    alerted,
    by_reader,
    finish,
    intern,
    owe,
    terms_of,
    write,
)
from worker.planning.times import stamp
from worker.store import alerting, bursts, omissions, owed, runs, turns
from worker.store.alerting import Follower, Standing
from worker.store.database import Database, now
from worker.store.house import MATCH_SEQ, reached
from worker.store.omissions import Omitted
from worker.store.runs import Run

CHUNK_READERS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What one run sums up. `contents` are those that this chunk has made."""

    run: Run
    since: datetime
    library: Library
    news: News
    contents: dict[object, Told | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What readers have been shown (at which update), what they are owed, and when they were alerted lately."""

    shown: Mapping[tuple[SubscriberId, StoryId], int]
    owed: Mapping[SubscriberId, Mapping[StoryId, Owing]]
    alerted: Mapping[SubscriberId, Sequence[datetime]]


def plan_rolling(database: Database, policy: Policy, *, at: datetime | None = None) -> list[Made]:
    """Plan every summary that is due, and go on with those that somebody has left."""
    with database.read() as conn:
        is_due = bursts.are_due(conn, at=at or now(conn))
    if is_due:
        _claim(database, policy, at=at)
    with database.read() as conn:
        begun = runs.unfinished(conn, RunKind.ROLLING)
    made: list[Made] = []
    for run in begun:
        after: Run | None = run
        while after is not None:
            with database.write() as conn:
                after = _chunk(conn, policy, after, made, at=at)
    return made


def _claim(database: Database, policy: Policy, *, at: datetime | None) -> None:
    """Take on what has waited, as one run; a burst that had nothing to sum up ends."""
    with database.write() as conn:
        turns.share(conn, ())
        moment = at or now(conn)
        due = bursts.due(conn, at=moment)
        if not due:
            return
        rolled = bursts.take_rolled(conn, [burst.topic_id for burst in due])
        head = reached(conn, MATCH_SEQ)  # after them: what was put off a moment ago must not be beyond it
        for burst in due:
            known = Burst(opened_at=burst.opened_at, summary_due_at=burst.summary_due_at)
            alerted_at = bursts.alerted(conn, burst.topic_id, least=policy.burst_count)
            left = step(known, alerted_at, policy, at=moment)
            if left is None:
                bursts.close(conn, burst.topic_id)
            else:
                bursts.go_on(conn, burst.topic_id, summary_due_at=left.summary_due_at, from_seq=head)
        if rolled:
            due_at = min(burst.summary_due_at for burst in due)
            since = min(due_at - policy.rolling, *(one.matched_at for one in rolled))
            data = {"since": since.isoformat(), "pairs": [[one.topic_id, one.seq, one.story_id] for one in rolled]}
            runs.open_run(conn, RunKind.ROLLING, f"rolling {stamp(moment)}", due_at=due_at, head=head, data=data)


def _chunk(conn: Connection, policy: Policy, run: Run, made: list[Made], *, at: datetime | None) -> Run | None:
    """Serve the next readers and return the run as it is then; None when nobody is left, or somebody else has it on."""
    latest = {topic: max(pair.seq for pair in pairs) for topic, pairs in _pairs(run).items()}
    window = bursts.next_readers(conn, latest, after=run.reached, limit=CHUNK_READERS)
    turns.share(conn, window)
    mine = runs.claim(conn, run.id)
    if mine is None or mine.reached != run.reached:
        return mine
    moment = at or now(conn)
    if window:
        followers = bursts.followers(conn, latest, first=window[0], last=window[-1])
        made += _serve(conn, policy, _summary(conn, mine), followers, at=moment)
        runs.reach(conn, mine, window[-1])
    if len(window) < CHUNK_READERS:
        finish(conn, policy, mine)
        return None
    return replace(mine, reached=window[-1])


def _summary(conn: Connection, run: Run) -> Summary:
    pairs = _pairs(run)
    stories = {pair.story_id for found in pairs.values() for pair in found}
    library = library_of(conn, stories, pairs)
    standing = alerting.standing(conn, stories)
    facts = {story: _facts(library, standing[story]) for story in library.tellings if story in standing}
    strengths = {(story, topic): library.strength(story, topic) for story, topic in library.concerns if story in facts}
    news = News(stories=facts, pairs=pairs, strengths=strengths)
    return Summary(run=run, since=datetime.fromisoformat(run.data["since"]), library=library, news=news)


def _pairs(run: Run) -> dict[TopicId, tuple[Pair, ...]]:
    pairs: dict[TopicId, list[Pair]] = {}
    for topic, seq, story in run.data["pairs"]:
        pairs.setdefault(TopicId(topic), []).append(Pair(seq, StoryId(story), run.due_at))
    return {topic: tuple(found) for topic, found in pairs.items()}


def _facts(library: Library, standing: Standing) -> StoryFacts:
    tellings = library.tellings[standing.story_id]
    return StoryFacts(
        story_id=standing.story_id,
        created_at=standing.created_at,
        published_at=tellings[0].published_at,
        severity=tellings[0].severity,
        boost=standing.boost,
        update_no=standing.update_no,
        outlets=len({telling.outlet for telling in tellings}),
        outlet=tellings[0].outlet,
        section=tellings[0].section,
        lang=tellings[0].lang,
    )


def _serve(
    conn: Connection, policy: Policy, summary: Summary, followers: Sequence[Follower], *, at: datetime
) -> list[Made]:
    """Give each reader what is decided for them: one mail of all that has waited, all of it later, or nothing."""
    if not followers:
        return []
    readers = by_reader(followers)
    terms = {reader: terms_of(found[0]) for reader, found in readers.items()}
    window: dict[str, Any] = {"first": followers[0].subscriber_id, "last": followers[-1].subscriber_id}
    shown = alerting.shown(conn, summary.news.stories, **window, at=at)
    known = Known(
        shown={pair: mail.update_no for pair, mail in shown.items()},
        owed=owed.of(conn, window["first"], window["last"]),
        alerted=alerted(conn, policy, terms.values(), at=at),
    )
    addressed: list[Addressed] = []
    later: list[Later] = []
    crowded: list[Omitted] = []
    for reader, found in readers.items():
        verdict = decide_rolling(_case(summary, terms[reader], found, known), summary.news, policy, at=at)
        if verdict.owing:
            later.append(Later(reader=terms[reader], stories=verdict.stories, why=verdict.owing))
        elif verdict.layout and (one := _addressed(conn, summary, terms[reader], found, verdict.layout)):
            addressed.append(one)
            crowded.append(Omitted(reader, Lapse.ROOM, verdict.layout.unsaid))
    owe(conn, policy, later, at=at)
    omissions.note(conn, crowded, at=at)
    return write(conn, policy, summary.run, EditionKind.ROLLING, addressed, severity=Severity.NORMAL)


def _case(summary: Summary, reader: ReaderTerms, found: Sequence[Follower], known: Known) -> RollingCase:
    """Return the case of one reader; nobody is told what came before they followed."""
    number, head = reader.subscriber_id, summary.run.head_seq
    return RollingCase(
        reader=reader,
        rolled={one.topic_id: summary.news.after(one.topic_id, one.cursor, head) for one in found},
        seen={story: known.shown[number, story] for story in summary.news.stories if (number, story) in known.shown},
        owed=frozenset(known.owed.get(number, ())),
        alerted=tuple(known.alerted.get(number, ())),
        due_at=summary.run.due_at,
    )


def _addressed(
    conn: Connection, summary: Summary, reader: ReaderTerms, found: Sequence[Follower], layout: Layout
) -> Addressed | None:
    recipient = found[0].recipient
    told = _told(conn, summary, reader, layout)
    if told is None or recipient is None:
        return None
    subscriptions = tuple(one.subscription_id for one in found)
    return Addressed(reader=reader, recipient=recipient, subscriptions=subscriptions, told=told)


def _told(conn: Connection, summary: Summary, reader: ReaderTerms, layout: Layout) -> Told | None:
    topics = {topic for named in layout.topics_of.values() for topic in named}
    owner = reader.subscriber_id if is_private(summary.library, layout.stories, topics) else None
    key = (reader.locale, layout.sections, tuple(sorted(layout.topics_of.items())), owner)
    if key not in summary.contents:
        content = RollingContent(
            locale=reader.locale,
            personal_to=owner,
            since=summary.since,
            until=summary.run.due_at,
            sections=_sections(summary.library, layout, locale=reader.locale),
        )
        updates: dict[int, int] = {story: facts.update_no for story, facts in summary.news.stories.items()}
        told = intern(conn, summary.library, content, updates=updates) if content.sections else None
        summary.contents[key] = told
    return summary.contents[key]


def _sections(library: Library, layout: Layout, *, locale: str) -> tuple[Section, ...]:
    sections = []
    for topic, stories in layout.sections:
        told = (card(library, story, layout.topics_of[story], locale=locale) for story in stories)
        named = reason(library.concerns[stories[0], topic], locale=locale)
        left_out = tuple(story for story, home in layout.left_out.items() if home == topic)
        cards = tuple(one for one in told if one)
        if cards:
            sections.append(Section(topic=named.topic, slug=named.slug, cards=cards, left_out=left_out))
    return tuple(sections)
