"""What the W3C's WebSub asks of subscribers, clause by clause, over real sockets with a hub of our own."""

from __future__ import annotations

import hmac
import re

import pytest

from tests.websub_hub import Mood, websub_hub
from worker.hubs import HubState
from worker.tokens import Purpose

from .hubbed import Hubbed, hubbed, rss

# Section 4: discovery ------------------------------------------------------------------------------------------------


def test_4_a_hub_in_a_link_header_is_asked_under_the_self_link_and_not_the_polled_address(
    pushed: Hubbed,
):
    pushed.publish("1", link=f'<{pushed.hub.hub}>; rel="hub"')
    pushed.hub.documents["/feed.xml"][1]["Link"] += ', </canonical.xml>; rel="self"'
    pushed.poll(pushed.watch())
    pushed.sweep()
    [wish] = pushed.hub.wishes
    assert wish.told["hub.topic"] == f"{pushed.hub.url}/canonical.xml"


def test_4_link_headers_come_before_what_the_document_says(pushed: Hubbed):
    links = '<atom:link rel="hub" href="/wrong"/><atom:link rel="self" href="/wrong.xml"/>'
    header = {"Link": f'<{pushed.hub.hub}>; rel="hub", </right.xml>; rel="self"'}
    pushed.hub.documents["/feed.xml"] = (rss("1", links=links), header)
    pushed.poll(pushed.watch())
    row = pushed.row()
    assert (row.hub, row.topic) == (pushed.hub.hub, f"{pushed.hub.url}/right.xml")


# Section 5.1: the request --------------------------------------------------------------------------------------------


def test_5_1_the_request_is_a_form_with_callback_mode_topic_and_a_short_secret(pushed: Hubbed):
    pushed.subscribed("1")
    [wish] = pushed.hub.wishes
    assert wish.headers["content-type"] == "application/x-www-form-urlencoded"
    assert wish.told["hub.mode"] == "subscribe"
    assert wish.told["hub.topic"] == pushed.hub.topic
    assert int(wish.told["hub.lease_seconds"]) == 864_000
    assert 32 <= len(wish.told["hub.secret"].encode()) < 200
    assert wish.callback.startswith(f"{pushed.house.base_url}/websub/")


def test_5_1_1_each_subscription_has_a_callback_and_a_secret_of_its_own_and_the_database_holds_neither(pushed: Hubbed):
    for path in ("/a.xml", "/b.xml"):
        pushed.publish("1", path=path)
        pushed.poll(pushed.watch(path))
    pushed.sweep()
    first, second = pushed.hub.wishes
    told = {first.callback, second.callback, first.told["hub.secret"], second.told["hub.secret"]}
    assert len(told) == 4
    stored = repr([tuple(row) for row in pushed.rows()])
    for word in told:
        signature = word.rpartition(".")[2]
        assert len(signature) >= 43  # 256 bits
        assert signature not in stored


def test_5_1_2_a_redirected_request_is_made_again_at_the_new_hub(pushed: Hubbed):
    pushed.hub.mood = Mood.MOVED
    pushed.publish("1")
    pushed.poll(pushed.watch())
    pushed.sweep()
    [wish] = pushed.hub.wishes
    assert (wish.path, wish.told["hub.mode"]) == ("/other", "subscribe")


# Section 5.2: validation ---------------------------------------------------------------------------------------------


def test_5_2_a_denied_subscription_is_not_possible_any_more_even_when_it_was_active(pushed: Hubbed, caplog):
    source_id, wish = pushed.subscribed("1")
    answer = pushed.hub.deny(wish, "not for you\x1b[31m")
    assert (answer.status_code, answer.text) == (200, "")
    row = pushed.row()
    assert (row.state, row.last_error, row.lease_until) == (HubState.REFUSED, "denied: not for you [31m", None)
    assert not pushed.is_pushed(source_id)
    assert pushed.hub.verify(wish).status_code == 404
    assert pushed.hub.push(wish, rss("2")).status_code == 410
    assert "denies source" in caplog.text
    pushed.later(days=1, minutes=1)
    pushed.sweep()
    assert [wish.told["hub.mode"] for wish in pushed.hub.wishes] == ["subscribe", "subscribe"]  # once more, after a day


# Section 5.3: verification of intent ---------------------------------------------------------------------------------


def test_5_3_1_the_challenge_of_what_we_asked_for_is_echoed_as_text_that_no_browser_runs(pushed: Hubbed):
    pushed.publish("1")
    source_id = pushed.watch()
    pushed.poll(source_id)
    pushed.sweep()
    [wish] = pushed.hub.wishes
    assert not pushed.is_pushed(source_id)
    answer = pushed.hub.verify(wish, challenge="<script>alert(1)</script>")
    assert (answer.status_code, answer.text) == (200, "<script>alert(1)</script>")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert pushed.is_pushed(source_id)


def test_5_3_1_what_we_have_not_asked_for_is_404_and_changes_nothing(pushed: Hubbed):
    pushed.publish("1")
    pushed.poll(pushed.watch())
    pushed.sweep()
    before = pushed.row()
    not_asked_for: list[dict[str, str | None]] = [
        {"topic": "https://elsewhere.example/feed"},
        {"topic": None},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"mode": None},
        {"challenge": None},
        {"challenge": "x" * 5000},
        {"lease_seconds": "-1"},
        {"lease_seconds": "0"},
        {"lease_seconds": "forever"},
    ]
    for changed in not_asked_for:
        answer = pushed.hub.verify(pushed.hub.wishes[0], **changed)
        assert (answer.status_code, answer.text, changed) == (404, "404 Not Found\n", changed)
        assert pushed.row() == before


def test_5_3_1_a_question_before_we_have_asked_is_404(pushed: Hubbed):
    pushed.publish("1")
    pushed.poll(pushed.watch())
    token = pushed.house.tokens.sign(Purpose.WEBSUB, pushed.row().id)
    told = {"hub.mode": "subscribe", "hub.topic": pushed.hub.topic, "hub.challenge": "x", "hub.lease_seconds": "9"}
    assert pushed.client.get(f"{pushed.house.base_url}/websub/{token}", params=told).status_code == 404


def test_5_3_1_a_token_that_we_have_not_made_looks_like_a_question_that_we_refuse(pushed: Hubbed):
    _, wish = pushed.subscribed("1")
    refused = pushed.hub.verify(wish, topic="https://elsewhere.example/feed")
    forged = [wish.callback[:-1] + ("A" if wish.callback[-1] != "A" else "B"), f"{pushed.house.base_url}/websub/x"]
    purpose = pushed.house.tokens.sign(Purpose.WEBSUB_SECRET, pushed.row().id)  # the secret is no callback
    for callback in (*forged, f"{pushed.house.base_url}/websub/{purpose}"):
        for answer in (pushed.client.get(callback, params={"hub.mode": "subscribe"}), pushed.client.post(callback)):
            assert (answer.status_code, answer.text) == (refused.status_code, refused.text)
            assert answer.headers["content-type"] == refused.headers["content-type"]


def test_5_3_a_lease_is_renewed_after_two_thirds_of_it_under_the_same_callback(pushed: Hubbed):
    pushed.hub.lease = "90000"
    source_id, wish = pushed.subscribed("1")
    pushed.later(seconds=59_000)
    assert pushed.sweep() == 0
    pushed.later(seconds=60_100)
    assert pushed.sweep() == 1
    assert pushed.hub.wishes[-1].told == wish.told
    assert pushed.row().state is HubState.ACTIVE  # nothing is interrupted meanwhile
    pushed.hub.settle()
    pushed.later(seconds=100_000)  # the first lease is over, the second is not
    assert pushed.is_pushed(source_id)


def test_5_3_a_lease_that_nobody_renews_ends_and_the_source_is_polled_as_before(pushed: Hubbed):
    pushed.hub.lease = "6000"
    source_id, _ = pushed.subscribed("1")
    with pushed.house.database.write() as conn:
        conn.exec_driver_sql("UPDATE source SET next_poll_at = '2099-01-01 00:00:00.000000'")
    pushed.hub.mood = Mood.FAILS
    for seconds in range(4_100, 6_600, 300):
        pushed.later(seconds=seconds)
        pushed.sweep()
    row = pushed.row()
    assert (row.state, row.last_error) == (HubState.ASKED, "it answers 503: busy")
    assert not pushed.is_pushed(source_id)
    assert pushed.source(source_id).next_poll_at.year < 2099
    pushed.hub.mood = Mood.WELL
    pushed.later(days=2)
    pushed.sweep()
    pushed.hub._verified = len(pushed.hub.wishes) - 1
    assert [answer.status_code for answer in pushed.hub.settle()] == [200]
    assert pushed.is_pushed(source_id)


def test_a_hub_of_pubsubhubbub_03_may_verify_before_it_answers_and_name_no_lease(pushed: Hubbed):
    pushed.hub.mood, pushed.hub.lease = Mood.AT_ONCE, None
    pushed.publish("1")
    pushed.poll(pushed.watch())
    pushed.sweep()
    row = pushed.row()
    assert (row.state, (row.lease_until - row.verified_at).days) == (HubState.ACTIVE, 10)
    assert pushed.hub.wishes[0].told["hub.verify"] == "async"


# Section 7: content distribution -------------------------------------------------------------------------------------


def test_7_1_a_push_that_is_signed_by_any_of_the_methods_is_taken_in_as_if_it_was_polled(pushed: Hubbed):
    _, wish = pushed.subscribed("1")
    for number, method in enumerate(["sha1", "sha256", "sha384", "sha512"], start=2):
        answer = pushed.hub.push(wish, rss(str(number)), method=method)
        assert (answer.status_code, answer.text) == (202, "")
        assert pushed.house.rung[-1] == ("sweep_hubs",)
    assert pushed.titles() == ["1"]  # nothing is read by the process that answers
    assert len(list(pushed.house.hubs.sweep())) == 4
    assert (pushed.titles(), pushed.waiting()) == (["1", "2", "3", "4", "5"], 0)
    assert pushed.counts()["pushes"] == 4


def test_7_1_2_a_push_that_is_not_signed_is_acknowledged_alike_and_ignored(pushed: Hubbed):
    _, wish = pushed.subscribed("1")
    body = rss("2")
    right = hmac.digest(wish.told["hub.secret"].encode(), body, "sha256").hex()
    wrong = [
        "",
        right,
        f"sha1={right}",
        f"sha256={right[:-1]}",
        f"md5={right[:32]}",
        "sha256=" + "0" * 64,
        "=",
        "sha256",
    ]
    for signature in wrong:
        answer = pushed.hub.push(wish, body, X_Hub_Signature=signature)
        assert (answer.status_code, answer.text) == (202, "")
    assert pushed.waiting() == 0
    assert (pushed.counts()["forged"], pushed.counts()["pushes"]) == (len(wrong), 0)
    assert pushed.hub.push(wish, body, X_Hub_Signature=f"SHA256={right.upper()}").status_code == 202
    assert pushed.waiting() == 1


def test_7_1_2_a_signature_of_another_subscription_signs_nothing_here(pushed: Hubbed):
    for path in ("/a.xml", "/b.xml"):
        pushed.publish("1", path=path)
        pushed.poll(pushed.watch(path))
    pushed.sweep()
    pushed.hub.settle()
    first, second = pushed.hub.wishes
    other = pushed.hub.push(
        type(first)(first.path, first.headers, first.told | {"hub.callback": second.callback}), rss("2")
    )
    assert (other.status_code, pushed.waiting(), pushed.counts()["forged"]) == (202, 0, 1)


def test_7_the_link_headers_of_a_push_do_not_say_which_source_it_is_of(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    pushed.hub.push(wish, rss("2"), Link='<https://else.example/>; rel="self"')
    pushed.house.hubs.reader.take_in()
    with pushed.house.database.read() as conn:
        owners = conn.exec_driver_sql("SELECT DISTINCT source_id FROM article").scalars().all()
    assert owners == [source_id]


def test_7_a_subscription_that_has_ended_is_410(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    with pushed.house.database.write() as conn:
        conn.exec_driver_sql(f"UPDATE source SET state = 'paused' WHERE id = {source_id}")
    pushed.sweep()
    assert pushed.hub.push(wish, rss("2")).status_code == 410
    assert pushed.waiting() == 0


# Unsubscribing (section 5) -------------------------------------------------------------------------------------------


def test_5_a_paused_source_unsubscribes_confirms_that_and_nothing_else(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    with pushed.house.database.write() as conn:
        conn.exec_driver_sql(f"UPDATE source SET state = 'paused' WHERE id = {source_id}")
    pushed.sweep()
    goodbye = pushed.hub.wishes[-1]
    assert (goodbye.told["hub.mode"], goodbye.callback) == ("unsubscribe", wish.callback)
    assert "hub.secret" not in goodbye.told
    assert pushed.hub.verify(wish).status_code == 404
    assert pushed.hub.verify(goodbye).status_code == 200
    assert pushed.row().state is HubState.ENDED
    assert pushed.hub.verify(goodbye).status_code == 404


def test_a_hub_that_never_confirms_a_goodbye_hears_it_three_times(pushed: Hubbed):
    source_id, _ = pushed.subscribed("1")
    with pushed.house.database.write() as conn:
        conn.exec_driver_sql(f"UPDATE source SET state = 'gone' WHERE id = {source_id}")
    for hours in range(0, 60, 12):
        pushed.later(hours=hours)
        pushed.sweep()
    assert [wish.told["hub.mode"] for wish in pushed.hub.wishes] == ["subscribe"] + ["unsubscribe"] * 3
    assert pushed.row().state is HubState.ENDED


# Hubs of every mood --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mood", "error"), [(Mood.FAILS, "it answers 503: busy"), (Mood.WELL, "")])
def test_a_hub_that_fails_or_never_verifies_is_asked_again_ever_more_patiently(pushed: Hubbed, mood, error):
    pushed.hub.mood = mood
    pushed.publish("1")
    pushed.poll(pushed.watch())
    asked = []
    for minutes in range(0, 120, 3):
        pushed.later(minutes=minutes)
        if pushed.sweep():
            asked.append(minutes)
    assert asked == [0, 6, 21, 81]  # after 5 minutes, 15, an hour
    assert (pushed.row().state, pushed.row().last_error) == (HubState.ASKED, error)


def test_a_hub_that_refuses_is_left_alone_for_a_day_and_another_one_that_the_feed_names_is_asked(pushed: Hubbed):
    pushed.hub.mood = Mood.REFUSES
    both = f'<{pushed.hub.hub}>; rel="hub", <{pushed.hub.url}/second>; rel=hub'
    pushed.publish("1", link=both)
    source_id = pushed.watch()
    pushed.poll(source_id)
    pushed.sweep()
    row = pushed.row()
    assert (row.state, row.last_error) == (HubState.REFUSED, "it answers 400: no such topic here [31m")
    pushed.hub.mood = Mood.WELL
    pushed.publish("2", "1", link=both)
    pushed.poll(source_id)
    pushed.sweep()
    assert [wish.path for wish in pushed.hub.wishes] == ["/hub", "/second"]
    pushed.hub.settle()
    assert [row.state for row in pushed.rows()] == [HubState.REFUSED, HubState.ACTIVE]
    pushed.later(days=1, minutes=1)
    pushed.sweep()
    assert [row.state for row in pushed.rows()] == [HubState.ENDED, HubState.ACTIVE]


def test_a_hub_that_never_answers_holds_up_no_other(make_house):
    with hubbed(make_house) as pushed, websub_hub() as slow:
        slow.mood = Mood.HANGS
        pushed.house.hubs.subscriber._terms = type(pushed.house.hubs.subscriber._terms)(
            base_url=pushed.house.base_url, user_agent="t", allow_private=True, timeout_s=0.5
        )
        for number in range(6):
            pushed.publish("1", link=f'<{slow.hub}>; rel="hub"', path=f"/slow{number}.xml")
            pushed.poll(pushed.watch(f"/slow{number}.xml"))
        pushed.publish("1")
        pushed.poll(pushed.watch())
        pushed.sweep()
        assert len(pushed.hub.wishes) == 1
        errors = [row.last_error for row in pushed.rows()]
        assert errors == ["no answer within 0.5 s"] * 6 + [""]


def test_nothing_but_the_route_gets_into_the_access_log(pushed: Hubbed, caplog):
    caplog.set_level("INFO", "worker.web.access")
    _, wish = pushed.subscribed("1")
    pushed.hub.push(wish, rss("2"))
    assert "/websub/{token}" in caplog.text
    assert not re.search(re.escape(wish.callback.rpartition(".")[2]), caplog.text)
