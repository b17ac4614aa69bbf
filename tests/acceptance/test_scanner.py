"""A mail scanner opens every link of every mail, as GET and as HEAD, and nothing at all changes."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.houses import CommandLine, Installation
from tests.acceptance.mails import Mail
from tests.integration.web.newspaper import Newspaper, QuietHouse, served
from worker.settings import load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_LINK = re.compile(rb"https?://[^\s<>\"')\]]+")


def links(mail: Mail) -> Iterator[str]:
    """Yield whatever a scanner takes for a link: in headers, in the text, in attributes of the page."""
    for header in ("List-Unsubscribe", "List-Help", "List-Archive", "List-Subscribe", "List-Owner"):
        yield from (found.decode() for found in _LINK.findall(mail.header_bytes(header)))
    yield from (found.decode().rstrip(".,") for found in _LINK.findall(mail.part("plain").encode()))
    yield from (
        html.unescape(found) for found in re.findall(r'(?:href|src|action)="(https?://[^"]+)"', mail.part("html"))
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, command_line: CommandLine) -> Installation:
    home = tmp_path_factory.mktemp("demo") / "home"
    found = Installation(home, command_line, {})
    with found.start("demo", "--once", "--fresh", "--json") as running:
        assert running.process.wait(300) == 0, running.said + found.logs()
    return found


def test_a_scanner_that_opens_every_link_of_every_mail_changes_nothing(house, monkeypatch):
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    mails = house.mails()
    with ExitStack() as stack:
        quiet = QuietHouse(load(home=house.home, accent="#8a1c1c"))
        stack.callback(quiet.close)
        url = stack.enter_context(served(quiet))
        client = stack.enter_context(httpx.Client(timeout=60, follow_redirects=True))
        newspaper = Newspaper(house=quiet, url=url, client=client)
        found = {link for mail in mails for link in links(mail)}
        [ours] = {urlsplit(link).netloc for link in found if urlsplit(link).path.startswith("/unsubscribe/")}
        paths = sorted({link.partition(ours)[2] for link in found if urlsplit(link).netloc == ours})
        kinds = {path.split("/")[1] for path in paths}
        assert {"unsubscribe", "preferences", "m"} <= kinds
        assert len(paths) > len(mails)
        before, inbox = newspaper.snapshot(), [mail.file for mail in house.mails()]
        for path in paths:
            for method in ("GET", "HEAD", "GET"):
                answer = client.request(method, url + path, headers={"User-Agent": "Scanner/1.0"})
                assert answer.status_code < 500, (method, path)
                assert not answer.history or answer.history[0].status_code < 400
        after = newspaper.snapshot()
    assert {name for name in before if before[name] != after[name]} == set()
    assert [mail.file for mail in house.mails()] == inbox
    assert quiet.rung == []
