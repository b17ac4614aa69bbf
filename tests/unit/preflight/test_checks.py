"""Each check finds what it is there for, and nothing in a mail that has nothing wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.preflight.mails import HEAD, HTML, NOW, TEXT, body, findings, found, mail, sample
from worker.health import Finding as Examined
from worker.health import Health
from worker.model import EditionKind
from worker.preflight.check_spam import Score, check_spam
from worker.preflight.findings import Check, Mark, held_by
from worker.preflight.inspect import Answers, inspect
from worker.preflight.links import Answer, Trouble, wanted
from worker.preflight.markup import read_page
from worker.preflight.support import data
from worker.rendering import samples

SIGNED = "DKIM-Signature: v=1; a=rsa-sha256; d=courier.org; s=a;\n h=from: to: subject: date: message-id: {}; b=x\n"
ALL = "list-id: list-unsubscribe: list-unsubscribe-post: feedback-id"
URL = "https://courier.org/a"


def holds(one, answers=None) -> str:
    return held_by(inspect(one, Answers(links=answers)), strictly=False)


def test_a_mail_that_has_nothing_wrong_is_well():
    told = inspect(mail(), Answers(links={URL: Answer(status=200)}, dns=()))
    assert {str(one.check) for one in told if one.mark not in {Mark.OK, Mark.UNCHECKED}} == set()
    assert {one.check for one in told} == set(Check) - {Check.DNS}
    assert holds(mail()) == ""


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_the_templates_as_they_come_give_no_noise(kind, locale):
    quiet = {Check.WORDS, Check.UNSUBSCRIBE, Check.ADDRESS, Check.SIZE, Check.TEXT, Check.STYLES, Check.STORIES}
    told = inspect(sample(kind, locale), Answers())
    assert [(one.check, one.found) for one in told if one.check in quiet and one.mark is not Mark.OK] == []
    assert not any(one.harms for one in told)


# Subject and words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("x" * 61, "61 columns"),
        ("속" * 31, "62 columns"),
        ("STOCKS FALL EVERYWHERE", "all capitals"),
        ("Read this!!!", "in a row"),
        ("RE: your order", "looks like an answer"),
        ("Fwd: news", "looks like an answer"),
        ("🔥🔥", "no word"),
        ("A TEST of patience", ""),
        ("The last one", "the last issue had the same"),
    ],
)
def test_a_subject_that_readers_would_distrust_is_warned_of(subject, says):
    told = found(mail(subject=subject, previous_subject="the last one"), "subject")
    assert [mark for mark, _ in told] == ["warning"] * bool(says)
    assert says in "".join(text for _, text in told)


@pytest.mark.parametrize("subject", ["NATO, EU, UN: what now", "북한 소식", "5:0", "Regards: a letter", "x" * 60])
def test_an_ordinary_subject_is_well(subject):
    assert found(mail(subject=subject), "subject") == []


@pytest.mark.parametrize("subject", ["", "  "])
def test_an_empty_subject_holds_an_issue(subject):
    assert holds(mail(subject=subject)) == "subject: the subject is empty"


@pytest.mark.parametrize(
    ("first", "says"),
    [("A long night", "once more"), ("Short", "is short"), ("", "says")],
)
def test_a_preheader_that_says_little_is_warned_of(first, says):
    [(mark, text)] = found(
        mail(HTML.replace("The embassy’s lights were on all night, and so were ours.", first)), "preheader"
    )
    assert (mark, says in text) == ("warning", True)


@pytest.mark.parametrize(
    "left", ["{{ story.title }}", "%(topics)s", "*|FNAME|*", "[[name]]", "hole9f2c9f2c9f2c9f2cviewhole"]
)
@pytest.mark.parametrize("place", ["subject", "html", "text"])
def test_what_a_template_leaves_behind_holds_an_issue(left, place):
    one = {"subject": mail(subject=f"News {left}"), "html": body(left), "text": mail(text=f"{TEXT} {left}")}[place]
    assert left[:9] in holds(one)
    assert [mark for mark, _ in found(one, "words")] == ["problem"]


@pytest.mark.parametrize("left", ["Lorem ipsum dolor", "Your text here", "TKTK", "TBD"])
def test_reminders_to_oneself_are_only_warned_of(left):
    assert [mark for mark, _ in found(body(left), "words")] == ["warning"]
    assert holds(body(left)) == ""


@pytest.mark.parametrize(
    ("subject", "count"), [("TEST", 1), ("test mail", 1), ("Test match begins", 0), ("Nuclear test", 0)]
)
def test_a_test_is_told_by_its_subject(subject, count):
    assert len(found(mail(subject=subject), "words")) == count


# Headers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (mail(head=HEAD.replace("List-Unsubscribe: <https", "X: <https")), "List-Unsubscribe does not begin"),
        (mail(head=HEAD.replace("List-Unsubscribe: <", "List-Unsubscribe: <mailto:a@b.org>, <")), "does not begin"),
        (mail(head=HEAD.replace("List-Unsubscribe-Post:", "X:")), "List-Unsubscribe-Post is missing"),
        (mail(HTML.replace("/unsubscribe/", "/elsewhere/")), "the HTML has no link"),
        (mail(text="1 Quay Street"), "the text part has no link"),
    ],
)
def test_no_way_to_leave_holds_an_issue(one, says):
    assert says in holds(one)


def test_a_mail_of_no_list_needs_no_way_to_leave():
    one = mail(
        HTML.replace("/unsubscribe/", "/confirm/"), head=HEAD.replace("List-", "X-"), kind=EditionKind.CONFIRMATION
    )
    assert found(one, "unsubscribe") == []


def test_the_postal_address_is_missed_in_either_part():
    assert [text for _, text in found(mail(text=TEXT.replace("Quay", "Key")), "postal address")] == [
        "the text part does not show it"
    ]
    assert len(found(mail(postal_address="2 Quay Street"), "postal address")) == 2
    assert found(mail(postal_address=" "), "postal address") == [("problem", "there is none")]


def test_a_message_that_ought_to_be_signed_and_is_not_holds_an_issue():
    assert "0 of 2 signatures" in holds(mail(signers=("courier.org", "courier.org")))
    signed = mail(head=SIGNED.format(ALL) + HEAD, signers=("courier.org",))
    assert (found(signed, "signature"), holds(signed)) == ([], "")


def test_a_signature_is_to_cover_what_receivers_ask_for_and_speak_for_the_sender():
    [(_, text)] = found(mail(head=SIGNED.format("list-id") + HEAD, signers=("courier.org",)), "signature")
    assert text == "the signature by rsa-sha256 leaves out feedback-id, list-unsubscribe, list-unsubscribe-post"
    strange = SIGNED.format(ALL).replace("d=courier.org", "d=mailer.net") + HEAD
    [(_, text)] = found(mail(head=strange, signers=("mailer.net",)), "signature")
    assert "none speaks for courier.org" in text


def test_what_dns_says_is_told_and_holds_nothing():
    ill = Examined(part="dkim", health=Health.ILL, says="not published", advice="publish it")
    told = [one for one in inspect(mail(), Answers(dns=(ill,))) if one.check is Check.DNS]
    assert [(one.mark, one.found, one.harms) for one in told] == [(Mark.PROBLEM, "dkim: not published", False)]


# Size, text, HTML ----------------------------------------------------------------------------------------------------


def test_html_that_gmail_clips_holds_an_issue_and_what_comes_near_is_warned_of():
    fill = "<p>" + "x" * (91 * 1024) + "</p>"
    assert [mark for mark, _ in found(body(fill), "size")] == ["warning"]
    assert holds(body(fill)) == ""
    assert "Gmail clips it at 102 KB" in holds(body(fill + "x" * (12 * 1024)))
    assert [mark for mark, _ in found(mail(head=HEAD + "x" * 600_000), "size")] == ["warning"]


def test_stories_that_were_cut_are_counted():
    digest = sample("digest", "en")
    content = digest.content
    assert content is not None
    lost = content.all_cards()[-1].url
    short = mail(digest.html.replace(lost, "https://courier.org/x") + f"<!--{'x' * 61_000}-->", content=content)
    assert found(mail(digest.html.replace(lost, "https://courier.org/x"), content=content), "size") == []
    assert f"1 of {len(content.all_cards())} stories are cut" in found(short, "size")[0][1]


def test_a_text_part_that_says_nothing_is_told():
    assert found(mail(text=""), "text part") == [("problem", "there is none")]
    assert [mark for mark, _ in found(mail(HTML + "<p>word</p>" * 300), "text part")] == ["warning"]
    assert found(mail(HTML, head=HEAD.replace("text/plain", "text/html")), "text part") == [
        ("problem", "there is none")
    ]


@pytest.mark.parametrize(
    ("markup", "says"),
    [
        ("<h1>again</h1>", "2 h1"),
        ("<table><tr><td>x</td></tr></table>", "1 tables have no role"),
        ("<script>x()</script>", "<script> stands in it once"),
        ('<p onclick="x()">y</p>', "onclick"),
    ],
)
def test_bones_that_break_are_told(markup, says):
    assert says in found(body(markup), "html")[0][1]


@pytest.mark.parametrize(
    ("gone", "says"), [(' lang="en"', "no lang"), ("A long night</title>", "<title>"), ("h1", "no h1")]
)
def test_bones_that_are_missing_are_told(gone, says):
    assert says in found(mail(HTML.replace(gone, "")), "html")[0][1]


# Styles --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "says"),
    [
        ('<p style="display: flex">x</p>', "display: flex does nothing in Outlook for Windows"),
        ('<p style="OBJECT-FIT: cover">x</p>', "property object-fit"),
        ('<p style="width: calc(100% - 2px)">x</p>', "calc()"),
        ('<p style="margin: 0 max(1px, 2vw)">x</p>', "max()"),
        ("<style>p:hover { color: red }</style>", ":hover"),
        ("<style>@media screen { @supports (x: y) { p { color: red } } }</style>", "@supports"),
        ("<video></video>", "<video>"),
        ('<img src="https://c.org/x.webp" srcset="y" alt="">', "attribute srcset"),
        ('<img src="data:image/png;base64,x" alt="">', "image base64"),
    ],
)
def test_what_clients_lack_is_told(markup, says):
    assert any(says in text for _, text in found(body(markup), "styles"))


def test_what_stands_under_a_condition_only_concerns_clients_that_know_it():
    flex = "p { display: flex }"
    assert "Outlook for Windows" in found(body(f"<style>{flex}</style>"), "styles")[0][1]
    assert found(body(f"<style>@media (max-width: 500px) {{ {flex} }}</style>"), "styles") == []


def test_what_is_accepted_is_in_the_data_or_has_left_it():
    assert "rule media" in data().features
    assert data().date >= "2026-05-13"


# Links and pictures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "mark", "says"),
    [
        ("https://ed:hunter2@courier.org/x", "problem", "a link with a password: https://…@courier.org/x"),
        (
            "https://courier.org/?api_key=hunter2",
            "problem",
            "a link with a secret in it: https://courier.org/?api_key=…",
        ),
        ("https://courier.org/?fbclid=x", "warning", "tracking"),
        ("http://courier.org/x", "warning", "http, not https"),
        ("https://www.example.com/", "warning", "a domain that nobody has"),
        ("http://localhost:8000/", "warning", "only this network knows"),
        ("http://10.0.0.8/", "warning", "only this network knows"),
        ("javascript:alert(1)", "problem", "take out"),
        ("/a/b", "problem", "no address on the web"),
        ("https://[broken", "problem", "no address on the web"),
        ("mailto:nobody", "problem", "no address of a mailbox"),
        ("tel:call-us", "problem", "no telephone number"),
        ("#nowhere", "warning", "a place that is not in the mail"),
    ],
)
def test_a_link_that_is_wrong_by_itself_is_told(url, mark, says):
    [(told, text)] = found(body(f'<a href="{url}">x</a>'), "links")
    assert (told, says in text) == (mark, True), text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "url",
    ["https://courier.org/?utm_source=top", "mailto:desk@courier.org?subject=x", "tel:+44 20 7946 0958", "#top", URL],
)
def test_a_link_that_is_right_is_well(url):
    assert found(body(f'<a name="top" href="{url}">x</a>'), "links") == []


def test_credentials_in_a_link_hold_an_issue_and_are_never_used():
    one = body('<a href="https://ed:hunter2@courier.org/x">x</a>')
    assert "a link with a password" in holds(one)
    assert [url for url in wanted(one) if "hunter2" in url] == []


def test_links_without_words_or_address_are_told():
    assert "without words" in found(body('<a href="https://courier.org/b"> </a>'), "links")[0][1]
    assert found(body('<a href="https://courier.org/b"><img alt="B" src=""></a>'), "links") == []
    assert "lead nowhere" in found(body('<a href="">x</a>'), "links")[0][1]


@pytest.mark.parametrize(
    ("answer", "mark", "says"),
    [
        (Answer(status=404), "problem", "answers 404"),
        (Answer(status=410), "problem", "answers 410"),
        (Answer(trouble=Trouble.REDIRECTS), "problem", "redirects"),
        (Answer(status=500), "warning", "answers 500"),
        (Answer(status=403), "warning", "robots are often refused"),
        (Answer(trouble=Trouble.SILENT, says="gives no answer within 10 s"), "warning", "no answer"),
    ],
)
def test_what_a_server_answers_is_judged_and_holds_nothing_unless_strictly(answer, mark, says):
    [(told, text)] = found(mail(), "links", {URL: answer})
    assert (told, says in text) == (mark, True)
    told_all = inspect(mail(), Answers(links={URL: answer}))
    assert held_by(told_all, strictly=False) == ""
    assert bool(held_by(told_all, strictly=True)) is (mark == "problem")


@pytest.mark.parametrize("trouble", [Trouble.PRIVATE, Trouble.NO_TIME])
def test_what_could_not_be_asked_is_not_checked(trouble):
    told = [one for one in inspect(mail(), Answers(links={URL: Answer(trouble=trouble)})) if one.check is Check.LINKS]
    assert [one.mark for one in told] == [Mark.UNCHECKED]


def test_every_address_is_asked_once_and_no_readers_own():
    one = mail(
        HTML.replace("<p>", '<a href="https://courier.org/a#x">x</a><img alt="" src="https://courier.org/p.png"><p>'),
        text=f"{TEXT} (https://courier.org/b). https://news.courier.org/topics/a https://news.courier.org/topics/b",
    )
    assert wanted(one) == (
        URL,
        "https://courier.org/b",
        "https://news.courier.org/topics/a",  # one of our own pages stands for all
        "https://courier.org/p.png",
    )


PICTURE = '<img src="https://courier.org/p.png" alt="x" width="2" height="2">'
PNG = "https://courier.org/p.png"


@pytest.mark.parametrize(
    ("markup", "mark", "says"),
    [
        (PICTURE.replace(' alt="x"', ""), "problem", "without alt"),
        (PICTURE.replace(' width="2"', ""), "warning", "without width or height"),
        (PICTURE.replace("https", "http"), "warning", "http, not https"),
        (PICTURE.replace("https://courier.org/p.png", " "), "problem", "has no address"),
    ],
)
def test_a_picture_that_is_written_wrong_is_told(markup, mark, says):
    [(told, text)] = found(body(markup), "pictures")
    assert (told, says in text) == (mark, True)


@pytest.mark.parametrize(
    ("answer", "marks"),
    [
        (Answer(status=200, content_type="image/png", size_bytes=9), []),
        (Answer(status=404), ["problem"]),
        (Answer(status=200, content_type="text/html"), ["problem"]),
        (Answer(status=200, content_type="image/png", size_bytes=1_000_001), ["warning"]),
    ],
)
def test_a_picture_is_judged_by_what_its_server_sends(answer, marks):
    assert [mark for mark, _ in found(body(PICTURE), "pictures", {PNG: answer})] == marks
    assert found(body(PICTURE), "links", {PNG: answer}) == []


# Stories, spam -------------------------------------------------------------------------------------------------------


def test_stories_told_twice_ahead_of_time_or_stopped_are_told():
    letter = sample("newsletter", "en")
    content = letter.content
    assert content is not None
    first, second, *_ = content.all_cards()
    ahead = second.model_copy(update={"published_at": NOW + timedelta(hours=1)})
    changed = content.model_copy(update={"cards": (first, first, ahead)})
    told = found(mail(content=changed, stopped=frozenset({ahead.story_id})), "stories")
    assert [mark for mark, _ in told] == ["problem", "warning", "warning"]
    assert "stopped by an editor" in told[0][1]
    assert "stories" in holds(mail(content=changed, stopped=frozenset({ahead.story_id})))


@pytest.mark.parametrize(
    ("score", "mark", "harms"),
    [
        (Score(by="rspamd", points=-0.5), "ok", False),
        (Score(by="rspamd", points=5.5, rules={"GTUBE": 5.5}), "problem", True),
        (Score(by="rspamd", points=5.0, rules={"A": 5.0}), "warning", False),
        (Score(by="rspamd", points=6.0, rules={"A": 1.0, "R_SPF_NA": 5.0}), "ok", False),
        (Score(by="rspamd", points=5.8, rules={"A": 1.8, "HFILTER_FROMHOST_NORES_A_OR_MX": 4.0}), "ok", False),
        (Score(by="rspamd", trouble="it is away"), "not checked", False),
        (None, "not checked", False),
    ],
)
def test_a_spam_score_is_judged_without_what_only_a_preview_has(score, mark, harms):
    [told] = check_spam(score)
    assert (told.mark, told.harms) == (mark, harms)


# Anything ------------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["<a href=", "<img src=", "<style>", "</style>", "<![", "<!--", "&#x", '"', "{", "}", ">", "é", "\0"]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=30).map("".join), st.text(max_size=80))
def test_no_markup_and_no_subject_can_stop_the_checks(markup, subject):
    told = inspect(mail(markup, subject=subject, text=markup), Answers(links={}))
    assert {one.check for one in told} >= {Check.SUBJECT, Check.HTML, Check.STYLES, Check.LINKS}
    assert all(one.found and (one.advice or one.mark is not Mark.PROBLEM) for one in told)


def test_a_long_mail_is_read_within_reason():
    page = read_page("<table>" * 5_000 + '<a href="https://courier.org/">x</a>' * 5_000)
    assert (len(page.links), len(page.of("table"))) == (5_000, 5_000)


def test_findings_say_what_to_do():
    assert all(one.advice for one in findings(mail(HTML.replace(' lang="en"', "")), "html"))


@pytest.mark.parametrize("written", ["http://[oops#x", "https://[v1.x]/#a", "http://courier:port#x"])
def test_no_headline_that_is_no_address_keeps_an_issue_from_being_looked_over(written):
    one = mail(
        HTML.replace("<p>", f'<p><a href="{written}">Link</a><img src="{written}" alt="Map">'), text=f"{TEXT} {written}"
    )
    asked = wanted(one)
    assert asked[0] == written.partition("#")[0]
    assert found(one, "links", {url: Answer(trouble=Trouble.UNREACHABLE, says="no address") for url in asked})
