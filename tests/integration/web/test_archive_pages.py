"""The archive's pages: newsletters, their issues and their feed, for everybody, and with nothing of anybody's."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import feedparser
import pytest
import sqlalchemy as sa

from tests import builders
from worker.delivery.run_withdrawal import withdraw
from worker.intake.run_correcting import Correction, correct
from worker.intake.run_edits import Edit
from worker.model import EditionKind
from worker.planning.run_corrections import carry_out
from worker.store.schema import Article, EditionContent, StoryCard, Subscriber
from worker.tokens import Purpose

from .issues import SECRET, TITLES, send_issue


@pytest.fixture
def sent(newspaper):
    send_issue(newspaper.house)
    return newspaper


def latest(newspaper):
    [found] = re.findall(r'<a href="(/editions/[0-9a-f]{24})">', newspaper.get("/newsletters/top-10").text)
    return found


def titles(page):
    return [re.sub(r"<[^>]+>", "", title) for title in re.findall(r"<h2[^>]*>(.*?)</h2>", page.text)]


def article_of(newspaper, title):
    with newspaper.house.database.read() as conn:
        return conn.execute(sa.select(Article.id).where(Article.title == title)).scalar_one()


def test_newsletters_are_listed_and_lead_to_their_issues(sent):
    page = sent.get("/newsletters")
    assert '<a href="/newsletters/top-10">Top &lt;10&gt; stories</a>' in page.text
    assert "Every morning &amp; evening." in page.text
    assert page.headers["cache-control"] == "public, max-age=60"
    assert "x-robots-tag" not in page.headers
    for before in ("", "x", "-1", "0", "99999999999", "9" * 40):
        assert sent.get(f"/newsletters/top-10?before={before}").status_code == 200, before
    newsletter = sent.get("/newsletters/top-10")
    assert 'href="/subscribe?newsletter=top-10"' in newsletter.text
    assert titles(newsletter) == ["Docks &amp; &lt;quays&gt;"]


def test_an_issue_shows_its_stories_by_number(sent):
    page = sent.get(latest(sent))
    assert titles(page) == ["Docks &amp; &lt;quays&gt;", "Cranes", "Boats", "Anchors"]
    assert page.text.count('<li class="story">') == 4
    assert page.headers["cache-control"] == "public, max-age=60"
    assert "x-robots-tag" not in page.headers
    korean = sent.get(f"{latest(sent)}?lang=ko").text
    assert "메일로 받기" in korean


def test_an_editors_words_are_told_with_their_links_and_lists_and_without_pictures(newspaper):
    note = (
        "Read **this**:\\n\\n- the [map](https://courier.example/m)\\n\\n> said\\n\\n![Snow](https://img.example/s.png)"
    )
    send_issue(newspaper.house)
    with newspaper.house.database.write() as conn:
        frozen = conn.execute(sa.select(EditionContent.id, EditionContent.body)).all()
        for number, body in frozen:
            told = body.replace('"note":""', f'"note":"{note}"')
            conn.execute(sa.update(EditionContent).where(EditionContent.id == number).values(body=told))
    page = newspaper.get(latest(newspaper)).text
    assert "Read <strong>this</strong>:" in page
    assert '<li dir="auto">the <a href="https://courier.example/m" rel="noopener">map</a></li>' in page
    assert "<blockquote" in page
    assert '<a href="https://img.example/s.png" rel="noopener">Snow</a>' in page
    assert "<img" not in page.split("<main")[-1].split("</main>")[0]


def test_nothing_of_a_readers_is_in_the_archive(sent):
    with sent.house.database.read() as conn:
        address, reader = conn.execute(sa.select(Subscriber.email, Subscriber.id)).one()
        mails = [(row.id, row.message_id) for row in builders.deliveries_of(conn)]
        assert any(SECRET in body for body in conn.execute(sa.select(StoryCard.body)).scalars())
    sign = sent.house.tokens.sign
    links = [sign(Purpose.PREFERENCES, reader)]
    for mail, _ in mails:
        links += [sign(Purpose.UNSUBSCRIBE, reader, mail), sign(Purpose.VIEW, mail)]
    personal = [address, "Ada", "Pemberton", SECRET, "secret", *links, *(message_id for _, message_id in mails)]
    paths = ["/newsletters", "/newsletters/top-10", "/newsletters/top-10/feed.xml", latest(sent)]
    for path in paths:
        answer = sent.get(path)
        bytes_of_it = answer.content + str(answer.headers).encode()
        assert [one for one in personal if one.encode() in bytes_of_it] == [], path
        assert not re.search(rb"/(?:unsubscribe|preferences|confirm|m)/", answer.content), path


def test_digests_and_alerts_have_no_public_page(sent):
    with sent.house.database.read() as conn:
        editions = builders.all_editions(conn)
        assert {one.kind for one in editions} == {EditionKind.NEWSLETTER, EditionKind.ALERT}
        hashes = list(conn.execute(sa.select(EditionContent.hash)).scalars())
    ids = [str(one.id) for one in editions] + [f"{one.id:024x}" for one in editions] + [one[:24] for one in hashes]
    for one in [*ids, "0" * 24, "x", "%00", latest(sent).rpartition("/")[2].upper() + "0"]:
        assert sent.get(f"/editions/{one}").status_code == 404, one


def test_a_story_that_was_killed_is_withdrawn_and_a_corrected_one_says_so(sent):
    database, path = sent.house.database, latest(sent)
    withdraw(database, article_of(sent, "Boats"), actor="eve")
    right = Edit(title="Seven anchors", summary="Seven of them.", body="")
    done = correct(
        database, article_of(sent, "Anchors"), Correction(note="Seven, not nine.", changed=right), actor="eve"
    )
    assert done
    carry_out(database, sent.house.planning_policy, done.correction, revision=done.revision)
    wrong = Correction(note="It never was.", changed=Edit(), retracts=True)
    done = correct(database, article_of(sent, "Cranes"), wrong, actor="eve")
    assert done
    carry_out(database, sent.house.planning_policy, done.correction, revision=done.revision)
    page = sent.get(path)
    assert titles(page) == [
        "Docks &amp; &lt;quays&gt;",
        "This story has been retracted.",
        "This story has been withdrawn.",
        "Seven anchors",
    ]
    assert "Seven, not nine." in page.text
    assert "It never was." in page.text
    assert not re.search(r"Boats|Cranes", page.text)
    for path_of_list in ("/newsletters/top-10", "/newsletters/top-10/feed.xml"):
        assert not re.search(r"Boats|Cranes", sent.get(path_of_list).text)


def test_an_issue_of_which_nothing_is_left_is_gone(sent):
    path = latest(sent)
    for title in TITLES:
        withdraw(sent.house.database, article_of(sent, title), actor="eve")
    assert sent.get(path).status_code == 410
    assert "No issue yet." in sent.get("/newsletters/top-10").text


def test_the_feed_is_atom_that_readers_understand_and_is_not_sent_twice(sent):
    answer = sent.get("/newsletters/top-10/feed.xml")
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == ["Docks & <quays>"]
    assert feed.entries[0].link == f"{sent.house.base_url}{latest(sent)}"
    assert feed.entries[0].summary == "Cranes · Boats · Anchors"
    assert ElementTree.fromstring(answer.content).findtext("{http://www.w3.org/2005/Atom}updated")
    again = sent.get("/newsletters/top-10/feed.xml", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_is_not_there_is_not_found(newspaper):
    for path in ("/newsletters/atlantis", "/newsletters/%00", "/newsletters/x/feed.xml", "/editions/"):
        assert newspaper.get(path).status_code == 404, path
    assert "There are no newsletters yet." in newspaper.get("/newsletters").text
