"""One-click unsubscribe (RFC 8058) on the serialised bytes, not on what a forgiving parser makes of them."""

from __future__ import annotations

import re

import pytest

from worker.rendering import samples

pytestmark = pytest.mark.timeout(600)  # the judges from npm are installed once

LISTED = [f"{kind}-{locale}" for kind in samples.LISTED for locale in samples.LOCALES]


def head_of(data: bytes) -> list[bytes]:
    """Return the header's physical lines."""
    return data.partition(b"\r\n\r\n")[0].split(b"\r\n")


@pytest.mark.parametrize("mail", LISTED)
def test_the_fields_are_there_once_unfolded_and_unencoded(post, mail):
    head = head_of(post[mail].data)
    (unsubscribe,) = [number for number, line in enumerate(head) if line.lower().startswith(b"list-unsubscribe:")]
    assert re.fullmatch(rb"List-Unsubscribe: <https://[!-;=?-~]+>(, <mailto:[!-;=?-~]+>)?", head[unsubscribe])
    assert not head[unsubscribe + 1].startswith((b" ", b"\t"))
    assert b"=?" not in head[unsubscribe]
    assert head.count(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click") == 1
    assert len([line for line in head if line.lower().startswith(b"list-unsubscribe-post:")]) == 1


@pytest.mark.parametrize("mail", LISTED)
def test_every_signature_covers_both(post, mail):
    signatures = re.findall(rb"^DKIM-Signature:(?:.*\r\n[ \t])*.*", post[mail].data, re.MULTILINE)
    assert len(signatures) == 2
    for signature in signatures:
        (fields,) = re.findall(rb"\bh=([^;]*);", signature)
        signed = [name.strip().lower() for name in fields.split(b":")]
        assert {b"list-unsubscribe", b"list-unsubscribe-post", b"list-id", b"feedback-id"} <= {*signed}
        assert signed.count(b"from") == 2  # so that none can be added


@pytest.mark.parametrize("mail", LISTED)
def test_mailparser_knows_where_to_unsubscribe(mailauth_and_mailparser, post, mail):
    link = re.search(rb"^List-Unsubscribe: <(https://[^>]+)>", post[mail].data, re.MULTILINE)
    assert link
    assert mailauth_and_mailparser[mail]["parsed"]["list"]["unsubscribe"]["url"] == link[1].decode()


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", ["confirmation", "goodbye"])
def test_before_the_yes_and_after_the_farewell_nobody_is_on_a_list(post, kind, locale):
    assert b"\r\nList-" not in post[f"{kind}-{locale}"].data.partition(b"\r\n\r\n")[0]
