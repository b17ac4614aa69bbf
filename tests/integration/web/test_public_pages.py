"""Topic pages with their feeds, the local inbox, and the demo's own feeds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from xml.etree import ElementTree

import feedparser
import pytest

from worker.adapters.transports import maildir
from worker.model import ParsedArticle
from worker.store.standing import changed_since, intern_query, switch

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def published(newspaper):
    """Articles on Oman, matched: an old one, a new one that somebody copied, one with awkward characters."""
    at = datetime.now(UTC).replace(microsecond=0)

    def publish(title, *, hours, **more):
        article = ParsedArticle(title=title, published_at=at - timedelta(hours=hours), lang="en", **more)
        newspaper.house.matcher.match(newspaper.house.add_article(article).id)

    wire = " ".join(f"Word {number} of the story about Oman's harbour that everybody carries." for number in range(12))
    publish("Oman mends a pier", hours=5, url="https://courier.example/pier", author="Ada Reed", summary="At last.")
    publish("Oman opens a port", hours=1, url="https://courier.example/port", body=wire, source="The Harbour Courier")
    publish("Port opened in Oman", hours=1, url="https://tide.example/port", body=wire, source="The Evening Tide")
    publish('<Oman> & "friends"', hours=2, url="https://courier.example/?a=1&b=<2>", summary="it < them & so on")


def test_all_topics_are_listed_by_name(newspaper):
    page = newspaper.get("/topics")
    assert re.findall(r'<h2><a href="/topics/([\w-]+)">', page.text) == ["north-korea", "oman", "russia"]
    korean = newspaper.get("/topics?lang=ko").text
    assert re.findall(r"<h2><a [^>]+>([^<]+)</a>", korean) == ["러시아", "북한", "오만"]


def test_readers_own_queries_and_disabled_topics_are_not_on_public_pages(newspaper):
    with newspaper.house.database.write() as conn:
        intern_query(conn, query="a private matter", canonical="a private matter")
        russia = next(topic for topic in changed_since(conn, 0) if topic.slug == "russia")
        switch(conn, [(russia, "refused by this version")])
    for path in ("/topics", "/subscribe"):
        page = newspaper.get(path).text
        assert "private matter" not in page
        assert "russia" not in page
    assert newspaper.get("/topics/None").status_code == 404


@pytest.mark.usefixtures("published")
def test_a_topic_page_shows_each_story_once_the_newest_first(newspaper):
    page = newspaper.get("/topics/oman")
    titles = [re.sub(r"<[^>]+>", "", title) for title in re.findall(r"<h2[^>]*>(.*?)</h2>", page.text)]
    assert titles == ["Oman opens a port", "&lt;Oman&gt; &amp; &#34;friends&#34;", "Oman mends a pier"]
    assert "Also in The Evening Tide" in page.text
    assert "By Ada Reed" in page.text
    assert 'href="/subscribe?topic=oman"' in page.text
    assert page.headers["cache-control"] == "public, max-age=60"
    assert "x-robots-tag" not in page.headers


def test_a_topic_without_a_story_says_so(newspaper):
    assert "No story yet." in newspaper.get("/topics/oman").text


@pytest.mark.usefixtures("published")
def test_the_feed_is_atom_that_readers_understand(newspaper):
    answer = newspaper.get("/topics/oman/feed.xml")
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert feed.version == "atom10"
    assert [entry.title for entry in feed.entries] == ["Oman opens a port", '<Oman> & "friends"', "Oman mends a pier"]
    assert feed.entries[1].link == "https://courier.example/?a=1&b=<2>"
    assert feed.entries[1].summary == "it < them & so on"
    root = ElementTree.fromstring(answer.content)
    assert len({entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")}) == 3
    assert all(element.text for element in root.iter(f"{ATOM}updated"))


@pytest.mark.usefixtures("published")
def test_a_feed_that_has_not_changed_is_not_sent_again(newspaper):
    first = newspaper.get("/topics/oman/feed.xml")
    again = newspaper.get("/topics/oman/feed.xml", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_a_feed_speaks_the_language_asked_for(newspaper):
    assert "오만" in newspaper.get("/topics/oman/feed.xml?lang=ko").text
    assert feedparser.parse(newspaper.get("/topics/oman/feed.xml").content).entries == []


# The local inbox ---------------------------------------------------------------------------------------------------


@pytest.fixture
def inbox(newspaper):
    """An inbox with two mails."""
    folder = newspaper.house.inbox
    maildir.make(folder)

    def deliver(recipient, subject, html="", text="Plain words."):
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = "News <news@courier.example>", recipient, subject
        message["Message-ID"], message["Date"] = f"<{recipient}>", datetime.now(UTC)
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        return maildir.store(folder, message.as_bytes(), sender="b@courier.example", recipient=recipient)

    danger = (
        "<html><head></head><body><h1>Hi</h1><script>alert(1)</script><a href='https://x.example/'>x</a></body></html>"
    )
    first = deliver("ada@reader.example", "북한 <b>소식</b>", danger)
    second = deliver("jo@reader.example", "", text="Only text.")
    return first, second


def test_the_inbox_lists_mails_newest_first_and_finds_a_recipient(newspaper, inbox):
    first, second = inbox
    page = newspaper.get("/inbox").text
    assert re.findall(r'<a href="/inbox/([^"]+)">', page) == [second, first]
    assert "북한 &lt;b&gt;소식&lt;/b&gt;" in page
    assert "No subject" in page
    assert "2 mails in all" in page
    assert re.findall(r'<a href="/inbox/([^"]+)">', newspaper.get("/inbox?to=ADA@").text) == [first]
    assert "No mail here." in newspaper.get("/inbox?to=nobody").text
    assert newspaper.get("/inbox?page=99999999999999999999").status_code == 200


def test_an_inbox_that_has_received_nothing_is_empty_not_broken(newspaper):
    assert "No mail here." in newspaper.get("/inbox").text


def test_many_mails_come_in_pages(newspaper, inbox):
    for number in range(60):
        data = f"Subject: mail {number}\r\n\r\nx".encode()
        maildir.store(newspaper.house.inbox, data, sender="a@x.example", recipient=f"r{number}@x.example")
    first = newspaper.get("/inbox").text
    assert first.count('class="subject"') == 40
    assert 'href="/inbox?page=2&amp;to="' in first
    second = newspaper.get("/inbox?page=2").text
    assert second.count('class="subject"') == 22
    assert inbox[0] in second


def test_a_mail_in_the_inbox_shows_the_pictures_that_are_served_from_here_and_counts_nobody(newspaper, inbox):
    policy = newspaper.get(f"/inbox/{inbox[0]}/html").headers["content-security-policy"]
    assert f"img-src {newspaper.house.base_url}/img/ data:;" in policy
    assert "default-src 'none';" in policy


def test_a_mail_is_shown_in_all_its_forms(newspaper, inbox):
    first, second = inbox
    page = newspaper.get(f"/inbox/{first}").text
    assert f'<iframe src="/inbox/{first}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "alert(1)" not in page
    assert "Plain words." in newspaper.get(f"/inbox/{first}?view=text").text
    assert "Delivered-To" in newspaper.get(f"/inbox/{first}?view=headers").text
    assert "&lt;script&gt;" in newspaper.get(f"/inbox/{first}?view=source").text
    assert "Only text." in newspaper.get(f"/inbox/{second}").text
    raw = newspaper.get(f"/inbox/{first}/message.eml")
    assert raw.headers["content-type"] == "message/rfc822"
    assert raw.content == maildir.read_message(newspaper.house.inbox, first)


def test_a_mails_html_can_run_load_and_send_nothing(newspaper, inbox):
    answer = newspaper.get(f"/inbox/{inbox[0]}/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox;")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert '<head><base target="_blank">' in answer.text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: text/html; charset=klingon\r\n\r\n<p>\xe9</p>",
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\nno parts here",
        b"Content-Type: multipart/mixed\r\nFrom: <<<\r\nDate: never\r\n\r\n--\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Subject: a\r\n b\r\nX: " + b"\x80" * 50 + b"\r\n\r\n" + b"\x00" * 50,
    ],
)
def test_a_broken_mail_is_shown_as_far_as_it_goes(newspaper, data):
    folder = newspaper.house.inbox
    maildir.make(folder)
    identifier = maildir.store(folder, data, sender="", recipient="jo@reader.example")
    for path in ("/inbox", *(f"/inbox/{identifier}?view={view}" for view in ("html", "text", "headers", "source"))):
        assert newspaper.get(path).status_code == 200, path
    assert newspaper.get(f"/inbox/{identifier}/html").status_code == 200


@pytest.mark.parametrize("identifier", ["nothing", "%2e%2e%2ftocsin.db", "%00", "a" * 5_000])
def test_there_is_no_way_out_of_the_inbox(newspaper, inbox, identifier):
    assert inbox
    for ending in ("", "/html", "/message.eml"):
        assert newspaper.get(f"/inbox/{identifier}{ending}").status_code == 404


def test_where_mail_goes_to_a_relay_there_is_no_inbox(open_newspaper):
    relayed = open_newspaper(transports="smtp://127.0.0.1:2599?tls=off")
    assert relayed.get("/inbox").status_code == 404
    assert relayed.get("/inbox/x").status_code == 404


# The demo's feeds --------------------------------------------------------------------------------------------------


@pytest.fixture
def feeds(newspaper):
    folder = newspaper.house.home / "seeds" / "feeds"
    folder.mkdir(parents=True)
    for name in ("world.xml", "ledger.atom", "life.json", "secret.txt"):
        (folder / name).write_text(f"contents of {name}")
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("world.xml", "application/rss+xml"),
        ("ledger.atom", "application/atom+xml"),
        ("life.json", "application/feed+json"),
    ],
)
def test_the_demos_feeds_are_served_with_their_types_and_validators(newspaper, feeds, name, kind):
    answer = newspaper.get(f"/demo/feeds/{name}")
    assert (answer.status_code, answer.text) == (200, f"contents of {name}")
    assert answer.headers["content-type"].split(";")[0] == kind
    for validator in (
        {"If-None-Match": answer.headers["etag"]},
        {"If-Modified-Since": answer.headers["last-modified"]},
    ):
        assert newspaper.get(f"/demo/feeds/{name}", headers=validator).status_code == 304
    (feeds / name).write_text("changed")
    assert newspaper.get(f"/demo/feeds/{name}", headers={"If-None-Match": answer.headers["etag"]}).text == "changed"
    assert newspaper.get(f"/demo/feeds/{name}", headers={"If-Modified-Since": "never"}).status_code == 200


@pytest.mark.parametrize("name", ["secret.txt", "none.xml", "..%2f..%2ftocsin.db", "%2e%2e.xml", ".xml", "a%00.xml"])
def test_the_demo_serves_nothing_but_its_feeds(newspaper, feeds, name):
    assert feeds.is_dir()
    assert newspaper.get(f"/demo/feeds/{name}").status_code == 404


def test_the_demos_feeds_are_for_this_machine_only(newspaper, feeds):
    assert feeds.is_dir()
    assert newspaper.get("/demo/feeds/world.xml", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
