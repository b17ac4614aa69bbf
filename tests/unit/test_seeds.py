"""The seeds keep their promises: they render, parse, spread over days, plant their traps, reach every seeded reader.

Reads the files with plain parsers (feedparser, json, yaml, csv), never through the rooms that the demo will use, so
that a defect there cannot hide a defect here. What the topics match is tested in test_seeds_topics.py.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import timedelta
from itertools import combinations
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from tests.unit.seed_files import (
    NOW,
    SEEDS,
    SeedArticle,
    articles,
    expected_matches,
    feed_articles,
    feed_names,
    load_yaml,
    parse_feed,
    render,
    single_articles,
    topics,
    updated_articles,
)

WIRE_TITLES = {
    "Insurers clear second Black Sea lane for Ukraine's grain",
    "Grain ships get a second lane as insurers sign in Istanbul",
    "Black Sea grain convoys to sail within ten days",
}
CADENCES = {"immediate", "daily", "weekdays", "weekly"}
RRULE = re.compile(r"FREQ=(DAILY|WEEKLY;BYDAY=[A-Z]{2}(,[A-Z]{2})*);BYHOUR=\d+;BYMINUTE=\d+;BYSECOND=0")
FRESH = timedelta(hours=20)
NAMED_DAY = re.compile(
    r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|\b(?:January|February|April|June|July|August|September|October|November"
    r"|December)\b|[월화수목금토일]요일|\d+월",
)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return set(zip(words, words[1:], words[2:], strict=False))


def containment(left: str, right: str) -> float:
    one, other = shingles(left), shingles(right)
    return len(one & other) / min(len(one), len(other))


def sentences(article: SeedArticle) -> list[str]:
    paragraphs = [article.summary, *article.paragraphs]
    return [s for p in paragraphs for s in re.split(r"(?<=[.!?”\"])\s+", p) if s]


def subscribers() -> list[dict[str, str]]:
    with (SEEDS / "subscribers.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_six_feeds_in_three_formats_and_two_languages():
    versions = Counter(parse_feed(name, render(name)).version for name in feed_names())
    assert versions == {"rss20": 4, "atom10": 1, "jsonfeed": 1}
    assert {a.lang.split("-")[0] for a in feed_articles()} == {"en", "ko"}


def test_every_picture_of_the_seeds_is_bundled_told_and_small():
    files = {file.name: file.stat().st_size for file in (SEEDS / "pictures").iterdir()}
    told = [*map(render, feed_names()), *(f.read_text(encoding="utf-8") for f in (SEEDS / "articles").glob("*.json"))]
    assert {name for text in told for name in re.findall(r"https://img\.courier\.example/([\w-]+\.jpg)", text)} == set(
        files
    )
    assert sum(files.values()) < 150_000


@pytest.mark.parametrize("name", feed_names())
def test_a_feed_names_itself_and_its_items(name):
    feed = parse_feed(name, render(name))
    assert urlsplit(feed.self_url).netloc.endswith(".example")
    assert urlsplit(feed.self_url).path
    hosts = {urlsplit(a.url).netloc for a in feed.articles}
    assert hosts == {urlsplit(feed.self_url).netloc}
    assert all(a.guid and a.title and a.summary and a.author and a.tags and a.paragraphs for a in feed.articles)


def test_every_source_has_a_feed_and_every_feed_a_source():
    sources = load_yaml("sources.yaml")
    assert {s["feed"] for s in sources} == {name.removesuffix(".j2") for name in feed_names()}
    for source in sources:
        assert set(source) == {"name", "feed", "homepage", "outlet", "lang", "house"}
        feed = parse_feed(source["feed"] + ".j2", render(source["feed"] + ".j2"))
        assert (feed.title, feed.lang) == (source["name"], source["lang"])


def test_there_are_at_least_45_articles_with_titles_guids_and_links_of_their_own():
    assert len(articles()) >= 45
    assert 4 <= len(single_articles()) <= 6
    for attribute in ("title", "guid", "url"):
        values = [getattr(a, attribute) for a in articles() if getattr(a, attribute)]
        assert len(values) == len(set(values)), attribute


def test_ages_run_from_minutes_to_four_days_with_news_on_each():
    ages_h = sorted((NOW - a.published_at) / timedelta(hours=1) for a in feed_articles())
    assert 0.2 <= ages_h[0] < 1
    assert 90 < ages_h[-1] <= 100
    by_day = Counter(int(age // 24) for age in ages_h)
    assert all(by_day[day] >= 5 for day in range(4))


def test_no_text_names_a_weekday_or_a_month_because_ages_move():
    named = {m.group() for a in articles() for m in NAMED_DAY.finditer(" ".join([a.title, *sentences(a)]))}
    assert not named


def test_bodies_have_two_to_six_paragraphs_and_several_are_long():
    assert all(2 <= len(a.paragraphs) <= 6 for a in articles())
    lengths = [len(" ".join(a.paragraphs).split()) for a in articles()]
    assert sum(n >= 200 for n in lengths) >= 6
    assert min(lengths) < 80


def test_no_sentence_is_used_twice_outside_the_wire_copy():
    counts = Counter(s for a in articles() if a.title not in WIRE_TITLES for s in sentences(a))
    assert [s for s, n in counts.items() if n > 1] == []


def test_the_wire_copy_is_one_text_in_three_outlets_each_with_its_own_edits():
    wire = [a for a in articles() if a.title in WIRE_TITLES]
    assert {urlsplit(a.url).netloc for a in wire} == {
        "northfield-ledger.example",
        "sablecoast.example",
        "pinevalleypost.example",
    }
    for left, right in combinations(["\n\n".join(a.paragraphs) for a in wire], 2):
        assert left != right
        assert min(len(left.split()), len(right.split())) >= 120
        assert containment(left, right) >= 0.8


def test_no_other_two_articles_resemble_each_other():
    texts = {a.title: " ".join(a.paragraphs) for a in articles()}
    alike = {
        (left, right): containment(texts[left], texts[right])
        for left, right in combinations(texts, 2)
        if not {left, right} <= WIRE_TITLES
    }
    assert {pair: share for pair, share in alike.items() if share > 0.05} == {}


def test_the_summons_never_spells_out_north_korea():
    summons = next(a for a in articles() if "summons" in a.title)
    text = " ".join([summons.title, summons.summary, *summons.paragraphs])
    assert "North Korea" not in text
    assert "N. Korea" in summons.title
    assert all(name in text for name in ("N. Korea", "the North's", "Pyongyang", "Moscow"))


def test_an_update_changes_the_title_and_text_of_one_item_and_nothing_else():
    before = {a.guid: a for a in feed_articles()}
    changed = []
    for after in updated_articles():
        same = (after.title, after.summary, after.paragraphs) == (
            before[after.guid].title,
            before[after.guid].summary,
            before[after.guid].paragraphs,
        )
        assert after.url == before[after.guid].url
        assert after.published_at == before[after.guid].published_at
        if not same:
            changed.append(after)
    assert len(changed) == 1
    assert changed[0].title != before[changed[0].guid].title
    assert changed[0].paragraphs != before[changed[0].guid].paragraphs


def test_json_files_have_the_shape_of_the_articles_api():
    files = sorted((SEEDS / "articles").glob("*.json"))
    assert files
    required = {"url", "title", "summary", "body", "author", "section", "source", "lang", "tags", "severity"}
    for path in files:
        told = set(json.loads(path.read_text(encoding="utf-8")))
        assert required <= told <= required | {"published_at", "image"}


def test_topics_have_two_languages_and_both_kinds_of_examples():
    assert len(topics()) >= 90
    for topic in topics().values():
        assert set(topic) == {"slug", "name", "description", "query", "must_match", "must_not_match"}
        assert set(topic["name"]) == set(topic["description"]) == {"en", "ko"}
        assert len(topic["must_match"]) >= 3
        assert topic["must_not_match"]


def test_every_topic_that_readers_follow_has_two_articles_and_the_two_that_we_promise_have_five():
    counts = Counter(slug for slugs in expected_matches().values() for slug in slugs)
    followed = {slug for row in subscribers() for slug in row["topics"].split(";")}
    selected = {slug for newsletter in load_yaml("newsletters.yaml") for slug in newsletter["selection"]["topics"]}
    assert set(counts) <= set(topics())
    assert min(counts[slug] for slug in followed | selected) >= 2
    assert min(counts["north-korea"], counts["russia"]) >= 5


def test_every_article_has_been_judged():
    titles = {a.title for a in [*articles(), *updated_articles()]}
    assert titles == set(expected_matches())
    assert all(slugs == sorted(set(slugs)) for slugs in expected_matches().values())


def test_newsletters_name_topics_and_schedules_that_exist():
    newsletters = load_yaml("newsletters.yaml")
    assert len(newsletters) == 3
    assert "Top 10 stories" in {n["name"] for n in newsletters}
    assert {n["locale"] for n in newsletters} == {"en", "ko"}
    for newsletter in newsletters:
        assert newsletter["sender"]["address"].endswith("@courier.example")
        assert set(newsletter["selection"]["topics"]) <= set(topics())
        assert newsletter["selection"]["minimum"] <= newsletter["selection"]["maximum"]
        assert ZoneInfo(newsletter["timezone"]).key == newsletter["timezone"]
        assert RRULE.fullmatch(newsletter["schedule"])


def test_readers_are_many_and_live_in_many_zones_with_mixed_cadences():
    readers = subscribers()
    assert len(readers) >= 25
    assert len({r["timezone"] for r in readers}) >= 10
    assert len({r["email"] for r in readers}) == len(readers)
    cadences = Counter(r["cadence"] for r in readers)
    assert set(cadences) == CADENCES
    assert cadences["immediate"] >= 10
    assert cadences["daily"] >= 10


@pytest.mark.parametrize("reader", subscribers(), ids=lambda r: r["email"])
def test_a_reader_has_a_zone_times_topics_and_fresh_news(reader):
    assert set(reader) == {"email", "name", "locale", "timezone", "topics", "cadence", "at"}
    assert ZoneInfo(reader["timezone"]).key == reader["timezone"]
    assert reader["locale"] in {"en", "ko"}
    assert bool(reader["at"]) is (reader["cadence"] != "immediate")
    assert all(re.fullmatch(r"[012]\d:[0-5]\d", at) for at in reader["at"].split(";") if at)
    slugs = set(reader["topics"].split(";"))
    assert slugs <= set(topics())
    fresh = (a for a in articles() if NOW - a.published_at < FRESH)
    assert any(slugs & set(expected_matches()[a.title]) for a in fresh)
