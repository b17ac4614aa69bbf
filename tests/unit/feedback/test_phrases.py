"""What mail servers say at the door, in their own words, and what each is understood as."""

from __future__ import annotations

import pytest

from worker.feedback.mail.judge import Evidence, judge
from worker.feedback.mail.phrases import reason_in

SAID = {
    "user_unknown": [
        "550 5.1.1 <jo@example.org>: Recipient address rejected: User unknown in local recipient table",
        "550 No such user here",
        "550 Invalid recipient jo@example.org (Mode: normal)",
        "550 jo@example.org... No such user",
        "554 delivery error: dd This user doesn't have a yahoo.com account (jo@yahoo.example) [0]",
        "550 Requested action not taken: mailbox unavailable",
        "550 #5.1.0 Address rejected.",
        "550 jo@example.org is not a valid mailbox",
        "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
        "550 Unknown local part jo in <jo@example.org>",
        "550 sorry, no mailbox here by that name (#5.1.1 - chkusr)",
        "550 unknown or illegal alias: jo@example.org",
        "550 Account jo does not exist at the organization",
        "501 Addressee unknown",
        "550 Not our Customer",
        "550 Recipient not found. <jo@example.org>",
        "550 Utilisateur inconnu !",
        "550 Empfaenger: Empfänger unbekannt",
        "550 No existe ese usuario",
        "550 Нет такого пользователя",
    ],
    "mailbox_full": [
        "452 4.2.2 The email account that you tried to reach is over quota",
        "552 5.2.2 Mailbox full",
        "550 Mailbox quota exceeded",
        "554 user has exceeded quota, bouncing mail",
        "552 Requested mail action aborted: exceeded storage allocation",
        "550 The recipient's mailbox is over its storage limit",
        "552 5.1.1 user is over the quota",
        "552 Das Postfach ist voll",
        "550 Boite du destinataire pleine",
        "552 用户邮箱空间不足",
    ],
    "host_unknown": [
        "550 Host unknown",
        "Recipient address rejected: Domain not found",
        "No such domain at this location",
        "Host or domain name not found. Name service error for name=example.org type=A: Host not found",
        "all relevant MX records point to non-existent hosts",
        "The domain exmaple.org doesn't exist",
        "DNS Error: Domain name not found",
    ],
    "suspended": [
        "550 5.2.1 The email account that you tried to reach is disabled",
        "550 Account has been suspended",
        "554 This account has been disabled or discontinued",
        "550 Mailbox is frozen",
        "due to extended inactivity new mail is not currently being accepted for this mailbox",
        "550 5.2.1 mailbox disabled, not accepting messages",
    ],
    "too_big": ["552 5.3.4 Message size exceeds fixed limit", "552 message too large", "550 max message size exceeded"],
    "spam": [
        "550 This message was classified as SPAM and may not be delivered",
        "554 5.7.1 Message rejected due to spam content",
        "550 Message contains phishing",
        "550 high probability of spam",
    ],
    "blocked": [
        "554 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org",
        "550 Your IP has been blacklisted",
        "421 host not allowed: 192.0.2.10 has a poor reputation",
        "550 SC-001 mail rejected by policy; your IP is on a block list",
    ],
    "authentication": [
        "550 Unauthenticated email is not accepted due to domain's DMARC policy",
        "550 SPF check failed",
        "550 Helo command rejected: Host not found",
        "450 Client host rejected: cannot find your hostname",
        "554 IP name possibly forged, no PTR record found",
    ],
    "policy": [
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "554 <jo@example.org>: Relay access denied",
        "550 Sender address rejected: Domain not found",
        "550 Sender verify failed: no such user",
        "550 Message refused by local policy",
        "550 You are not allowed to post to this mailing list",
    ],
    "rate_limited": [
        "421 Too many connections from your host",
        "450 The user you are trying to contact is receiving mail too quickly",
        "421 4.7.0 temporarily deferred due to unexpected volume or user complaints",
    ],
    "greylisted": ["450 Greylisted, please come back later", "451 Recipient address rejected: Greylisting in effect"],
    "filtered": ["550 User's mailbox rules: recipient refuses to accept your mail by preference"],
    "network": [
        "connect to mx.example.org[192.0.2.25]:25: Connection refused",
        "lost connection with mx.example.org while sending RCPT TO",
        "Name service error for name=example.org type=MX: Host not found, try again",
        "554 5.4.6 Too many hops",
        "mail for example.org loops back to myself",
    ],
    "expired": [
        "message has been in the queue too long",
        "connect to mx.example.org[192.0.2.25]:25: Connection timed out",
        "retry timeout exceeded",
        "550 4.4.7 QUEUE.Expired; message expired",
    ],
    "content": ["554 virus infected", "550 message contains an illegal attachment", "550 invalid MIME header error"],
    "system": ["451 Local error in processing", "550 mail system configuration error"],
    "undefined": ["250 ok", "So long, and thanks for all the fish", ""],
}


@pytest.mark.parametrize(("reason", "said"), [(reason, said) for reason, every in SAID.items() for said in every])
def test_a_reply_is_understood(reason, said):
    assert reason_in(said) == reason


@pytest.mark.parametrize(
    ("status", "diagnosis", "then"),
    [
        ("5.0.0", "550 5.1.1 no such user", ("5.1.1", True)),
        ("5.1.1", "550 5.7.1 looks like spam", ("5.7.1", False)),
        ("5.7.1", "550 user unknown", ("5.7.1", False)),
        ("5.1.1", "552 5.2.2 full", ("5.2.2", False)),
        ("5.1.1", "user over quota", ("5.2.2", False)),
        ("5.2.2", "mailbox full", ("5.2.2", False)),
        ("4.4.7", "550 gave up", ("4.4.7", False)),
        ("5.0.0", "452 mailbox full", ("4.2.2", False)),
        ("4.0.0", "550 5.1.1 no such user", ("5.1.1", True)),
        ("5.1.2", "", ("5.1.2", True)),
        ("5.4.4", "host not found", ("5.4.4", True)),
        ("5.1.6", "", ("5.1.6", True)),
        ("5.2.1", "", ("5.2.1", True)),
        ("4.2.1", "receiving mail too quickly", ("4.2.1", False)),
        ("5.1.8", "sender domain does not exist", ("5.1.8", False)),
        ("5.2.0", "From: Domain is invalid. Please provide a valid From:", ("5.2.0", False)),
        ("5.3.0", "554 mail for example.org loops back to myself", ("5.3.0", False)),
        ("", "554 transaction failed", ("5.3.0", False)),
        ("", "550 nothing that anybody knows", ("5.0.0", True)),
        ("", "554 nothing that anybody knows", ("5.0.0", False)),
        ("", "450 nothing that anybody knows", ("4.0.0", False)),
        ("", "", ("5.0.0", True)),
        ("999.9.9", "5.1.1", ("5.1.1", True)),
    ],
)
def test_fields_codes_and_words_are_weighed(status, diagnosis, then):
    verdict = judge(Evidence(action="failed", status=status, diagnosis=diagnosis))
    assert (verdict.status, verdict.hard) == then


def test_while_the_server_still_tries_nothing_is_hard():
    verdict = judge(Evidence(action="delayed", status="5.1.1", diagnosis="550 5.1.1 no such user"))
    assert (verdict.delayed, verdict.hard) == (True, False)
