"""Readers brought along from listmonk and Mailchimp: what they said there counts here, a no above all."""

from __future__ import annotations

import itertools
import json
import zipfile
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from worker.errors import InputError
from worker.hearsay import Cause
from worker.model import Cadence, Origin, SubscriberStatus
from worker.signup.consent import Consent
from worker.signup.foreign import lists
from worker.signup.run_import import Fate, Listing, import_readers
from worker.signup.run_newsletters import import_newsletters
from worker.store import people, suppressions
from worker.store.schema import Subscriber

from .conftest import hash_address

S = SubscriberStatus

SUBSCRIBED = (
    """\
"Email Address","First Name","Last Name",Company,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,\
LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS
jo@example.org,Jo,Smith,,2,"2018-10-11 09:55:14",,"2018-10-11 10:00:00",203.0.113.77,,,9,9,Asia/Seoul,KR,11,\
"2018-10-11 09:55:14",90498395,810826c56e,,"""
    '''"""Asia desk"",""Staff"""
al@example.org,,,ACME,2,,,,,,,,,"US/Nowhere",,,"2018-10-11 09:55:14",90498396,810826c56f,"a note",
'''
)
UNSUBSCRIBED = """\
"Email Address",Name,MEMBER_RATING,CONFIRM_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,TAGS
no@example.org,No,2,"2018-10-11 10:00:00","2020-01-02 03:04:05",Weekly,"No longer interested",
"""
CLEANED = """\
TAGS;CLEAN_CAMPAIGN_TITLE;CLEAN_TIME;Email
;Weekly;2020-01-02 03:04:05;gone@example.org
"""
NONSUBSCRIBED = "Email Address,TAGS\nbuyer@example.org,\n"


@pytest.fixture
def bring(database, tmp_path):
    letters = tmp_path / "letters.yaml"
    letters.write_text(
        "- {slug: top, name: Top, sender: {name: C, address: c@x.org}, schedule: FREQ=DAILY;BYHOUR=7, timezone: UTC}\n"
    )
    import_newsletters(database, letters)

    def bring(file, origin, *maps, **how):
        listing = Listing(hash_address=hash_address, origin=origin, maps=maps, **how)
        return import_readers(database, file, listing)

    return bring


@pytest.fixture
def audience(tmp_path):
    file = tmp_path / "audience_export_1.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("subscribed_email_audience_export_1.csv", SUBSCRIBED)
        archive.writestr("unsubscribed_email_audience_export_1.csv", "\ufeff" + UNSUBSCRIBED)
        archive.writestr("cleaned_email_audience_export_1.csv", CLEANED)
        archive.writestr("nonsubscribed_email_audience_export_1.csv", NONSUBSCRIBED)
    return file


MAPS = ("*=newsletter:top", "asia DESK=topic:north-korea/weekly; oman")


def test_an_audience_of_mailchimps_comes_with_its_evidence_and_its_noes(bring, audience, readers, database):
    imported = bring(audience, Origin.MAILCHIMP, *MAPS, confirmed=True)
    assert imported.fates == {Fate.NEW: 2, Fate.LEFT: 1, Fate.SUPPRESSED: 1, Fate.UNMAPPED: 1}
    jo = readers.reader("jo@example.org")
    assert (jo.status, jo.name, jo.timezone) == (S.ACTIVE, "Jo Smith", "Asia/Seoul")
    there, here = Consent.read(jo.consent).given
    assert (there.how, there.ip_prefix) == ("confirmed in Mailchimp", "203.0.113.0/24")
    assert there.at == datetime(2018, 10, 11, 10, tzinfo=UTC)
    assert here.how == "imported by the operator, with consent"
    follows = readers.follows("jo@example.org")
    assert set(follows) == {"top", "north-korea", "oman"}
    assert (follows["north-korea"].cadence, follows["oman"].cadence) == (Cadence.WEEKLY, Cadence.DAILY)
    assert set(readers.follows("al@example.org")) == {"top"}
    assert readers.reader("al@example.org").timezone == "UTC"
    assert readers.status("no@example.org") is S.LEFT
    with database.read() as conn:
        known = suppressions.of_address(conn, hash_address("gone@example.org"))
        assert people.by_address(conn, hash_address("buyer@example.org")) is None
    assert known is not None
    assert (known.cause, known.reason) == (Cause.BOUNCE, "cleaned by Mailchimp")
    again = bring(audience, Origin.MAILCHIMP, *MAPS, confirmed=True)
    assert again.fates == {Fate.UPDATED: 2, Fate.LEFT: 1, Fate.SUPPRESSED: 1, Fate.UNMAPPED: 1}


def test_without_the_operators_word_an_audience_is_asked_and_what_it_said_before_is_kept(bring, audience, readers):
    imported = bring(audience, Origin.MAILCHIMP, *MAPS)
    assert imported.has_questions
    jo = readers.reader("jo@example.org")
    question = Consent.read(jo.consent).question
    assert question is not None
    assert question.asked.how == ("imported by the operator; confirmed in Mailchimp at 2018-10-11T10:00:00+00:00")
    assert readers.follows("jo@example.org") == {}
    readers.confirms("jo@example.org")
    assert set(readers.follows("jo@example.org")) == {"top", "north-korea", "oman"}


def test_a_dry_run_shows_every_list_and_what_to_write(bring, audience, database):
    imported = bring(audience, Origin.MAILCHIMP, "asia desk=topic:oman", "staff=-", dry_run=True)
    assert list(imported.lists) == [
        {"list": "*", "readers": 2, "becomes": '--map "*=..."'},
        {"list": "Asia desk", "readers": 1, "becomes": "topic:oman/daily"},
        {"list": "Staff", "readers": 1, "becomes": "nothing, as you say"},
    ]
    assert imported.unmapped == ()
    assert imported.fates == {Fate.ASKED: 1, Fate.LEFT: 1, Fate.SUPPRESSED: 1, Fate.UNMAPPED: 2}
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(Subscriber)).scalar_one() == 0
        assert not people.is_suppressed(conn, hash_address("gone@example.org"))


def test_who_said_yes_here_after_they_were_cleaned_there_keeps_getting_mail(bring, audience, readers):
    readers.joins("gone@example.org", "oman")
    assert bring(audience, Origin.MAILCHIMP, *MAPS, confirmed=True).fates[Fate.KEPT] == 1
    assert readers.status("gone@example.org") is S.ACTIVE


def test_who_was_let_off_by_hand_after_they_were_cleaned_there_is_not_suppressed_again(bring, audience, database):
    with database.write() as conn:
        people.suppress(conn, hash_address("gone@example.org"), reason="test")
        suppressions.lift(conn, hash_address("gone@example.org"), reason="they asked", actor="test")
    assert bring(audience, Origin.MAILCHIMP, *MAPS, confirmed=True).fates[Fate.KEPT] == 1
    with database.read() as conn:
        assert not people.is_suppressed(conn, hash_address("gone@example.org"))


def test_an_operators_word_stands_above_what_another_house_says(bring, audience, database):
    with database.write() as conn:
        people.suppress(conn, hash_address("gone@example.org"), reason="the operator's")
    bring(audience, Origin.MAILCHIMP, *MAPS, confirmed=True)
    with database.read() as conn:
        assert people.is_suppressed(conn, hash_address("gone@example.org")) == "the operator's"


def test_a_reader_who_left_there_and_joined_here_stays(bring, audience, readers):
    readers.joins("no@example.org", "oman")
    bring(audience, Origin.MAILCHIMP, *MAPS, confirmed=True)
    assert readers.status("no@example.org") is S.ACTIVE


@pytest.mark.parametrize(("name", "text"), [("a.csv", UNSUBSCRIBED), ("unsubscribed_1.csv", NONSUBSCRIBED)])
def test_one_file_of_an_audience_is_known_by_its_name_or_its_columns(bring, tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)
    assert bring(file, Origin.MAILCHIMP, *MAPS, confirmed=True).fates == {Fate.LEFT: 1}


def subscriber(email, *lists, status="enabled", **more):
    on = [
        {
            "id": 1,
            "name": name,
            "optin": optin,
            "subscription_status": stands,
            "subscription_created_at": "2023-01-02T03:04:05Z",
        }
        for name, optin, stands in lists
    ]
    about = {"id": 3, "uuid": "x", "email": email, "name": "Jo", "attribs": {}, "status": status, "lists": on}
    return {**about, "created_at": "2022-05-06T07:08:09.123456+05:30", **more}


LISTMONK = [
    subscriber("one@example.org", ("Asia", "single", "unconfirmed"), ("Old", "single", "unsubscribed")),
    subscriber("two@example.org", ("Asia", "double", "confirmed"), ("Daily", "double", "unconfirmed")),
    subscriber("three@example.org", ("Daily", "double", "unconfirmed")),
    subscriber("four@example.org", ("Asia", "single", "unsubscribed")),
    subscriber("five@example.org", ("Asia", "single", "unconfirmed"), status="blocklisted"),
    subscriber("six@example.org", ("Asia", "single", "unconfirmed"), status="disabled"),
    subscriber("seven@example.org"),
]


def pages(kind):
    """What the API answers, as people save it."""
    if kind == "a page a line":
        return "\n".join(json.dumps({"data": {"results": LISTMONK[at : at + 3], "total": 7}}) for at in (0, 3, 6))
    if kind == "one page, indented":
        return json.dumps({"data": {"results": LISTMONK}}, indent=2)
    if kind == "a list":
        return json.dumps(LISTMONK)
    return "".join(json.dumps(one) + "\n" for one in LISTMONK)


@pytest.mark.parametrize("kind", ["a page a line", "one page, indented", "a list", "a subscriber a line"])
def test_listmonks_lists_are_told_apart(bring, tmp_path, readers, database, kind):
    file = tmp_path / "subscribers.json"
    file.write_text(pages(kind))
    imported = bring(file, Origin.LISTMONK, "Asia=topic:oman", "Daily=newsletter:top", confirmed=True)
    assert imported.fates == {Fate.NEW: 2, Fate.ASKED: 1, Fate.LEFT: 2, Fate.SUPPRESSED: 1, Fate.UNMAPPED: 1}
    assert imported.unmapped == ()
    assert set(readers.follows("one@example.org")) == {"oman"}
    assert set(readers.follows("two@example.org")) == {"oman"}  # an open question there is not a yes
    there = Consent.read(readers.reader("two@example.org").consent).given[0]
    assert (there.how, there.at) == ("confirmed in listmonk", datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert readers.status("three@example.org") is S.PENDING
    assert readers.status("four@example.org") is S.LEFT
    assert readers.status("six@example.org") is S.LEFT
    with database.read() as conn:
        assert people.is_suppressed(conn, hash_address("five@example.org")) == "blocklisted in listmonk"


def test_listmonks_csv_has_everybody_on_one_list(bring, tmp_path, readers):
    file = tmp_path / "subscribers.csv"
    file.write_text(
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        'a,jo@example.org,Jo,"{""city"": ""Seoul""}",enabled,2023-05-06 07:08:09.12 +0000 UTC,'
        "2023-05-06 07:08:09 +0000 UTC\n"
        "b,no@example.org,No,{},blocklisted,2023-05-06 07:08:09 +0000 UTC,2023-05-06 07:08:09 +0000 UTC\n"
    )
    imported = bring(file, Origin.LISTMONK, "*=topic:russia", confirmed=True)
    assert imported.fates == {Fate.NEW: 1, Fate.SUPPRESSED: 1}
    assert set(readers.follows("jo@example.org")) == {"russia"}
    there = Consent.read(readers.reader("jo@example.org").consent).given[0]
    assert there.at == datetime(2023, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "maps", "told"),
    [
        (
            "email,status\njo@example.org,enabled\n",
            (),
            "it is not said what its lists become (`--from listmonk --dry-run`",
        ),
        (
            "email,status\njo@example.org,enabled\n",
            ("*=topic:omann",),
            "there is no topic 'omann' (did you mean oman?)",
        ),
        ("email,status\njo@example.org,enabled\n", ("*=newsletter:tops",), "no newsletter 'tops' (did you mean top?)"),
        ("email,status\njo@example.org,enabled\n", ("*=oman/often",), "'often' is not a cadence"),
        ("email,status\njo@example.org,enabled\n", ("*",), "'*' maps nothing"),
        ("email,status\njo@example.org,enabled\n", ("a=oman", "A=-"), "'A' is mapped twice"),
        ("email,name\njo@example.org,Jo\n", ("*=oman",), "line 1: there is no column 'status'"),
        ("email,status\njo@example.org,gone\nnobody,enabled\n", ("*=oman",), "line 2, status: 'gone' is not a status"),
        (
            '{"data": {"results": [{"email": "jo", "status": "enabled"}]}}',
            ("*=oman",),
            "subscriber 1, email: 'jo' has no @",
        ),
        ('{"data": {"results": ["jo@example.org"]}}', ("*=oman",), "subscriber 1: not a subscriber"),
        ('{"data": ', ("*=oman",), "not JSON"),
    ],
)
def test_a_mistake_is_one_clear_line_and_stores_nothing(  # noqa: PLR0917  the cases' own
    bring, tmp_path, database, text, maps, told
):
    file = tmp_path / "subscribers.csv"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        bring(file, Origin.LISTMONK, *maps, confirmed=True)
    assert told in str(refused.value)
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(Subscriber)).scalar_one() == 0


def test_a_mistake_in_an_archive_names_its_file(bring, tmp_path):
    file = tmp_path / "audience.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("export/subscribed_1.csv", "Email Address,TAGS\nnobody,\n")
    with pytest.raises(InputError) as refused:
        bring(file, Origin.MAILCHIMP, *MAPS)
    assert str(refused.value).startswith("audience.zip, subscribed_1.csv, line 2, email address: 'nobody' has no @")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(InputError, match="there is no CSV file in it"):
        bring(file, Origin.MAILCHIMP, *MAPS)


def test_a_list_of_our_own_has_nothing_to_map(bring, tmp_path):
    file = tmp_path / "readers.csv"
    file.write_text("email,name,locale,timezone,topics,cadence,at\n")
    with pytest.raises(InputError, match="only another house's lists are mapped"):
        bring(file, None, "*=oman")


def _with_a_password(content: bytes) -> bytes:
    """Set the flag of an encrypted member in its local header and in the directory (APPNOTE.TXT, 4.3.7 and 4.3.12)."""
    marked = bytearray(content)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        marked[content.index(signature) + place] |= 1
    return bytes(marked)


def _damaged(content: bytes) -> bytes:
    place = content.index(b"no@example.org") if b"no@example.org" in content else 60
    return content[:place] + b"NO" + content[place + 2 :]


@pytest.mark.parametrize(
    ("spoil", "said"), [(_with_a_password, "the archive has a password"), (_damaged, "the archive cannot be read")]
)
def test_an_archive_that_cannot_be_opened_is_refused_in_plain_words(bring, tmp_path, spoil, said):
    file = tmp_path / "audience.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("unsubscribed_email_audience_export_1.csv", UNSUBSCRIBED)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(InputError, match=said):
        bring(file, Origin.MAILCHIMP, *MAPS, confirmed=True)


def test_a_tag_with_a_line_end_in_it_is_a_tag(bring, write_list, readers):
    text = 'Email Address,TAGS\njo@example.org,"Staff\nVIP, ""Asia desk"""\n'
    bring(write_list(text, "subscribed_1.csv"), Origin.MAILCHIMP, *MAPS, confirmed=True)
    assert set(readers.follows("jo@example.org")) == {"top", "north-korea", "oman"}


def test_readers_with_tags_of_their_own_cost_no_more_memory_than_others(monkeypatch):
    monkeypatch.setattr(lists, "_MOST_KNOWN", 3)
    known = lists.read_lists(["a=topic:oman", "b=topic:russia"], {"oman", "russia"})
    for names in itertools.permutations("abcd"):
        assert {follow.topic for follow in known.follows(names)} == {"oman", "russia"}
        assert len(known._follows) <= 3


def test_a_list_of_listmonks_without_a_name_is_no_list(bring, tmp_path, readers):
    file = tmp_path / "all.json"
    theirs = [{"name": name, "subscription_status": "confirmed"} for name in (7, "Asia desk")]
    file.write_text(json.dumps([{"email": "jo@example.org", "name": "Jo", "status": "enabled", "lists": theirs}]))
    bring(file, Origin.LISTMONK, *MAPS, confirmed=True)
    assert set(readers.follows("jo@example.org")) == {"top", "north-korea", "oman"}
