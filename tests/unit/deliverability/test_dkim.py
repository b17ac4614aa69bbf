from __future__ import annotations

import base64

import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.unit.deliverability.publisher import DOMAIN, published
from worker.deliverability.dkim_keys import Algorithm, new_private_key, public_key, published_key
from worker.deliverability.judge_dkim import judge_dkim
from worker.deliverability.publishing import Sender, Signature, dkim_record
from worker.health import Health

RSA = public_key(new_private_key(Algorithm.RSA))
ED25519 = public_key(new_private_key(Algorithm.ED25519))
NAME = f"s1._domainkey.{DOMAIN}"


def judged(*records: str, key=RSA):
    signature = Signature(domain=DOMAIN, selector="s1", key=key)
    sender = Sender(from_domain=DOMAIN, bounce_domain=DOMAIN, signatures=(signature,))
    return list(judge_dkim(sender, published({NAME: {"TXT": records}})))


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_the_record_that_we_advise_is_well(key):
    (finding,) = judged(dkim_record(Signature(domain=DOMAIN, selector="s1", key=key)).value, key=key)
    assert finding.health is Health.WELL
    assert finding.says == f"{NAME}: {key.algorithm}, {key.bits} bits, is our key"


@pytest.mark.parametrize(
    "record",
    [
        f"p={RSA.p}",
        f"k=rsa; p={RSA.p}; t=s",
        f"v=DKIM1; h=sha1:sha256; s=email; p={RSA.p[:80]} {RSA.p[80:]};",
        f"v=DKIM1;k=rsa;n=a note;p={RSA.p}",
    ],
)
def test_other_ways_to_write_the_same_record_are_well(record):
    assert [finding.health for finding in judged(record)] == [Health.WELL]


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ((), "is not published: our signatures do not count"),
        (("v=spf1 -all",), "holds no DKIM key, but other text"),
        (("v=DKIM1; p=", "v=DKIM1; p=x"), "has 2 keys"),
        (("v=DKIM1; k=rsa; p=",), "is revoked: its p= is empty"),
        ((f"v=DKIM1; k=ed25519; p={ED25519.p}",), "is for k=ed25519, and our key is rsa"),
        ((f"v=DKIM2; p={RSA.p}",), 'does not begin with "v=DKIM1"'),
        ((f"p={RSA.p}; v=DKIM1",), 'does not begin with "v=DKIM1"'),
        ((f"v=DKIM1; h=sha1; p={RSA.p}",), "allows h=sha1 only"),
        ((f"v=DKIM1; s=tlsrpt; p={RSA.p}",), "is for s=tlsrpt, not for email"),
        ((f"v=DKIM1; p={RSA.p[:220]}",), f"is cut off after 220 of {len(RSA.p)} characters"),
        ((f"v=DKIM1; p={public_key(new_private_key(Algorithm.RSA)).p}",), "has another key than the one"),
        (("v=DKIM1; p=no-base64!",), "has another key than the one"),
    ],
)
def test_a_record_by_which_no_signature_holds_is_ill_and_comes_with_the_right_one(records, says):
    (finding,) = judged(*records)
    assert finding.health is Health.ILL
    assert says in finding.says
    assert finding.advice.startswith(f"publish: {NAME}. IN TXT ")
    assert RSA.p in finding.advice.replace('" "', "")


def test_a_key_in_test_is_told():
    (finding,) = judged(f"v=DKIM1; t=y:s; p={RSA.p}")
    assert (finding.health, finding.part) == (Health.NOTE, "dkim")
    assert "t=y" in finding.says


def test_a_short_key_is_told():
    key = generate_private_key(65537, 1024)
    short = public_key(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    (finding,) = judged(f"p={short.p}", key=short)
    assert (finding.health, "our key has 1024 bits" in finding.says) == (Health.NOTE, True)


def test_mail_that_is_not_signed_here_may_be_signed_elsewhere():
    (finding,) = judge_dkim(Sender(from_domain=DOMAIN, bounce_domain=DOMAIN), published({}))
    assert finding.health is Health.NOTE
    assert "tocsin dkim new" in finding.advice


def test_an_rsa_key_is_known_in_both_of_its_spellings():
    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    bare = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert published_key("rsa", base64.b64encode(bare).decode()) == public_key(pem)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        generate_private_key(65537, 2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        ),
    ],
    ids=["empty", "damaged", "with a passphrase"],
)
def test_what_is_no_key_is_told_without_quoting_it(pem):
    with pytest.raises(ValueError, match="is no private key in PEM without a passphrase"):
        public_key(pem)


def test_a_long_record_is_several_strings_that_join_to_the_same_text():
    record = dkim_record(Signature(domain=DOMAIN, selector="s1", key=RSA))
    name, _, _, rest = record.line.split(" ", 3)
    (parsed,) = dns.rrset.from_text(name, 60, "IN", "TXT", rest)
    assert [len(string) for string in parsed.strings] == [255, len(record.value) - 255]
    assert b"".join(parsed.strings).decode() == record.value
