"""An article that was wrong, as its readers meet it: a correction comes below the mail that said it, to nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation, until
from tests.acceptance.mails import Mail

pytestmark = pytest.mark.slow

WITHIN_S = 30.0
TOPICS = "- {slug: volcanoes, name: {en: Volcanoes, ko: 화산}, query: volcano OR lava}\n"
READERS = """email,name,locale,timezone,topics,cadence,at
vera@reader.example,Vera,en,Europe/Rome,volcanoes,immediate,
kim@reader.example,Kim,ko,Asia/Seoul,volcanoes,immediate,
dora@reader.example,Dora,en,Europe/Rome,volcanoes,monthly,07:00
"""
WRONG = {"url": "https://courier.example/etna", "title": "Etna lava kills twelve", "body": "Twelve died at dawn."}


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Iterator[Installation]:
    """A running installation with readers in two languages."""
    house = make_module_installation()
    house.followed(TOPICS, READERS)
    with house.up():
        yield house


def mail_to(house: Installation, name: str, subject: str) -> Mail:
    def look() -> list[Mail]:
        return [mail for mail in house.mails_to(f"{name}@reader.example") if subject in mail.subject]

    return until(look, within_s=WITHIN_S, what=f"“{subject}” for {name}", tell=house.logs)[0]


@pytest.fixture(scope="module")
def alerts(house: Installation) -> dict[str, Mail]:
    """What both were sent."""
    answer = house.post("/api/v1/articles", WRONG)
    assert answer.status_code in {201, 202}, answer.text
    return {name: mail_to(house, name, "Etna lava kills twelve") for name in ("vera", "kim")}


@pytest.fixture(scope="module")
def corrected(house: Installation, alerts: dict[str, Mail]) -> httpx.Response:
    """What the newsroom's system was answered."""
    assert alerts
    number = house.ask("articles", "list")[0]["id"]
    until(
        lambda: {row["state"] for row in house.ask("deliveries", "list")} == {"accepted"},
        within_s=WITHIN_S,
        what="both alerts accepted",
    )
    words = {"title": "Etna lava injures twelve", "body": "Twelve were hurt at dawn."}
    return house.post(f"/api/v1/articles/{number}/correct", {**words, "note": "Nobody has died."})


def test_the_newsroom_is_told_whom_it_reaches(corrected):
    assert corrected.status_code == 200, corrected.text
    told = corrected.json()
    assert (told["revision"], told["sent"], told["mails"], told["cancelled"]) == (2, 2, 2, 0)


@pytest.mark.parametrize(("name", "subject"), [("vera", "Correction: Etna"), ("kim", "[바로잡습니다] Etna")])
def test_whoever_was_sent_the_fault_is_told_below_it_in_their_language(house, corrected, alerts, name, subject):
    assert corrected.status_code == 200
    mail = mail_to(house, name, subject)
    assert mail.message["In-Reply-To"] == mail.message["References"] == alerts[name].id
    text = mail.part("plain")
    assert "Etna lava kills twelve" in text
    assert "Nobody has died." in text
    assert "Etna lava injures twelve" in text


def test_a_retraction_reaches_the_same_and_nobody_else_has_heard_of_it(house, corrected):
    assert corrected.status_code == 200
    number = corrected.json()["article"]
    (told,) = house.ask("articles", "correct", number, "--note", "It was another mountain.", "--retract")
    assert (told["mails"], told["cancelled"]) == (2, 0)
    assert "It was another mountain." in mail_to(house, "vera", "Retracted: Etna lava injures").part("html")
    mail_to(house, "kim", "[기사 철회]")
    assert house.mails_to("dora@reader.example") == []
    assert house.tocsin("articles", "correct", number, "--note", "Once more.").status == 2
