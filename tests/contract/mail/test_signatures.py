"""Both signatures of every mail hold, for dkimpy and for mailauth, and for neither once a word is changed."""

from __future__ import annotations

import dkim
import pytest

from tests.contract.mail.conftest import DOMAIN
from worker.rendering import samples

pytestmark = pytest.mark.timeout(600)  # the judges from npm are installed once

MAILS = [f"{kind}-{locale}" for kind in samples.KINDS for locale in samples.LOCALES]
SIGNATURES = {("rsa1", "rsa-sha256"), ("ed1", "ed25519-sha256")}


def by_dkimpy(data: bytes, keys: dict[str, str]) -> list[bool]:
    def published(name: bytes, timeout: int) -> bytes:  # noqa: ARG001  dkimpy names its arguments
        return keys[name.decode().rstrip(".")].encode()

    judge = dkim.DKIM(data)
    return [judge.verify(number, dnsfunc=published) for number in range(data.count(b"DKIM-Signature:"))]


@pytest.mark.parametrize("mail", MAILS)
def test_dkimpy_believes_both_signatures(post, keys, mail):
    assert by_dkimpy(post[mail].data, keys) == [True, True]


@pytest.mark.parametrize("mail", MAILS)
def test_mailauth_believes_both_signatures(mailauth_and_mailparser, mail):
    found = mailauth_and_mailparser[mail]["signatures"]
    assert {(one["selector"], one["algorithm"]) for one in found} == SIGNATURES
    assert {(one["result"], one["domain"]) for one in found} == {("pass", DOMAIN)}, found


@pytest.mark.parametrize("mail", MAILS)
def test_no_signature_holds_for_a_mail_that_was_changed(mailauth_and_mailparser, post, keys, mail):
    found = mailauth_and_mailparser[f"{mail} changed"]["signatures"]
    assert [one["result"] for one in found] == ["fail", "fail"]
    assert by_dkimpy(post[mail].data.replace(b"Subject: ", b"Subject: Re: ", 1), keys) == [False, False]


@pytest.mark.parametrize("added", [b"Subject: Win!", b"From: boss@courier.example", b"To: all@reader.example"])
def test_no_signature_holds_once_a_second_such_field_is_added(post, keys, added):
    assert by_dkimpy(added + b"\r\n" + post["digest-en"].data, keys) == [False, False]
