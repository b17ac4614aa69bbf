"""What making one reader's message costs, beside the ways that people use, on one core, in turns.

    python -m tests.bench.bench_making [--write] [--rounds N]

The message is a digest of ten stories, about 30 KB on the wire. Peers, in the same run, of the same words:
`EmailMessage.as_bytes` of the standard library, Jinja2 and css-inline for each reader, and dkimpy. Before anything is
measured, dkimpy has to find our signatures sound, and the standard library to read the same words out of our bytes.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from functools import partial
from importlib.metadata import version
from typing import Final

import dkim
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.bench.page import conditions, table, write_section
from worker.content import DigestContent, Section
from worker.deliverability.dkim_keys import Algorithm, new_private_key, public_key
from worker.letters import Letters
from worker.model import DeliveryId, EditionKind, Form, Lane, OutgoingMessage, Severity
from worker.rendering import samples
from worker.rendering.cards import card_view
from worker.rendering.compile import Renderer
from worker.rendering.signing import ED25519, RSA, Signer, read_key
from worker.rendering.skeleton import _quoted_before as quoted_before
from worker.store.copies import DueDelivery
from worker.tokens import Tokens

_TURN_S: Final = 0.05
_FEWER: Final = 6
_READERS: Final = 2_000
_DIGESTS: Final = 2_000
_NOW: Final = datetime.now(UTC)
_DOMAIN: Final = "courier.example"
_PEMS: Final = {RSA: new_private_key(Algorithm.RSA), ED25519: new_private_key(Algorithm.ED25519)}
_FIELDS: Final = (
    b"from", b"to", b"subject", b"date", b"message-id", b"list-id", b"list-unsubscribe", b"list-unsubscribe-post",
    b"list-help", b"list-archive", b"feedback-id", b"content-language", b"mime-version", b"content-type",
)  # fmt: skip
_ABOUT: Final = """\
A digest of ten stories for one reader: {size} bytes, {headers} of them header. Ours is everything from the row of the
database to the finished message, links and return path signed. *Plain* renders our own templates with Jinja2 and
css-inline for each reader and serialises with `EmailMessage`. Time is the processor's; a ratio is the median of
{rounds} pairs in turns."""


def content(stories: int = 10) -> DigestContent:
    cards = itertools.islice(itertools.cycle(samples.cards_of("en")), stories)
    cut = [card.model_copy(update={"summary": card.summary[:60], "highlights": (), "also_in": ()}) for card in cards]
    sections = tuple(
        Section(topic=f"Topic {number}", slug=f"topic-{number}", cards=tuple(cut[number * 5 : number * 5 + 5]))
        for number in range((stories + 4) // 5)
    )
    return DigestContent(locale="en", day=samples.DAY, sections=sections)


def rows(frozen: str) -> list[DueDelivery]:
    return [
        DueDelivery(
            id=DeliveryId(1_000_000 + number),
            edition_id=77,
            edition_kind=EditionKind.DIGEST,
            severity=Severity.NORMAL,
            lane=Lane.BULK,
            expires_at=_NOW + timedelta(hours=12),
            planned_at=_NOW,
            attempts=0,
            content_id=5,
            content=frozen,
            subscriber_id=500_000 + number,
            recipient=f"reader{number}@readers.example",
            domain="readers.example",
            name=f"Reader {number}",
            message_id=f"77.{1_000_000 + number}.1795676400@{_DOMAIN}",
            in_reply_to="",
            confirmations=1,
            provider="",
            code=None,
            avoid="",
        )
        for number in range(_READERS)
    ]


def letters(*algorithms: str) -> Letters:
    newsroom = samples.newsroom("en")
    keys = [read_key(_PEMS[name], selector=name, algorithm=name, name=name) for name in algorithms]
    signer = Signer(domain=_DOMAIN, keys=keys) if keys else None
    renderer = Renderer(newsroom=newsroom, signer=signer)
    return Letters(renderer=renderer, tokens=Tokens(["k" * 40]), newsroom=newsroom)


def serialised(row: DueDelivery, message: OutgoingMessage) -> bytes:
    """Write with the standard library what `message` says in parts."""
    assert message.parts
    parts, mail = message.parts, EmailMessage(policy=policy.SMTP)
    mail["From"] = Address(parts.from_name, addr_spec=parts.from_address)
    mail["To"] = Address(parts.to_name, addr_spec=row.recipient)
    mail["Subject"], mail["Date"], mail["Message-ID"] = parts.subject, row.planned_at, f"<{row.message_id}>"
    for name, value in parts.headers:
        mail[name] = value
    mail.set_content(parts.text)
    mail.add_alternative(parts.html, subtype="html")
    return mail.as_bytes()


def plain(row: DueDelivery, message: OutgoingMessage, renderer: Renderer, digest: DigestContent) -> bytes:
    renderer._fragments.leaf.cache_clear()
    card_view.cache_clear()
    face = renderer._face(digest, renderer._languages.best("en"))
    assert face.html.read.holes
    return serialised(row, message)


def raw(pem: bytes) -> bytes:
    """Return an Ed25519 key as dkimpy wants it."""
    key = load_pem_private_key(pem, password=None)
    return base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def dkimpy(data: bytes, algorithm: str) -> bytes:
    key = raw(_PEMS[ED25519]) if algorithm == ED25519 else _PEMS[RSA]
    signed = dkim.sign(
        data,
        algorithm.encode(),
        _DOMAIN.encode(),
        key,
        canonicalize=(b"relaxed", b"simple"),
        include_headers=list(_FIELDS),
        signature_algorithm=algorithm.encode(),
    )
    return bytes(signed)


def check(signed: bytes, whole: bytes, peer: bytes) -> None:
    """Demand that ours are sound and say what the peer's says."""
    records = {f"{a}._domainkey.{_DOMAIN}.".encode(): public_key(pem).record.encode() for a, pem in _PEMS.items()}

    def dns(name: bytes, timeout: int) -> bytes:  # noqa: ARG001  dkimpy names it
        return records[name]

    for index in range(2):
        if not dkim.DKIM(signed).verify(idx=index, dnsfunc=dns):
            raise SystemExit("dkimpy refuses a signature of ours")
    ours, theirs = (message_from_bytes(data, policy=policy.default) for data in (whole, peer))
    for subtype in ("plain", "html"):
        bodies = [mail.get_body((subtype,)) for mail in (ours, theirs)]
        said = {body.get_content().replace("\r\n", "\n").rstrip() for body in bodies if body}
        if len(said) != 1:
            raise SystemExit(f"the {subtype} part is not the peer's")


def a_turn(work: Callable[[int], object]) -> float:
    """Return the processor's microseconds for one message, over a turn of fifty milliseconds."""
    done, began_s = 0, time.process_time()
    while not done or time.process_time() - began_s < _TURN_S:
        for _ in range(10):
            work(done % _READERS)
            done += 1
    return 1e6 * (time.process_time() - began_s) / done


def in_turns(ours: Callable[[int], object], theirs: Callable[[int], object], rounds: int) -> tuple[float, float, float]:
    """Return our and their microseconds, and the median of the pairs' ratios."""
    pairs = [(a_turn(ours), a_turn(theirs)) for _ in range(rounds)]
    our_us, their_us = zip(*pairs, strict=True)
    ratio = statistics.median(their / our for our, their in pairs)
    return statistics.median(our_us), statistics.median(their_us), ratio


def lines(rounds: int) -> Iterator[str]:
    digest = content()
    readers = rows(digest.model_dump_json())
    unsigned, both = letters(), letters(RSA, ED25519)
    one = {algorithm: letters(algorithm) for algorithm in (RSA, ED25519)}
    renderer = Renderer(newsroom=samples.newsroom("en"))
    parts = [unsigned.write(row, Form.PARTS) for row in readers]
    wholes = [unsigned.write(row).data for row in readers]
    check(both.write(readers[0]).data, wholes[0], serialised(readers[0], parts[0]))

    def against(what: str, us: Letters, peer: str, theirs: Callable[[int], object]) -> list[object]:
        ours_us, theirs_us, ratio = in_turns(lambda n: us.write(readers[n]), theirs, rounds)
        return [what, f"{ours_us:,.1f}", f"{1e6 / ours_us:,.0f}", peer, f"{theirs_us:,.1f}", f"**{ratio:,.1f}**"]

    head = wholes[0].index(b"\r\n\r\n")
    yield _ABOUT.format(size=f"{len(wholes[0]):,}", headers=f"{head:,}", rounds=rounds)
    yield table(
        ["one message", "µs", "a second", "peer", "µs", "ratio"],
        [
            against("not signed", unsigned, "`EmailMessage.as_bytes`", lambda n: serialised(readers[n], parts[n])),
            against("not signed", unsigned, "plain", lambda n: plain(readers[n], parts[n], renderer, digest)),
            against("Ed25519", one[ED25519], "dkimpy, signing only", lambda n: dkimpy(wholes[n], ED25519)),
            against("RSA-2048", one[RSA], "dkimpy, signing only", lambda n: dkimpy(wholes[n], RSA)),
            against(
                "both signatures", both, "plain, dkimpy twice",
                lambda n: dkimpy(dkimpy(plain(readers[n], parts[n], renderer, digest), RSA), ED25519),
            ),
        ],
    )  # fmt: skip
    yield smaller(rounds)
    yield "### What all readers of a content share"
    yield table(["a content", "ms", "contents a second"], compiling(digest))
    yield distinct(renderer)
    yield conditions(f"Jinja2 {version('jinja2')}, css-inline {version('css-inline')}, dkimpy {version('dkimpy')}")


def smaller(rounds: int) -> str:
    """Measure a message of about 25 KB, of fewer stories."""
    readers = rows(content(_FEWER).model_dump_json())
    makers = {"not signed": letters(), "with an Ed25519 signature": letters(ED25519)}
    size = len(makers["not signed"].write(readers[0]).data)
    said = []
    for how, us in makers.items():
        work = partial(_write, us, readers)
        said.append(f"{statistics.median(a_turn(work) for _ in range(rounds)):,.1f} µs {how}")
    return f"One of {_FEWER} stories, {size:,} bytes: {' and '.join(said)}."


def _write(us: Letters, readers: Sequence[DueDelivery], number: int) -> object:
    return us.write(readers[number])


def compiling(digest: DigestContent) -> list[list[object]]:
    """Return what compiling a digest of ten stories costs, from nothing, and of stories that others have told."""
    renderer = Renderer(newsroom=samples.newsroom("en"))

    def from_nothing(_: int) -> None:
        renderer._fragments.leaf.cache_clear()
        card_view.cache_clear()
        quoted_before.cache_clear()
        renderer.compile(digest)

    lead, *rest = digest.sections[0].cards
    others = [
        digest.model_copy(
            update={
                "sections": (
                    digest.sections[0].model_copy(update={"cards": (lead, *rest[at:], *rest[:at])}),
                    *digest.sections[1:],
                )
            }
        )
        for at in range(len(rest))
    ]
    for other in others:
        renderer.compile(other)
    said = (
        ("of ten stories, from nothing", from_nothing),
        ("of ten stories that others have told, in another order", lambda n: renderer.compile(others[n % len(others)])),
    )
    rows: list[list[object]] = []
    for what, work in said:
        us = min(a_turn(work) for _ in range(9))
        rows.append([what, f"{us / 1000:.2f}", f"{1e6 / us:,.0f}"])
    return rows


def distinct(renderer: Renderer) -> str:
    """Compile `_DIGESTS` different digests of 200 stories, and say what it took."""
    stories = [
        card.model_copy(update={"story_id": number, "title": f"{card.title} ({number})"})
        for number, card in enumerate(itertools.islice(itertools.cycle(samples.cards_of("en")), 200))
    ]
    chance = random.Random(7)
    digests = [
        DigestContent(
            locale="en",
            day=samples.DAY,
            sections=tuple(
                Section(topic=f"Topic {part}", slug=f"topic-{part}", cards=tuple(chance.sample(stories, 5)))
                for part in range(2)
            ),
        )
        for _ in range(_DIGESTS)
    ]
    renderer._fragments.leaf.cache_clear()
    began_s = time.process_time()
    keys = {renderer.compile(digest).composition.key for digest in digests}
    each_ms = 1000 * (time.process_time() - began_s) / len(digests)
    made = renderer._fragments.leaf.cache_info()
    return (
        f"{len(keys):,} different digests of ten out of {len(stories)} stories: {made.misses:,} fragments were made, "
        f"and put into {made.hits + made.misses:,} places; {each_ms:.2f} ms a digest in all."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of turns for each line")
    chosen = parser.parse_args()
    text = "\n\n".join(lines(chosen.rounds))
    sys.stdout.write(f"{text}\n")
    if chosen.write:
        write_section("making", text)


if __name__ == "__main__":
    main()
