"""DKIM, judged by dkimpy: every message that is made here verifies, and none that was changed on its way."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import cache
from hashlib import sha256
from types import SimpleNamespace

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.deliverability.dkim_keys import Algorithm, new_private_key, public_key
from worker.errors import ConfigurationError
from worker.model import Pieces
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.signing import ED25519, RSA, Signer, is_aligned, read_key

_FIELDS = {
    "confirmation": 11,
    **dict.fromkeys(samples.LETTERS, 11),
    "goodbye": 11,
    "digest": 15,
    "away": 15,
    "newsletter": 15,
    "update": 18,
    "correction": 18,
    "retraction": 18,
}
EACH = pytest.mark.parametrize(("kind", "locale"), [(k, loc) for k in samples.KINDS for loc in samples.LOCALES])
AT = datetime(2026, 11, 23, 7, tzinfo=UTC)


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


PEMS = {RSA: new_private_key(Algorithm.RSA), ED25519: new_private_key(Algorithm.ED25519)}
KEYS = [read_key(data, selector=f"s-{algorithm}", algorithm=algorithm, name="key") for algorithm, data in PEMS.items()]
DNS = {
    f"s-{algorithm}._domainkey.courier.example.".encode(): public_key(data).record.encode()
    for algorithm, data in PEMS.items()
}


@cache
def renderer(locale: str, *algorithms: str) -> Renderer:
    chosen = [key for key in KEYS if not algorithms or key.algorithm in algorithms]
    return Renderer(newsroom=samples.newsroom(locale), signer=Signer(domain="courier.example", keys=chosen))


@pytest.fixture(autouse=True)
def _dkimpy_takes_any_day(monkeypatch):
    """The samples are of November 2026; it refuses signatures of a later day than its own."""
    monkeypatch.setattr(dkim, "time", SimpleNamespace(time=lambda: 4_102_444_800))


def judge(data: bytes, signatures: int = 2) -> int:
    """Return how many signatures dkimpy finds sound, given the records that `tocsin dkim` prints."""

    def dns(name, timeout):  # noqa: ARG001  dkimpy names it
        return DNS[name]

    sound = 0
    for index in range(signatures):
        try:
            sound += dkim.DKIM(data).verify(idx=index, dnsfunc=dns)
        except dkim.DKIMException:
            continue
    return sound


def message(kind="digest", locale="en", **changes) -> bytes:
    mail = renderer(locale).compile(samples.content(kind, locale))
    return mail.fill(samples.personal(kind, locale)._replace(**changes))


@EACH
def test_every_mail_carries_two_sound_signatures_and_the_same_ones_on_every_try(kind, locale):
    data = message(kind, locale)
    assert judge(data) == 2
    assert data == message(kind, locale)
    assert data.endswith(
        Renderer(newsroom=samples.newsroom(locale))
        .compile(samples.content(kind, locale))
        .fill(samples.personal(kind, locale))
    )
    assert b" t=1795417200;" in data


@pytest.mark.parametrize("algorithm", [RSA, ED25519])
def test_one_key_makes_one_signature(algorithm):
    mail = renderer("en", algorithm).compile(samples.content("alert", "en"))
    data = mail.fill(samples.personal("alert", "en"))
    assert (data.count(b"DKIM-Signature:"), judge(data, 1)) == (1, 1)


NAMES = st.lists(
    st.sampled_from(["북한군", "é" * 30, "A" * 70, ",", '"', "  ", "=?x?=", "Ada"]) | st.text(max_size=9), max_size=9
)


@settings(max_examples=40, deadline=None)
@given(
    name=NAMES.map(" ".join),
    subject=NAMES.map("  ".join),
    recipient=st.sampled_from(["mina@straße.example", "미나@뉴스.example", "m@x.example"]),
)
def test_whatever_people_are_called_the_signatures_hold(name, subject, recipient):
    card = samples.cards_of("ko")[0].model_copy(update={"title": subject})
    content = samples.content("alert", "ko").model_copy(update={"card": card})
    data = (
        renderer("ko").compile(content).fill(samples.personal("alert", "ko")._replace(name=name, recipient=recipient))
    )
    assert judge(data) == 2
    assert max(map(len, data.split(b"\r\n"))) <= 998
    signatures, _, _ = data.partition(b"\r\nFrom:")
    assert max(map(len, signatures.split(b"\r\n"))) <= 78


def test_the_signatures_outlive_new_folding_and_trace_fields_on_the_way():
    data = message(name="Mina Seo")
    refolded = data.replace(b"To: Mina Seo <", b"to:\tMina   Seo\r\n\t<").replace(b"Subject: ", b"SUBJECT:  ")
    assert refolded != data
    assert (
        judge(b"Received: by relay.example; Mon, 23 Nov 2026 07:00:09 +0000\r\nFeedback-ID: 1.eu:relay\r\n" + refolded)
        == 2
    )


def fields(data: bytes) -> list[bytes]:
    head, _, _ = data.partition(b"\r\n\r\n")
    return [line for line in re.split(rb"\r\n(?![ \t])", head) if not line.startswith(b"DKIM-Signature")]


@pytest.mark.parametrize("kind", samples.KINDS)
def test_no_field_can_be_changed_or_taken_out(kind):
    data = message(kind)
    assert len(fields(data)) == _FIELDS.get(kind, 16)
    for line in fields(data):
        name, value = line.split(b": ", 1)
        assert judge(data.replace(line, name + b": x" + value[1:])) == 0
        assert judge(data.replace(line + b"\r\n", b"")) == 0


@pytest.mark.parametrize(
    "added",
    [
        "From: x@evil.example",
        "Subject: x",
        "To: x@y.example",
        "Cc: x@y.example",
        "Reply-To: x@evil.example",
        "Content-Type: text/html",
    ],
)
@pytest.mark.parametrize("where", ["above", "below"])
def test_no_second_field_can_be_added_that_readers_see(added, where):
    house = samples.newsroom("en").model_copy(update={"reply_to": ""})
    signer = Signer(domain="courier.example", keys=KEYS)
    data = (
        Renderer(newsroom=house, signer=signer)
        .compile(samples.content("alert", "en"))
        .fill(samples.personal("alert", "en"))
    )
    assert judge(data) == 2
    line = f"{added}\r\n".encode()
    assert judge(line + data if where == "above" else data.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n", 1)) == 0


def test_no_byte_of_the_body_can_be_changed():
    data = message("alert")
    start = data.index(b"\r\n\r\n") + 4
    for at in range(start, len(data) - 2, 997):
        assert judge(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) == 0
    assert judge(data + b"more\r\n") == 0
    assert judge(data + b"\r\n\r\n") == 2  # simple canonicalisation ignores empty lines at the end


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"\r\n\r\n", b"a", b"a\r\n", b"a\r\n\r\n\r\n", b"\r\na  \r\n", b" \r\n"]
)
def test_a_body_s_end_is_canonicalised_as_the_standard_says(body):
    lines = [("From", Pieces(literals=("news@courier.example",), holes=()))]
    for begin in range(len(body) + 1):
        seal = Signer(domain="courier.example", keys=KEYS).seal(lines, opening=body[:begin])
        above = seal.sign({}, body=body, at=AT)
        assert judge(above + b"From: news@courier.example\r\n\r\n" + body) == 2


@given(seed=st.binary(min_size=32, max_size=32), data=st.binary(max_size=200))
def test_ed25519_by_libsodium_makes_the_bytes_that_openssl_makes(seed, data):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    signing = read_key(pem(key), selector="e1", algorithm=ED25519, name="key")
    assert signing.sign(data) == key.sign(sha256(data).digest())


def test_a_key_is_never_printed():
    assert "lambda" not in repr(KEYS)


@pytest.mark.parametrize(
    ("data", "algorithm", "complaint"),
    [
        (b"", RSA, "no private key in PEM that can be read: make one with .tocsin dkim new"),
        (b"hello", ED25519, "no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", RSA, "no private key in PEM"),
        (PEMS[ED25519], RSA, "of another kind than rsa-sha256 needs"),
        (PEMS[RSA], ED25519, "of another kind than ed25519-sha256 needs"),
        (pem(ec.generate_private_key(ec.SECP256R1())), ED25519, "of another kind than ed25519-sha256 needs"),
        (pem(rsa.generate_private_key(65537, 1024)), RSA, "a key of 1024 bits is too short"),
        (pem(ed25519.Ed25519PrivateKey.generate(), BestAvailableEncryption(b"secret")), ED25519, "is encrypted"),
    ],
)  # fmt: skip
def test_a_key_that_is_of_no_use_is_refused_by_its_name(data, algorithm, complaint):
    with pytest.raises(ConfigurationError, match=rf"^dkim\.pem: .*{complaint}"):
        read_key(data, selector="s1", algorithm=algorithm, name="dkim.pem")


@pytest.mark.parametrize("selector", ["", "a b", "s1;", "-a", "a..b", "é"])
def test_a_selector_that_dns_cannot_hold_is_refused(selector):
    with pytest.raises(ConfigurationError, match="no name for DNS"):
        read_key(b"", selector=selector, algorithm=RSA, name="dkim.pem")


@pytest.mark.parametrize(
    ("domain", "sender", "aligned"),
    [
        ("courier.example", "news@courier.example", True),
        ("mail.courier.example", "news@news.courier.example", True),
        ("COURIER.example", "news@courier.EXAMPLE", True),
        ("mailer.example", "news@courier.example", False),
        ("courier.example.mailer.example", "news@courier.example", False),
    ],
)
def test_a_domain_that_cannot_speak_for_the_sender_is_known(domain, sender, aligned):
    assert is_aligned(domain, parseaddr(sender)[1].rpartition("@")[2]) is aligned
