"""Mails that went the whole way, through real workers and SMTP, before judges that are not ours."""

from __future__ import annotations

import json

import dkim
import pytest

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation
from tests.acceptance.mails import Mail
from tests.contract.mail.conftest import or_skip
from tests.contract.mail.judges import node, spamassassin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SIGNATURES = {("rsa1", "rsa-sha256", "pass"), ("ed1", "ed25519-sha256", "pass")}


@pytest.fixture(scope="module")
def records() -> dict[str, str]:
    """The DKIM records, by name, once the house has its keys."""
    return {}


@pytest.fixture(scope="module")
def mails(make_module_installation: MakeInstallation, records: dict[str, str]) -> dict[str, Mail]:
    """A demo's whole inbox, by Message-ID, all of it signed with both keys."""
    house: Installation = make_module_installation(TOCSIN_BASE_URL="https://news.courier.example")
    for options in (("--selector", "rsa1"), ("--selector", "ed1", "--ed25519")):
        (made,) = house.ask("dkim", "new", "--out", house.folder / "keys", *options)
        records[made["name"]] = made["value"]
        house.environment |= {name: value for name, value in made.items() if name.startswith("TOCSIN_")}
    with house.start("demo", "--once", "--json") as running:
        assert running.process.wait(400) == 0, running.said + house.logs()
    assert json.loads(running.said.splitlines()[-1])["inbox"] == len(house.mails())
    return {mail.id: mail for mail in house.mails()}


def test_every_mail_carries_two_signatures_that_dkimpy_believes(mails, records):
    def published(name: bytes, timeout: int) -> bytes:  # noqa: ARG001  dkimpy names its arguments
        return str(records[name.decode().rstrip(".")]).encode()

    assert len(mails) >= 20
    for mail in mails.values():
        judge = dkim.DKIM(mail.data)
        assert [judge.verify(number, dnsfunc=published) for number in range(2)] == [True, True], mail.subject
        assert mail.data.count(b"DKIM-Signature:") == 2


def test_mailauth_believes_them_and_mailparser_reads_what_python_reads(mails, records):
    found = or_skip(lambda: node({name: mail.data for name, mail in mails.items()}, keys=records))
    for name, mail in mails.items():
        signatures, parsed = found[name]["signatures"], found[name]["parsed"]
        assert {(one["selector"], one["algorithm"], one["result"]) for one in signatures} == SIGNATURES, mail.subject
        assert (parsed["subject"], parsed["message_id"]) == (mail.subject, mail.id)
        assert parsed["to"][0][1] == mail.recipient
        assert parsed["text"].split() == mail.part("plain").split()
        assert parsed["html"].split() == mail.part("html").split()


def test_spamassassin_finds_nothing_against_them(mails):
    kinds = {(mail.header_bytes("List-Id"), mail.header_bytes("Content-Language")): mail for mail in mails.values()}
    scores = or_skip(lambda: spamassassin({mail.subject: mail.data for mail in kinds.values()}))
    assert {subject: score.against for subject, score in scores.items() if score.points > 0.1} == {}
