"""Mails full of hostile words, read back by Python, mailparser and mailauth exactly as they were written.

A few here, and a thousand where there is time (`make test-slow`): every kind and language in turn, signed, from seeds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.mail.conftest import DOMAIN, or_skip
from tests.contract.mail.judges import node
from tests.hostile import Source, forged
from tests.sound import assert_sound, expected_fields, named
from worker.rendering.fields import addr_spec, display_name
from worker.rendering.mail import CompiledMail
from worker.rendering.signing import ED25519, Signer, read_key

pytestmark = pytest.mark.timeout(900)  # the judges from npm are installed once

_FEW = 60
_MANY = 1_000


@pytest.fixture(scope="session")
def signer(pems: Mapping[str, bytes]) -> Signer:
    return Signer(domain=DOMAIN, keys=[read_key(pems["ed1"], selector="ed1", algorithm=ED25519, name="ed1")])


def test_hostile_mails_are_read_back_as_they_were_written(signer, keys):
    assert_read_back(range(_FEW), signer, keys)


@pytest.mark.slow
def test_a_thousand_hostile_mails_are_read_back_as_they_were_written(signer, keys):
    assert_read_back(range(_FEW, _FEW + _MANY), signer, keys)


def assert_read_back(seeds: range, signer: Signer, keys: Mapping[str, str]) -> None:
    made: dict[str, tuple[Source, CompiledMail, bytes]] = {}
    for seed in seeds:
        source = forged(seed)
        mail = source.compiled(signer)
        data = mail.fill(source.personal)
        assert_sound(data, mail, source)
        made[f"{seed} {source.kind}"] = source, mail, data
    judged = or_skip(lambda: node({name: data for name, (_, _, data) in made.items()}, keys=keys, timeout_s=600))
    for name, (source, mail, _) in made.items():
        assert expected(source, mail) == seen(judged[name]), name


def expected(source: Source, mail: CompiledMail) -> dict[str, Any]:
    """Return what a reader's program must make of a mail."""
    person, house = source.personal, mail.newsroom
    return {
        "subject": mail.subject(person),
        "text": lines(mail.text(person)),
        "html": lines(mail.mailed_html(person)),
        "to": [[display_name(named(mail, source)), addr_spec(person.recipient)]],
        "from": [[display_name(house.from_name), addr_spec(house.from_address)]],
        "reply_to": [[display_name(house.from_name), addr_spec(house.reply_to)]] if house.reply_to else [],
        "message_id": f"<{person.message_id}>",
        "attachments": 0,
        "fields": sorted(["dkim-signature", *map(str.lower, expected_fields(source))]),
        "signatures": ["pass"],
    }


def seen(judged: Mapping[str, Any]) -> dict[str, Any]:
    """Return what mailparser and mailauth have made of it; how a domain is shown is their business."""
    parsed = judged["parsed"]
    people = {
        field: [[name, addr_spec(address)] for name, address in parsed[field]] for field in ("to", "from", "reply_to")
    }
    return {
        **people,
        "subject": parsed["subject"],
        "text": lines(parsed["text"]),
        "html": lines(parsed["html"]),
        "message_id": parsed["message_id"],
        "attachments": parsed["attachments"],
        "fields": sorted(parsed["fields"]),
        "signatures": [one["result"] for one in judged["signatures"]],
    }


def lines(text: str) -> list[str]:
    """Return a text's lines; how they end, and whether the last one does, is no part of it."""
    return re.split(r"\r\n|\n", text.rstrip("\r\n"))
