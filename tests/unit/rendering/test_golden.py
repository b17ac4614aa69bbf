"""Golden mails: every kind in every language, as HTML and as text, exactly; and the hash of each whole, signed message.

To renew them after a change that you have looked at (`tocsin render`, or the screenshots' test):

    TOCSIN_RENEW_GOLDEN=1 pytest tests/unit/rendering/test_golden.py

and read the difference that version control shows before you commit it.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.signing import ED25519, Signer, read_key

GOLDEN = Path(__file__).parent / "golden"
HASHES = GOLDEN / "messages.sha256"


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_mail_looks_as_it_did_when_somebody_last_looked(kind, locale):
    mail = Renderer(newsroom=samples.newsroom(locale)).compile(samples.content(kind, locale))
    personal = samples.personal(kind, locale)
    subject = f"Subject: {mail.subject(personal)}\n\n"
    for file, face in {
        f"{kind}-{locale}.html": mail.mailed_html(personal),
        f"{kind}-{locale}.txt": subject + mail.text(personal),
    }.items():
        if os.environ.get("TOCSIN_RENEW_GOLDEN"):
            (GOLDEN / file).write_text(face, encoding="utf-8", newline="\n")
        assert face == (GOLDEN / file).read_text(encoding="utf-8")


def signer():
    """The same key in every run: Ed25519 makes the same signature of the same bytes (RFC 8032)."""
    pem = Ed25519PrivateKey.from_private_bytes(bytes(32)).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return Signer(
        domain="courier.example", keys=[read_key(pem, selector="golden", algorithm=ED25519, name="the golden key")]
    )


def test_a_signed_message_has_the_bytes_that_it_had():
    made = []
    for locale in samples.LOCALES:
        renderer = Renderer(newsroom=samples.newsroom(locale), signer=signer())
        for kind in samples.KINDS:
            message = renderer.compile(samples.content(kind, locale)).fill(samples.personal(kind, locale))
            made.append(f"{sha256(message).hexdigest()}  {kind}-{locale}.eml\n")
    if os.environ.get("TOCSIN_RENEW_GOLDEN"):
        HASHES.write_text("".join(made), encoding="ascii", newline="\n")
    assert made == HASHES.read_text(encoding="ascii").splitlines(keepends=True)


def test_there_is_no_golden_file_that_nobody_compares():
    wanted = {f"{kind}-{loc}.{form}" for kind in samples.KINDS for loc in samples.LOCALES for form in ("html", "txt")}
    assert {file.name for file in GOLDEN.iterdir()} == wanted | {HASHES.name}
