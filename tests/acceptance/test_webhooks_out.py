"""A running `tocsin up` tells the newspaper's own program what a reader does, while another program hangs."""

from __future__ import annotations

import re
import threading

import httpx
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import until
from tests.integration.notifying.receiver import receiving

TOPICS = "- {slug: volcanoes, name: {en: Volcanoes}, query: lava}\n"
VERA = "vera@reader.example"


@pytest.mark.slow
def test_a_reader_signs_up_confirms_and_leaves_and_the_newspaper_knows(make_installation: MakeInstallation) -> None:
    house = make_installation()
    (house.folder / "topics.yaml").write_text(TOPICS, encoding="utf-8")
    house.migrated()
    house.told("topics", "import", house.folder / "topics.yaml")
    gate = threading.Event()
    with receiving() as program, receiving() as hanging:
        hanging.otherwise = lambda _receiver: 204 if gate.wait(60) else 500
        (added,) = house.ask("webhooks", "add", program.url, "--private")
        house.ask("webhooks", "add", hanging.url, "--private")
        with house.up(), httpx.Client(base_url=house.url, timeout=20) as browser:
            form = {"email": VERA, "topics": ["volcanoes"], "cadence": "daily", "timezone": "UTC", "locale": "en"}
            assert browser.post("/subscribe", data=form).status_code == 200
            until(lambda: program.types[-1:] == ["subscriber.subscribed"], within_s=30, what="word of the sign-up")
            (mail,) = until(lambda: house.mails_to(VERA), within_s=30, what="the question")
            link = re.search(r"/confirm/[\w.-]+", mail.part("plain"))
            assert link
            assert browser.post(link[0]).status_code == 200
            until(lambda: program.types[-1:] == ["subscriber.confirmed"], within_s=30, what="word of the yes")
            house.told("subscribers", "erase", VERA, "--yes")
            until(lambda: program.types[-1:] == ["subscriber.erased"], within_s=30, what="word of the farewell")
        gate.set()
    told = [post.verified(added["secret"])["data"] for post in program.posts]
    assert [one.get("email") for one in told] == [VERA, VERA, None]
    assert hanging.posts  # it was told too, and held nobody up
