"""A month goes by, simulated, for made-up readers, news and outages: nothing is lost without a reason, nothing doubled.

The simulator asks the deciders that the planners ask; `tests/integration/planning` holds the two against each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.model import BelowFloor, Cadence, EditionKind, Severity, StoryId, SubscriberId, SubscriptionId, TopicId
from worker.planning.fatigue import fatigue, most_within
from worker.planning.news import News, Pair, StoryFacts
from worker.planning.quiet import quiet_at
from worker.planning.rules import Quiet, ReaderTerms, Rules
from worker.planning.simulate import simulate
from worker.planning.times import local_day
from worker.planning.world import Simulated, Simulatee, Span, Subscribed, World

FIRST = datetime(2026, 10, 15, tzinfo=UTC)
MONTH = timedelta(days=31)
AFTERWARDS = timedelta(days=45)  # until the last monthly digest, and what it owes, has come
MINUTE = timedelta(minutes=1)
RULES = Rules(
    alert_expires=timedelta(hours=6),
    digest_expires=timedelta(hours=12),
    burst_count=2,
    section_cap=2,
    mail_cap=4,
    away_cap=3,
)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Africa/Cairo", "Asia/Kathmandu", "Asia/Seoul"]
TOPICS = [TopicId(number) for number in range(1, 4)]
SCHEDULED = [cadence for cadence in Cadence if cadence is not Cadence.IMMEDIATE]

MINUTES = st.integers(0, int(MONTH / MINUTE) - 1)
WALLS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@st.composite
def streams(draw: st.DrawFn) -> World:
    """Draw the news of a month: singly and in showers, of one topic or several, some of them matched late."""
    moments = dict.fromkeys(draw(st.lists(MINUTES, max_size=10)), 3)
    for start in draw(st.lists(MINUTES, min_size=1, max_size=2)):
        moments |= dict.fromkeys(range(start, start + draw(st.integers(4, 9))), 1)
    facts, arrivals = {}, []
    for number, (minute, most) in enumerate(sorted(moments.items()), start=1):
        story, at = StoryId(number), FIRST + minute * MINUTE
        facts[story] = StoryFacts(
            story_id=story,
            created_at=at,
            published_at=at - timedelta(hours=draw(st.sampled_from([0, 0, 0, 0, 3, 30]))),
            severity=draw(st.sampled_from([Severity.NORMAL] * 4 + [Severity.BREAKING])),
            outlet=draw(st.sampled_from(["", "Gazette", "Ledger"])),
        )
        topics = draw(st.lists(st.sampled_from(TOPICS[:most]), min_size=1, max_size=most, unique=True))
        arrivals += [(at + draw(st.sampled_from([0, 0, 0, 90])) * MINUTE, story, topic) for topic in topics]
    pairs = defaultdict(list)
    for seq, (at, story, topic) in enumerate(sorted(arrivals), start=1):
        pairs[topic].append(Pair(seq, story, at))
    strengths = {(story, topic): draw(st.integers(1, 3)) for _, story, topic in arrivals}
    news = News(stories=facts, pairs={topic: tuple(found) for topic, found in pairs.items()}, strengths=strengths)
    gather = {
        story: timedelta(0) if one.severity is Severity.BREAKING else RULES.gather for story, one in facts.items()
    }
    return World(news, alerts={(story, topic): at + gather[story] for at, story, topic in arrivals})


def subscribed(number: int, topic: TopicId, rhythm: tuple[Cadence, tuple[str, ...], int]) -> Subscribed:
    cadence, times, weekday = rhythm
    return Subscribed(
        subscription_id=SubscriptionId(number), topic_id=topic, cadence=cadence, times=times, weekday=weekday
    )


@st.composite
def followed(draw: st.DrawFn) -> tuple[Subscribed, ...]:
    rhythms = []
    for _ in range(draw(st.integers(1, 2))):
        cadence = draw(st.sampled_from([Cadence.IMMEDIATE] * 4 + SCHEDULED))
        rhythms.append((cadence, tuple(sorted(draw(st.sets(WALLS, min_size=1, max_size=2)))), draw(st.integers(1, 7))))
    topics = draw(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3, unique=True))
    return tuple(subscribed(number, topic, draw(st.sampled_from(rhythms))) for number, topic in enumerate(topics))


@st.composite
def readers(draw: st.DrawFn) -> Simulatee:
    """Draw a reader, who may have quiet hours, a budget, a floor and a pause within the month."""
    quiet = draw(
        st.none() | st.builds(Quiet, start=st.builds(time, st.integers(0, 23)), end=st.builds(time, st.integers(0, 23)))
    )
    paused_at = draw(st.none() | st.none() | MINUTES.map(lambda minute: FIRST + minute * MINUTE))
    terms = ReaderTerms(
        subscriber_id=SubscriberId(1),
        locale="en",
        timezone=draw(st.sampled_from(ZONES)),
        awake=True,
        quiet=quiet,
        budget=draw(st.sampled_from([None, 1, 2])),
        floor=draw(st.sampled_from([1, 1, 3])),
        below_floor=draw(st.sampled_from(BelowFloor)),
        paused_at=paused_at,
    )
    until = paused_at + draw(st.integers(1, 10 * 24)) * timedelta(hours=1) if paused_at else None
    return Simulatee(email="ada@readers.example", terms=terms, subscriptions=draw(followed()), paused_until=until)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    outages: list[tuple[datetime, datetime]] = []
    for minute in sorted(draw(st.sets(MINUTES, max_size=2))):
        began = FIRST + minute * MINUTE
        if not outages or began > outages[-1][1]:
            outages.append((began, began + draw(st.integers(1, 40)) * timedelta(hours=1)))
    return Span(start=FIRST, end=FIRST + MONTH + AFTERWARDS, down=tuple(outages))


@dataclass
class Told:
    """What became of a month for a reader."""

    reader: Simulatee
    world: World
    span: Span
    runs: list[Simulated]

    @property
    def mails(self) -> list[Simulated]:
        return [run for run in self.runs if run.send]

    def matched(self) -> set[StoryId]:
        topics = {one.topic_id for one in self.reader.subscriptions}
        return {pair.story_id for topic in topics for pair in self.world.news.pairs.get(topic, ())}

    def reasons(self) -> dict[StoryId, str]:
        """Return why stories were never shown, as the runs record it."""
        found: dict[StoryId, str] = {}
        for run in self.runs:
            found |= dict.fromkeys(run.left_out, "no room") | dict.fromkeys(run.omitted, "omitted")
            if run.kind is EditionKind.ALERT and run.reason.startswith("too old: published"):
                found[run.stories[0]] = "older than the age gate"
        return found

    def kept(self) -> bool:
        """Tell whether too few stories are still kept for a digest to come."""
        digests = [run for run in self.runs if run.kind is EditionKind.DIGEST and run.cadence is not Cadence.IMMEDIATE]
        return any("kept for the next" in run.reason for run in digests[-40:])

    def waiting(self) -> set[StoryId]:
        """Return what is owed to the digest after the last one, which was full: a monthly one may owe for long."""
        digests = [run for run in self.mails if run.kind is EditionKind.DIGEST]
        is_full = bool(digests) and len(digests[-1].stories) >= RULES.section_cap
        return {story for run in self.runs for story in run.owed} if is_full else set()


def play(reader: Simulatee, world: World, span: Span) -> Told:
    [runs] = simulate([reader], world, RULES, span)
    return Told(reader, world, span, runs)


# Drawing takes a while on a machine with more to do than cores.
MANY = thorough(few=40, many=120, suppress_health_check=[HealthCheck.too_slow])
MONTHS = {"reader": readers(), "world": streams(), "span": spans()}


@MANY
@given(**MONTHS)
def test_every_matched_story_comes_exactly_once_or_it_is_recorded_why_not(reader, world, span):
    month = play(reader, world, span)
    shown = Counter(story for mail in month.mails for story in mail.stories)
    assert all(count == 1 for count in shown.values()), shown
    missing = month.matched() - set(shown) - set(month.reasons()) - month.waiting()
    assert not missing or month.kept(), (missing, month.runs)


@MANY
@given(**MONTHS)
def test_nothing_but_what_is_breaking_comes_in_quiet_hours_and_nothing_in_a_pause_or_an_outage(reader, world, span):
    month = play(reader, world, span)
    began, ended = month.reader.terms.paused_at, month.reader.paused_until
    for mail in month.mails:
        assert mail.breaking or quiet_at(month.reader.terms, mail.at) is None, mail
        assert began is None or ended is None or not began <= mail.at < ended, mail
        assert not any(first <= mail.at < last for first, last in month.span.down), mail
        assert mail.at >= mail.scheduled_at


@MANY
@given(**MONTHS)
def test_a_budget_is_kept_by_all_that_is_not_breaking(reader, world, span):
    month = play(reader, world, span)
    budget, days = month.reader.terms.budget, Counter[date]()
    for mail in month.mails:
        if mail.kind in {EditionKind.ALERT, EditionKind.ROLLING}:
            day = local_day(mail.at, month.reader.terms.timezone)
            assert mail.breaking or budget is None or days[day] < budget, mail
            days[day] += 1


@MANY
@given(**MONTHS)
def test_mails_keep_the_order_of_the_news(reader, world, span):
    month = play(reader, world, span)
    assert all(one.at <= other.at for one, other in pairwise(month.runs))
    rhythms = {(one.cadence, one.times, one.weekday) for one in month.reader.subscriptions}
    if len(rhythms) > 1 or month.reader.terms.paused_at:
        return
    digests = [mail for mail in month.mails if mail.cadence is not Cadence.IMMEDIATE]
    for earlier, later in pairwise(digests):
        assert max(first_numbers(month, earlier)) < min(first_numbers(month, later)), (earlier, later)


def first_numbers(month: Told, mail: Simulated) -> Iterator[int]:
    topics = {one.topic_id for one in month.reader.subscriptions}
    for story in mail.stories:
        yield min(number for (told, topic), number in month.world.numbers.items() if told == story and topic in topics)


@thorough(few=12, many=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(readers(), max_size=4), streams(), spans())
def test_the_tired_are_counted(crowd, world, span):
    told = [play(reader, world, span) for reader in crowd]
    found = fatigue(month.runs for month in told)
    assert found.total == len(told)
    for threshold in range(1, 6):
        tired = [most_within([mail.at for mail in month.mails]) >= threshold for month in told]
        assert found.at_least(threshold) == sum(tired)
