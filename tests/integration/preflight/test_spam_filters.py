"""What rspamd and SpamAssassin say is read as they say it; one that is away is no reason to hold anything."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.contract.mail.conftest import or_skip
from tests.contract.mail.judges import Rspamd, program
from tests.dns_server import NameServer
from tests.unit.preflight.mails import sample
from worker.preflight.check_spam import check_spam
from worker.preflight.findings import Mark
from worker.preflight.run_spam import ask_spam_filter

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
SPAM = (
    b"From: a@courier.org\r\nTo: b@courier.org\r\nSubject: x\r\nMessage-ID: <1@courier.org>\r\n\r\n" + GTUBE + b"\r\n"
)
SENDER = "news@courier.example"


def test_nobody_is_asked_where_that_is_switched_off():
    assert ask_spam_filter(SPAM, "off", sender=SENDER) is None


def test_a_filter_that_is_away_or_none_is_told(web):
    away = ask_spam_filter(SPAM, "http://user:hunter2@127.0.0.1:9", sender=SENDER)
    assert away is not None
    assert "rspamd at 127.0.0.1:9 does not answer" in away.trouble
    assert "hunter2" not in away.trouble
    other = ask_spam_filter(SPAM, web.url, sender=SENDER)
    assert other is not None
    assert other.trouble != ""


def test_what_is_no_rspamd_is_told():
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"score": []}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        score = ask_spam_filter(SPAM, f"http://127.0.0.1:{server.server_port}", sender=SENDER)
        thread.join()
    assert score is not None
    assert "is no rspamd" in score.trouble


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_spamassassin_is_asked_and_understood():
    or_skip(lambda: program("spamassassin", "Debian's package `spamassassin`"))
    spam, mail = (
        ask_spam_filter(message, "spamassassin", sender=SENDER, within_s=300)
        for message in (SPAM, sample("newsletter", "en").message)
    )
    assert spam is not None
    assert mail is not None
    assert (spam.trouble, mail.trouble) == ("", "")
    assert spam.points > 5
    assert "GTUBE" in spam.rules
    assert mail.points < 2, mail.rules


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rspamd_is_asked_and_understood():
    with NameServer({}) as server, or_skip(lambda: Rspamd(server.address)) as judge:
        url = f"http://127.0.0.1:{judge._port}"
        spam = ask_spam_filter(SPAM, url, sender=SENDER, within_s=60)
        mail = ask_spam_filter(sample("newsletter", "en").message, url, sender=SENDER, within_s=60)
    assert spam is not None
    assert mail is not None
    assert spam.points > 5
    assert "GTUBE" in spam.rules
    [told] = check_spam(mail)  # the name server knows nobody: that is none of the mail's faults
    assert told.mark is not Mark.PROBLEM, mail.rules
