"""Turns stories whose gathering time is over into alerts for those who follow one of their topics immediately.

A story's due pairs are claimed by one run; its readers come in chunks, each in one transaction, so that whoever finds
the run open goes on with it. Called by `planning.run` and, as soon as a story is due, by a task of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from worker.content import AlertContent
from worker.facts import DueStory
from worker.model import EditionKind, Owing, RunKind, Severity, StoryId, SubscriberId, TopicId
from worker.planning import run_bursts
from worker.planning.cards import Library, alert, is_private, tellable
from worker.planning.decide_alert import Act, AlertCase, decide_alert
from worker.planning.news import StoryFacts
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
from worker.planning.times import is_stale, stamp
from worker.store import alerting, runs, turns
from worker.store.alerting import Follower, Shown, Standing
from worker.store.database import Database, now
from worker.store.house import MATCH_SEQ, reached
from worker.store.runs import Run

CHUNK_READERS = 2_000
_STORIES_A_PASS: Final = 200
_URGENCY: Final = tuple(Severity)  # in rising order


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A story as the run of its alert has to know it; `contents` are those that this chunk has made."""

    library: Library
    facts: StoryFacts
    topics: tuple[TopicId, ...]
    contents: dict[object, Told | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """One reader: their terms, what they follow of the story's topics, and the mail that has shown it before."""

    terms: ReaderTerms
    follows: Sequence[Follower]
    before: Shown | None

    @property
    def topics(self) -> tuple[TopicId, ...]:
        """The topics, ascending: readers of the same share a content."""
        return tuple(sorted({one.topic_id for one in self.follows}))


def plan_alerts(database: Database, policy: Policy, *, at: datetime | None = None) -> list[Made]:
    """Plan every alert that is due, and go on with those that somebody has left."""
    with database.read() as conn:
        moment = at or now(conn)
        due = alerting.due_stories(conn, at=moment, limit=_STORIES_A_PASS)
    for story_id in due:
        _claim(database, policy, story_id, at=moment)
    with database.read() as conn:
        begun = runs.unfinished(conn, RunKind.ALERT)
    return [made for run in begun for made in _fan_out(database, policy, run, at=at)]


def _claim(database: Database, policy: Policy, story_id: StoryId, *, at: datetime) -> None:
    """Take a story's due pairs on as a run, but for those of topics that burst: these wait for the summary."""
    with database.write() as conn:
        turns.share(conn, ())
        pairs = alerting.due_pairs(conn, story_id, at=at)
        library = library_of(conn, [story_id], [pair.topic_id for pair in pairs])
        standing = alerting.standing(conn, [story_id]).get(story_id)
        urgent = standing is None or standing.update_no > 0 or _severity(library, story_id) is Severity.BREAKING
        late = is_stale(
            min((pair.due_at for pair in pairs), default=at), at, policy.alert_expires
        )  # its readers are owed it
        pairs = pairs if urgent or late else run_bursts.put_off(conn, policy, story_id, pairs, at=at)
        if not pairs:
            return
        topics = [pair.topic_id for pair in pairs]
        slot = f"{alerting.alert_slots(story_id)}{pairs[0].seq}"
        due_at, head = min(pair.due_at for pair in pairs), reached(conn, MATCH_SEQ)
        for name in (slot, f"{slot} again at {stamp(at)}"):  # a finished run's pairs may be due once more
            data = {"story": story_id, "topics": topics}
            if runs.open_run(conn, RunKind.ALERT, name, due_at=due_at, head=head, data=data):
                break
        alerting.claimed(conn, story_id, topics, at=at)


def _fan_out(database: Database, policy: Policy, run: Run, *, at: datetime | None) -> list[Made]:
    made: list[Made] = []
    after: Run | None = run
    while after is not None:
        with database.write() as conn:
            after = _chunk(conn, policy, after, made, at=at)
    return made


def _chunk(conn: Connection, policy: Policy, run: Run, made: list[Made], *, at: datetime | None) -> Run | None:
    """Serve the next readers and return the run as it is then; None when nobody is left, or somebody else has it on.

    What there is to tell is asked anew for each chunk: between two of them an editor may have stopped the story.
    """
    story_id, topics = StoryId(run.data["story"]), [TopicId(topic) for topic in run.data["topics"]]
    window = alerting.next_readers(conn, story_id, topics, after=run.reached, limit=CHUNK_READERS)
    turns.share(conn, window)
    mine = runs.claim(conn, run.id)
    if mine is None or mine.reached != run.reached:
        return mine
    moment = at or now(conn)
    subject = _subject(conn, story_id, topics)
    if window and subject:
        followers = alerting.followers(conn, story_id, subject.topics, first=window[0], last=window[-1])
        made += _serve(conn, policy, mine, subject, followers, at=moment)
        runs.reach(conn, mine, window[-1])
    if subject is None or len(window) < CHUNK_READERS:
        finish(conn, policy, mine)
        return None
    return replace(mine, reached=window[-1])


def _subject(conn: Connection, story_id: StoryId, topics: Sequence[TopicId]) -> Subject | None:
    """Return what there is to tell of a story; None when it was stopped, or matches none of the topics any more."""
    standing = alerting.standing(conn, [story_id]).get(story_id)
    library = library_of(conn, [story_id], topics)
    left = tellable(library, DueStory(story_id=story_id, topics=dict.fromkeys(topics, 0)))
    if standing is None or not left:
        return None
    return Subject(library=library, facts=_facts(library, standing), topics=left)


def _facts(library: Library, standing: Standing) -> StoryFacts:
    """Return what decides about an alert: the age is that of the story's youngest telling, or of an editor's update."""
    tellings = library.tellings[standing.story_id]
    youngest = max(tellings, key=lambda telling: min(telling.published_at, telling.seen_at))
    return StoryFacts(
        story_id=standing.story_id,
        created_at=standing.updated_at or youngest.seen_at,
        published_at=standing.updated_at or youngest.published_at,
        severity=_severity(library, standing.story_id),
        boost=standing.boost,
        update_no=standing.update_no,
    )


def _severity(library: Library, story_id: StoryId) -> Severity:
    """Return how urgent a story is: as its most urgent telling."""
    found = (telling.severity for telling in library.tellings.get(story_id, ()))
    return max(found, key=_URGENCY.index, default=Severity.NORMAL)


def _serve(
    conn: Connection, policy: Policy, run: Run, subject: Subject, followers: Sequence[Follower], *, at: datetime
) -> list[Made]:
    """Give each reader what is decided for them: a copy now, the story later, or nothing."""
    if not followers:
        return []
    story = subject.facts.story_id
    story = subject.facts.story_id
    first, last = followers[0].subscriber_id, followers[-1].subscriber_id
    shown = alerting.shown(conn, [story], first=first, last=last, at=at)
    parties = [
        Party(terms=terms_of(follows[0]), follows=follows, before=shown.get((reader, story)))
        for reader, follows in by_reader(followers).items()
    ]
    lately = alerted(conn, policy, (one.terms for one in parties), at=at)
    addressed: list[Addressed] = []
    later: list[Later] = []
    for party in parties:
        verdict = decide_alert(_case(run, subject, party, lately), policy, at=at)
        if verdict.act is Act.OWE:
            later.append(Later(reader=party.terms, stories=(story,), why=verdict.owing or Owing.LATE))
        elif verdict.act is Act.SEND and (one := _addressed(conn, subject, party, threads=verdict.threads)):
            addressed.append(one)
    owe(conn, policy, later, at=at)
    told = [one.reader.subscriber_id for one in addressed]
    alerting.no_longer_owed(conn, [story], first=first, last=last, readers=told)
    return write(conn, policy, run, EditionKind.ALERT, addressed, severity=subject.facts.severity)


def _case(run: Run, subject: Subject, party: Party, lately: Mapping[SubscriberId, Sequence[datetime]]) -> AlertCase:
    return AlertCase(
        reader=party.terms,
        topics=party.topics,
        seen_update=party.before.update_no if party.before else None,
        alerted=tuple(lately.get(party.terms.subscriber_id, ())),
        facts=subject.facts,
        due_at=run.due_at,
    )


def _addressed(conn: Connection, subject: Subject, party: Party, *, threads: bool) -> Addressed | None:
    recipient = party.follows[0].recipient
    told = _told(conn, subject, party, threaded=threads)
    if told is None or recipient is None:
        return None
    return Addressed(
        reader=party.terms,
        recipient=recipient,
        subscriptions=tuple(one.subscription_id for one in party.follows),
        told=told,
        answers=party.before.message_id if party.before and threads else "",
    )


def _told(conn: Connection, subject: Subject, party: Party, *, threaded: bool) -> Told | None:
    """Return the content for readers of the same of the story's topics, who share it; None: nothing is left to tell."""
    story, topics, locale = subject.facts.story_id, party.topics, party.terms.locale
    owner = party.terms.subscriber_id if is_private(subject.library, [story], topics) else None
    key = (locale, topics, threaded, owner)
    if key not in subject.contents:
        content = alert(subject.library, story, topics, locale=locale)
        told = None
        if content is not None:
            content = _finished(content, subject, threaded=threaded, owner=owner)
            told = intern(conn, subject.library, content, updates={story: subject.facts.update_no})
        subject.contents[key] = told
    return subject.contents[key]


def _finished(content: AlertContent, subject: Subject, *, threaded: bool, owner: SubscriberId | None) -> AlertContent:
    changed = {"severity": subject.facts.severity, "threaded": threaded, "personal_to": owner}
    return content.model_copy(update=changed)
