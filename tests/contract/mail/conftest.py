"""Mails of every kind, signed with both keys, and the judges that they go before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final, TypeVar

import pytest

from tests.contract.mail.judges import MissingError, Rspamd, node
from tests.dns_server import NameServer
from worker.content import AnyContent
from worker.deliverability.asking import Kind
from worker.deliverability.dkim_keys import Algorithm, new_private_key, public_key
from worker.deliverability.publishing import Sender, Signature, wanted
from worker.measures import TRAP
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.counted import Counted
from worker.rendering.mail import CompiledMail
from worker.rendering.signing import ED25519, RSA, Signer, read_key
from worker.tokens import Purpose, Tokens

DOMAIN: Final = "courier.example"
RELAY: Final = "relay.courier.example"
RELAY_ADDRESS: Final = "203.0.114.25"  # no address of the ranges for documents: filters know these
COUNTED: Final = ("alert", "digest")
"""Kinds that go before the judges a second time, with their opens and clicks counted."""

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """A mail as it leaves, with what was to be in it."""

    data: bytes
    subject: str
    text: str
    html: str
    recipient: str
    name: str
    sent_at: datetime
    envelope_from: str

    @property
    def message(self) -> EmailMessage:
        """What Python makes of it."""
        return message_from_bytes(self.data, policy=policy.default)

    @property
    def received(self) -> bytes:
        """The bytes as a filter sees them, behind the receiver's own trace."""
        trace = (
            f"Return-Path: <{self.envelope_from}>\r\n"
            f"Received: from {RELAY} ({RELAY} [{RELAY_ADDRESS}])\r\n\tby mx.reader.example with ESMTPS id 4XyZ12;\r\n"
            f"\t{format_datetime(self.sent_at)}\r\n"
        )
        return trace.encode() + self.data


def or_skip(make: Callable[[], Found]) -> Found:
    """Return what is made; skip the test where a judge is missing, which fails it in CI."""
    try:
        return make()
    except MissingError as missing:
        if os.environ.get("CI"):
            pytest.fail(f"CI must ask every judge: {missing}")
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def pems() -> dict[str, bytes]:
    """The private keys by selector."""
    return {"rsa1": new_private_key(Algorithm.RSA), "ed1": new_private_key(Algorithm.ED25519)}


@pytest.fixture(scope="session")
def sender(pems: Mapping[str, bytes]) -> Sender:
    """Who sends, as the doctor knows it."""
    signatures = tuple(Signature(domain=DOMAIN, selector=name, key=public_key(pem)) for name, pem in pems.items())
    return Sender(from_domain=DOMAIN, bounce_domain=DOMAIN, signatures=signatures, relays=(RELAY,))


@pytest.fixture(scope="session")
def keys(sender: Sender) -> dict[str, str]:
    """The DKIM records to publish, by name."""
    return {one.name: one.key.record for one in sender.signatures}


@pytest.fixture(scope="session")
def post(pems: Mapping[str, bytes]) -> dict[str, Posted]:
    """Every kind of mail in every language, by "kind-locale", signed and of this minute."""
    algorithms = {"rsa1": RSA, "ed1": ED25519}
    signing = [read_key(pem, selector=name, algorithm=algorithms[name], name=name) for name, pem in pems.items()]
    signer = Signer(domain=DOMAIN, keys=signing)
    now = datetime.now(UTC).replace(microsecond=0)
    posted = {}
    for locale in samples.LOCALES:
        renderer = Renderer(newsroom=samples.newsroom(locale), signer=signer)
        for kind in samples.KINDS:
            posted[f"{kind}-{locale}"] = _posted(renderer.compile(samples.content(kind, locale)), kind, locale, now)
        for kind in COUNTED:
            content = samples.content(kind, locale)
            counted = _counted(content, base_url=samples.newsroom(locale).base_url)
            posted[f"{kind}-counted-{locale}"] = _posted(renderer.compile(content, counted), kind, locale, now)
    return posted


def _counted(content: AnyContent, *, base_url: str) -> Counted:
    """Return addresses as an edition has them whose opens and clicks are counted."""
    sign = Tokens(["a key of more than thirty-two characters"]).sign
    links = {card.url: f"{base_url}/c/{sign(Purpose.CLICK, 4321, card.article_id)}" for card in content.all_cards()}
    pixel, trap = f"{base_url}/o/{sign(Purpose.OPEN, 4321)}.gif", f"{base_url}/c/{sign(Purpose.CLICK, 4321, TRAP)}"
    return Counted(links=links, pixel=pixel, trap=trap)


def _posted(mail: CompiledMail, kind: str, locale: str, now: datetime) -> Posted:
    personal = samples.personal(kind, locale)._replace(sent_at=now)
    return Posted(
        data=mail.fill(personal),
        subject=mail.subject(personal),
        text=mail.text(personal),
        html=mail.mailed_html(personal),
        recipient=personal.recipient,
        name=personal.name if kind in samples.EDITORIAL else "",
        sent_at=now,
        envelope_from=f"b.x7qm2vbt9skd4lw@{DOMAIN}",
    )


@pytest.fixture(scope="session")
def mailauth_and_mailparser(post: Mapping[str, Posted], keys: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What these two make of every mail, and of a copy of each that somebody changed on the way."""
    messages = {name: one.data for name, one in post.items()}
    changed = {f"{name} changed": data.replace(b"Subject: ", b"Subject: Re: ", 1) for name, data in messages.items()}
    return or_skip(lambda: node({**messages, **changed}, keys=keys))


@pytest.fixture(scope="session")
def name_server(sender: Sender) -> Iterator[NameServer]:
    """A DNS that has what the doctor says is to be published, and the hosts that this names."""
    zone = {name: [f"A {RELAY_ADDRESS}"] for name in (RELAY, f"mail.{DOMAIN}", f"news.{DOMAIN}")}
    for record in wanted(sender):
        value = record.line.split(f" IN {record.kind} ", 1)[1]
        zone.setdefault(record.name, []).append(f"{record.kind} {value}")
    assert {kind for records in zone.values() for kind in (one.split()[0] for one in records)} == {*Kind} - {"AAAA"}
    with NameServer(zone) as server:
        yield server


@pytest.fixture(scope="session")
def rspamd(name_server: NameServer) -> Iterator[Rspamd]:
    """An rspamd that believes that DNS."""
    with or_skip(lambda: Rspamd(name_server.address)) as judge:
        yield judge
