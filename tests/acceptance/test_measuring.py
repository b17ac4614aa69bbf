"""Opens and clicks from end to end: a mail in the inbox, its links followed, and the figures on the command line."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import httpx
import pytest

from tests import builders
from tests.acceptance.houses import CommandLine, Installation, own_ports, until
from tests.acceptance.mails import Mail
from tests.databases import opened
from tests.http import NO_TLS
from worker.measuring.run import LEAST_READERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, command_line: CommandLine) -> Installation:
    """A demo that has sent everything, counted, a minute ago."""
    home = tmp_path_factory.mktemp("demo") / "home"
    found = Installation(home, command_line, {**own_ports(), "TOCSIN_MEASURE": "clicks opens"})
    with found.start("demo", "--once", "--fresh", "--json") as running:
        assert running.process.wait(300) == 0, running.said + found.logs()
    with opened(f"sqlite:///{home / 'tocsin.db'}") as database:
        builders.set_clock(database, ahead=timedelta(minutes=1))
    return found


def edition_of(mail: Mail) -> int:
    return int(str(mail.message["Feedback-ID"]).partition(":")[0])


def visible_links(mail: Mail) -> list[str]:
    found = re.findall(r'<a (?:[^>]* )?href="([^"]+/c/[^"]+)"([^>]*)', mail.part("html"))
    return [html.unescape(link) for link, rest in found if "display" not in rest]


def test_links_of_a_mail_lead_to_its_stories_and_are_counted_for_its_edition(house):
    editions = {one["id"]: one for one in house.tocsin("editions", "list", "--json").lines}
    news = [mail for mail in house.mails() if editions[edition_of(mail)]["kind"] in {"alert", "digest"}]
    large = [mail for mail in news if editions[edition_of(mail)]["audience"] >= LEAST_READERS]
    assert large, {one["kind"]: one["audience"] for one in editions.values()}
    mail = large[0]
    assert len({link for one in news if edition_of(one) == edition_of(mail) for link in visible_links(one)}) < len(
        [link for one in news if edition_of(one) == edition_of(mail) for link in visible_links(one)]
    )  # shared
    link = visible_links(mail)[0]
    [pixel] = re.findall(r'<img src="([^"]+/o/[^"]+\.gif)"', mail.part("html"))
    with house.start("web"), httpx.Client(verify=NO_TLS, timeout=30) as client:
        until(lambda: is_up(client, house.url), within_s=60, what="the pages")
        answer = client.get(link, headers=BROWSER)
        assert answer.status_code == 302
        assert answer.headers["location"] in html.unescape(mail.part("plain"))
        assert client.get(pixel, headers=BROWSER).headers["content-type"] == "image/gif"
    # Stopped by SIGTERM, within the ten seconds for which it waits to judge.
    [shown] = house.tocsin("editions", "show", edition_of(mail), "--json").lines
    assert shown["measured"]["clicks"]["person"] == 1
    assert shown["measured"]["opens"]["person"] == 1
    [clicked] = house.tocsin("editions", "clicks", edition_of(mail), "--json").lines
    assert clicked["person"] == 1


def test_no_letter_and_no_text_part_is_counted(house):
    for mail in house.mails():
        assert not re.search(r"/[co]/0\.", mail.part("plain"))
        if ":confirmation:" in str(mail.message["Feedback-ID"]):
            assert not re.search(r"/[co]/0\.", mail.part("html"))


def is_up(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
