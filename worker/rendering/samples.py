"""Made-up mails of every kind, in English and Korean: what `tocsin render`, previews and golden files show.

The stories, people and outlets are invented. Decides nothing; reads no clock: everything happens on one day in 2026.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from worker.content import (
    AlertContent,
    ChangedContent,
    Choices,
    ConfirmationContent,
    Content,
    CorrectionContent,
    DigestContent,
    GoodbyeContent,
    LetterContent,
    NewsletterContent,
    Newsroom,
    Personal,
    RollingContent,
    Section,
    StoryCard,
    Subscribed,
    UpdateNote,
    WelcomeContent,
)
from worker.model import Cadence, Severity
from worker.rendering.sample_kinds import EDITORIAL, KINDS, LETTERS, LISTED, LOCALES
from worker.rendering.sample_stories import cards_of

__all__ = ["DAY", "EDITORIAL", "KINDS", "LETTERS", "LISTED", "LOCALES", "cards_of", "content", "newsroom", "personal"]

DAY: Final = date(2026, 11, 23)
_ANSWERS: Final = frozenset({"update", "correction", "retraction"})

_NEWSROOMS: Final = MappingProxyType(
    {
        "en": Newsroom(
            name="The Harbour Courier",
            base_url="https://news.courier.example",
            from_name="The Harbour Courier",
            from_address="news@courier.example",
            reply_to="readers@courier.example",
            postal_address="12 Quay Street, Port Ellery",
            home_url="https://courier.example/",
        ),
        "ko": Newsroom(
            name="항구일보",
            base_url="https://news.courier.example",
            from_name="항구일보",
            from_address="news@courier.example",
            reply_to="readers@courier.example",
            postal_address="부두로 12, 새항구시",
            home_url="https://courier.example/ko/",
        ),
    }
)
_LETTERS: Final = MappingProxyType(
    {
        "en": (
            "Top 10 stories",
            (
                "The embassy’s lights were on all night, and so were ours. If you read **one story** only, read the "
                "first.\n\nNew this morning:\n\n"
                "- the [map of the crossings](https://courier.example/maps/crossings), redrawn\n"
                "- grain, who sells it and who would buy\n\n"
                "> We count the wagons by their *shadows*."
            ),
            "Our own correspondent was *at the crossing*, and [writes tomorrow](https://courier.example/authors/kask).",
        ),
        "ko": (
            "오늘의 뉴스 열 가지",
            (
                "대사관의 불은 밤새 켜져 있었고 편집국의 불도 그랬습니다. **하나만** 읽으신다면 첫 기사를 권합니다."
                "\n\n오늘 아침 새로 나온 것:\n\n"
                "- 다시 그린 [국경 건널목 지도](https://courier.example/maps/crossings)\n"
                "- 곡물을 파는 쪽과 사려는 쪽\n\n"
                "> 우리는 화차를 그림자로 셉니다."
            ),
            "현장에 있던 [본지 기자의 글](https://courier.example/authors/kask)은 내일 싣습니다.",
        ),
    }
)


def newsroom(locale: str) -> Newsroom:
    """Return the house that a sample comes from."""
    return _NEWSROOMS[locale]


def personal(kind: str, locale: str) -> Personal:
    """Return a made-up reader's values."""
    link = "x7Qm2VbT9sKd4Lw"
    return Personal(
        recipient="mina@reader.example",
        name="Mina Seo" if locale == "en" else "서미나",
        message_id=f"sample-{kind}-{locale}@courier.example",
        sent_at=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
        preferences=link,
        unsubscribe=link,
        view=link,
        in_reply_to=f"sample-alert-{locale}@courier.example" if kind in _ANSWERS else "",
        confirm=link if kind == "confirmation" else "",
        my=link if kind in LETTERS else "",
        feedback_id=f"{kind}:sample:1:courier",
        list_id=f"{kind}.courier.example",
        list_name={"en": "Topics you follow", "ko": "구독 주제"}[locale],
    )


def content(kind: str, locale: str) -> Content:
    """Return the sample of a kind (one of `KINDS`) in a locale (one of `LOCALES`)."""
    if kind in LETTERS:
        return LetterContent(locale=locale, about=LETTERS[kind], letter=1)
    match kind:
        case "confirmation":
            return ConfirmationContent(locale=locale, topics=_topics(locale))
        case "welcome":
            return WelcomeContent(locale=locale, choices=_choices(locale))
        case "changed":
            return ChangedContent(locale=locale, before=_choices(locale), now=_changed(_choices(locale)))
        case "goodbye":
            return GoodbyeContent(locale=locale)
    return _editorial(kind, locale)


def _choices(locale: str) -> Choices:
    """Return what a reader of three topics, a newsletter and a search of their own has chosen."""
    zone = "Asia/Seoul" if locale == "ko" else "Europe/London"
    morning = datetime(2026, 11, 24, 7, 0, tzinfo=ZoneInfo(zone))
    north, russia, economy = _topics(locale)
    daily = {"cadence": Cadence.DAILY, "times": ("07:00", "18:30"), "next_at": morning}
    return Choices(
        locale=locale,
        timezone=zone,
        follows=(
            Subscribed.model_validate({"target": "topic 1", "name": {locale: north}, **daily}),
            Subscribed.model_validate({"target": "topic 2", "name": {locale: russia}, **daily}),
            Subscribed(
                target="topic 3",
                name={locale: economy},
                cadence=Cadence.WEEKLY,
                times=("07:00",),
                weekday=5,
                next_at=morning + timedelta(days=3),
            ),
            Subscribed(
                target="newsletter 1",
                name={"en": _LETTERS[locale][0]},
                schedule="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;BYMINUTE=30",
                zone=zone,
                next_at=morning - timedelta(minutes=30),
            ),
            Subscribed.model_validate(
                {"target": "topic 4", "name": {"en": "(railway OR 철도) NEAR/5 harbour"}, "is_own": True, **daily}
            ),
        ),
    )


def _changed(choices: Choices) -> Choices:
    north, russia, _, letter, own = choices.follows
    weekly = russia.model_copy(update={"cadence": Cadence.WEEKLY, "times": ("08:00",), "weekday": 6})
    return choices.model_copy(
        update={
            "follows": (north, weekly, letter, own),
            "quiet": ("22:00", "06:30"),
            "paused_until": datetime(2026, 12, 1, tzinfo=UTC),
            "is_paused": True,
        }
    )


def _editorial(kind: str, locale: str) -> Content:
    cards = cards_of(locale)
    north, russia, economy = _topics(locale)
    sections = (
        Section(topic=north, slug="north-korea", cards=cards[:2]),
        Section(topic=russia, slug="russia", cards=cards[2:4]),
        Section(topic=economy, slug="economy", cards=cards[4:]),
    )
    match kind:
        case "alert":
            return AlertContent(locale=locale, card=cards[0])
        case "breaking":
            return AlertContent(locale=locale, card=cards[1], severity=Severity.BREAKING)
        case "update":
            return AlertContent(locale=locale, card=_updated(cards[0], locale), threaded=True)
        case "digest":
            return DigestContent(locale=locale, day=DAY, sections=sections)
        case "away":
            best = (
                Section(topic=north, slug="north-korea", cards=(cards[0], _updated(cards[1], locale)), left_out=(8, 9)),
                Section(topic=russia, slug="russia", cards=cards[2:3], left_out=(10,)),
            )
            return DigestContent(locale=locale, day=DAY, sections=best, away=True)
        case "rolling":
            since, until = datetime(2026, 11, 23, 5, 0, tzinfo=UTC), datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
            return RollingContent(locale=locale, since=since, until=until, sections=sections[:2])
        case "newsletter":
            return _newsletter(locale, cards)
        case "correction" | "retraction":
            return _correction(locale, cards[0], retracted=kind == "retraction")
    raise ValueError(f"no sample of the kind {kind!r}")


def _newsletter(locale: str, cards: tuple[StoryCard, ...]) -> NewsletterContent:
    """Return an issue as an editor would make it: a few words above, and some on one story."""
    named, note, remark = _LETTERS[locale]
    plain = tuple(card.model_copy(update={"reasons": (), "highlights": ()}) for card in cards)
    return NewsletterContent(
        locale=locale,
        slug="top-10-stories",
        name=named,
        day=DAY,
        sender_name=_NEWSROOMS[locale].name,
        sender_address="top10@courier.example",
        note=note,
        cards=plain,
        notes=((plain[1].story_id, remark),),
    )


def _topics(locale: str) -> tuple[str, str, str]:
    return ("북한", "러시아", "경제") if locale == "ko" else ("North Korea", "Russia", "Economy")


def _updated(card: StoryCard, locale: str) -> StoryCard:
    note = {"en": "the embassy has answered, and denies it.", "ko": "대사관이 답변을 내고 사실이 아니라고 했습니다."}
    return card.model_copy(update={"update": UpdateNote(note=note[locale], at=card.published_at)})


def _correction(locale: str, card: StoryCard, *, retracted: bool) -> CorrectionContent:
    note = {
        ("en", False): "We wrote that the ambassador was expelled. He was summoned.",
        ("en", True): "The document on which the story rests turned out to be forged.",
        ("ko", False): "대사를 추방했다고 썼으나, 초치한 것이 맞습니다.",
        ("ko", True): "기사의 근거가 된 문서가 위조로 밝혀졌습니다.",
    }
    return CorrectionContent(
        locale=locale,
        retracted=retracted,
        title={"en": "Seoul expels Russian ambassador", "ko": "정부, 러시아 대사 추방"}[locale],
        note=note[locale, retracted],
        card=None if retracted else card,
    )
