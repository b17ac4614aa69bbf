"""rspamd and SpamAssassin find nothing against any mail; and SPF, DKIM and DMARC pass by the records that we advise."""

from __future__ import annotations

import pytest

from tests.contract.mail.conftest import COUNTED, RELAY, RELAY_ADDRESS, Posted, or_skip
from tests.contract.mail.judges import Rspamd, Score, spamassassin
from worker.rendering import samples

pytestmark = pytest.mark.timeout(600)  # the filters start slowly where much else is going on

KINDS = [*samples.KINDS, *(f"{kind}-counted" for kind in COUNTED)]
MAILS = [f"{kind}-{locale}" for kind in KINDS for locale in samples.LOCALES]
_ODD = "URI_COUNT_ODD"  # a point for an odd number of links in the HTML: how many stories there are decides about it
# The tests' own string for filters: https://spamassassin.apache.org/gtube/
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def spam(posted: Posted) -> bytes:
    head, _, _ = posted.received.partition(b"\r\nContent-Type: ")
    return head + b"\r\nContent-Type: text/plain\r\n\r\n" + GTUBE + b"\r\n"


def asked(judge: Rspamd, posted: Posted, data: bytes | None = None) -> Score:
    return judge.score(
        data or posted.received,
        sender=posted.envelope_from,
        recipient=posted.recipient,
        address=RELAY_ADDRESS,
        host=RELAY,
    )


@pytest.mark.parametrize("mail", MAILS)
def test_rspamd_finds_nothing_against_a_mail(rspamd, post, mail):
    score = asked(rspamd, post[mail])
    assert score.points - score.rules.get(_ODD, 0) < 0, score.against
    assert {"R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"} <= score.rules.keys()


def test_rspamd_believes_both_keys_and_no_changed_mail(rspamd, post):
    posted = post["digest-en"]
    changed = posted.received.replace(b"Subject: ", b"Subject: Re: ", 1)
    assert "R_DKIM_REJECT" in asked(rspamd, posted, changed).rules


def test_rspamd_knows_spam_when_it_sees_it(rspamd, post):
    assert asked(rspamd, post["digest-en"], spam(post["digest-en"])).points > 5


@pytest.fixture(scope="module")
def scores(post):
    messages = {name: posted.received for name, posted in post.items()}
    return or_skip(lambda: spamassassin({**messages, "spam": spam(post["digest-en"])}))


@pytest.mark.parametrize("mail", MAILS)
def test_spamassassin_finds_nothing_against_a_mail(scores, mail):
    assert scores[mail].points <= 0.1, scores[mail].against


def test_spamassassin_knows_spam_when_it_sees_it(scores):
    assert scores["spam"].points > 5
