"""Made-up stories, in English and Korean, of which the sample mails are made.

The stories, people and outlets are invented. Decides nothing; reads no clock: everything happens on one day in 2026.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from worker.content import Image, Reason, StoryCard


def cards_of(locale: str) -> tuple[StoryCard, ...]:
    """Return the sample stories in the order in which the digest tells them."""
    return _KOREAN if locale == "ko" else _ENGLISH


def _card(
    number: int,
    hour: int,
    title: str,
    summary: str,
    *reasons: Reason,
    source: str,
    author: str = "",
    section: str = "",
    also_in: tuple[str, ...] = (),
    image: Image | None = None,
) -> StoryCard:
    """Make a card whose highlights are the first places where its reasons' words stand in the summary."""
    words = [word for reason in reasons for word in reason.words if word in summary]
    return StoryCard(
        story_id=number,
        article_id=number,
        revision=1,
        title=title,
        summary=summary,
        url=f"https://courier.example/2026/11/23/{number}",
        source=source,
        author=author,
        section=section,
        published_at=datetime(2026, 11, 23, hour, 5 * number, tzinfo=UTC),
        also_in=also_in,
        highlights=tuple((summary.index(word), summary.index(word) + len(word)) for word in words),
        reasons=reasons,
        image=image,
    )


def _picture(name: str, alt: str, credit: str, width: int = 1600, height: int = 900) -> Image:
    return Image(url=f"https://img.courier.example/{name}.jpg", alt=alt, credit=credit, width=width, height=height)


def _north(*words: str) -> Reason:
    return Reason(topic="North Korea", slug="north-korea", words=words)


def _russia(*words: str) -> Reason:
    return Reason(topic="Russia", slug="russia", words=words)


def _economy(*words: str) -> Reason:
    return Reason(topic="Economy", slug="economy", words=words)


_ENGLISH: Final = (
    _card(
        1,
        5,
        "Seoul summons Russian ambassador over troops sent from the North",
        "The foreign ministry called in Moscow’s envoy on Monday and asked for the withdrawal of every N. Korea unit "
        "now training on Russian soil, its sharpest protest since the two countries opened embassies.",
        _north("N. Korea", "the North’s", "Pyongyang"),
        _russia("Moscow", "Russian"),
        source="The Harbour Courier",
        author="Ada Lindqvist",
        section="World",
        also_in=("Northern Wire", "The Evening Tide"),
        image=_picture("embassy", "Lights burn late on the third floor of the embassy.", "Hana Lindgren"),
    ),
    _card(
        2,
        6,
        "Pyongyang closes its last rail crossing to foreign freight",
        "Drivers waiting at the border were turned back before dawn. Satellite pictures show empty sidings where "
        "DPRK grain wagons used to stand in long rows.",
        _north("Pyongyang", "DPRK"),
        source="Northern Wire",
        section="Asia",
        image=_picture("sidings", "Empty railway sidings under snow, seen from above.", "Northern Wire", 1200, 800),
    ),
    _card(
        3,
        4,
        "Kremlin offers grain terminals to buyers who pay in roubles",
        "Three ports on the Black Sea would go to the highest bidder in a sale that Russia hopes to finish by spring. "
        "Bankers doubt that anybody will come.",
        _russia("Kremlin", "Russia"),
        source="The Evening Tide",
        author="Tomas Okafor",
        section="Business",
        image=_picture("terminal", "A grain terminal at dusk.", "", 1200, 800),
    ),
    _card(
        4,
        3,
        "A winter without visitors in Vladivostok",
        "Hotels that were full two years ago are letting rooms by the month. The city’s guides have found other work, "
        "most of it in the harbour.",
        _russia("Vladivostok"),
        source="The Harbour Courier",
        author="Ines Carvalho",
        section="Reportage",
        image=_picture("stairs", "A guide waits alone on the harbour stairs.", "Ines Carvalho", 900, 1200),
    ),
    _card(
        5,
        2,
        "Central bank holds its rate and hints at a cut in March",
        "Inflation has come down faster than the board expected, its governor said, “but one swallow does not make "
        "a summer”. Markets rose a little, then slept.",
        _economy("Central bank", "Inflation"),
        source="The Harbour Courier",
        author="Jun Baek",
        section="Economy",
        also_in=("Northern Wire", "The Evening Tide", "Ledger", "Coast Radio", "The Morning Bell"),
        image=Image(url="https://img.courier.example/bank.jpg"),
    ),
    _card(
        6,
        1,
        "Shipyards hire again, for the first time in six years",
        "Orders for ferries that run on methanol have filled the docks until 2030, and wages are rising along the "
        "coast.",
        _economy("wages"),
        source="Ledger",
        section="Business",
    ),
)


def _north_ko(*words: str) -> Reason:
    return Reason(topic="북한", slug="north-korea", words=words)


def _russia_ko(*words: str) -> Reason:
    return Reason(topic="러시아", slug="russia", words=words)


def _economy_ko(*words: str) -> Reason:
    return Reason(topic="경제", slug="economy", words=words)


_KOREAN: Final = (
    _card(
        1,
        5,
        "외교부, 북한군 파병에 러시아 대사 불러 항의",
        "외교부는 월요일 주한 러시아 대사를 청사로 불러 러시아에서 훈련 중인 북한군 부대를 모두 철수시키라고 "
        "요구했다. 두 나라가 대사관을 연 뒤로 가장 강한 항의다.",
        _north_ko("북한군", "평양"),
        _russia_ko("러시아", "모스크바"),
        source="항구일보",
        author="서미나",
        section="국제",
        also_in=("북방통신", "저녁물결"),
        image=_picture("embassy", "늦은 밤까지 불이 켜져 있는 대사관 3층.", "임하나"),
    ),
    _card(
        2,
        6,
        "평양, 마지막 화물 철도 건널목까지 닫아",
        "국경에서 기다리던 기관사들이 동트기 전에 되돌아갔다. 위성 사진에는 북한 곡물 화차가 길게 늘어서 있던 "
        "자리가 텅 비어 있다.",
        _north_ko("북한", "평양"),
        source="북방통신",
        section="아시아",
        image=_picture("sidings", "하늘에서 내려다본, 눈 덮인 빈 측선.", "북방통신", 1200, 800),
    ),
    _card(
        3,
        4,
        "크렘린, 루블로 사는 이에게 곡물 터미널 내놓는다",
        "흑해 항구 세 곳이 가장 높은 값을 부르는 쪽에 넘어간다. 러시아는 봄까지 매각을 끝내려 하지만 은행가들은 "
        "사겠다는 이가 있을지 의심한다.",
        _russia_ko("러시아", "크렘린"),
        source="저녁물결",
        author="오태민",
        section="경제",
        image=_picture("terminal", "해 질 녘의 곡물 터미널.", "", 1200, 800),
    ),
    _card(
        4,
        3,
        "손님 없는 블라디보스토크의 겨울",
        "두 해 전 빈방이 없던 호텔들이 이제 달방을 놓는다. 블라디보스토크의 안내원들은 다른 일을 찾았고 대부분 "
        "항구에서 일한다.",
        _russia_ko("블라디보스토크"),
        source="항구일보",
        author="차인애",
        section="르포",
        image=_picture("stairs", "부두 계단에서 홀로 기다리는 안내원.", "차인애", 900, 1200),
    ),
    _card(
        5,
        2,
        "중앙은행 금리 동결, 3월 인하 내비쳐",
        "총재는 물가가 예상보다 빨리 내렸다면서도 “제비 한 마리가 왔다고 여름은 아니다”라고 말했다. 시장은 조금 "
        "오르다 잠잠해졌다.",
        _economy_ko("물가", "금리"),
        source="항구일보",
        author="백준",
        section="경제",
        also_in=("북방통신", "저녁물결", "장부", "해안방송", "아침종"),
        image=Image(url="https://img.courier.example/bank.jpg"),
    ),
    _card(
        6,
        1,
        "조선소, 여섯 해 만에 다시 사람 뽑는다",
        "메탄올로 가는 여객선 주문이 2030년까지 도크를 채웠고 해안을 따라 임금도 오르고 있다.",
        _economy_ko("임금"),
        source="장부",
        section="산업",
    ),
)
