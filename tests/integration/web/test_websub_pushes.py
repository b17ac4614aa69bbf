"""What hubs push, and what they miss: nothing lost, nothing doubled, and nobody else pays for a flood."""

from __future__ import annotations

import threading

from worker.cli.hub_state import hubs
from worker.cli.source_tables import told_of
from worker.health import Health
from worker.hubs import HubState
from worker.intake.websub import MISSES_BORNE
from worker.store import sources
from worker.web.push_budgets import BURST
from worker.web.websub import MAX_PUSH_BYTES, MAX_READ_BYTES

from .hubbed import Hubbed, hubbed, rss


def take_in(pushed: Hubbed) -> int:
    return len(pushed.house.hubs.reader.take_in())


def far_off(pushed: Hubbed) -> None:
    """Poll nothing for a long time, as while a hub is relied on; the last poll was long ago."""
    with pushed.house.database.write() as conn:
        conn.exec_driver_sql("UPDATE source SET next_poll_at = '2099-01-01 00:00:00.000000'")
        conn.exec_driver_sql("UPDATE source SET last_polled_at = '2020-01-01 00:00:00.000000'")


def is_due(pushed: Hubbed, source_id: int) -> bool:
    return bool(pushed.source(source_id).next_poll_at.year < 2099)  # type: ignore[arg-type]  # a number will do


def test_the_same_push_twice_and_a_worker_that_dies_in_between_make_each_article_once(pushed: Hubbed):
    _, wish = pushed.subscribed("1")
    for _ in range(2):
        assert pushed.hub.push(wish, rss("3", "2")).status_code == 202
    assert pushed.waiting() == 1
    with pushed.house.database.write() as conn:
        from worker.store import pushes

        [claimed] = pushes.claim(conn, limit=8, claim_s=120)  # and never hears of it again
        assert pushes.claim(conn, limit=8, claim_s=120) == []
    assert (take_in(pushed), claimed.attempts) == (0, 1)
    pushed.later(seconds=121)
    assert take_in(pushed) == 2
    pushed.hub.push(wish, rss("3", "2"))
    assert take_in(pushed) == 0
    assert pushed.titles() == ["1", "2", "3"]


def test_many_workers_read_a_push_once(pushed: Hubbed):
    _, wish = pushed.subscribed("1")
    pushed.hub.push(wish, rss("2"))
    pushed.hub.push(wish, rss("3"))
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(take_in(pushed))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(found), sorted(pushed.titles())) == (2, ["1", "2", "3"])  # the two are read beside one another


def test_a_thin_ping_has_the_source_polled_at_once(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    far_off(pushed)
    assert pushed.hub.push(wish, b"").status_code == 202
    assert (is_due(pushed, source_id), pushed.waiting()) == (True, 0)
    assert pushed.house.rung[-1] == ("sweep_sources",)


def test_a_hub_may_not_have_us_ask_its_publisher_without_pause(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    before = pushed.source(source_id).last_polled_at
    pushed.hub.push(wish, b"")
    after = pushed.source(source_id).next_poll_at
    assert (after - before).total_seconds() >= 60


def test_a_push_that_is_too_large_compressed_or_no_feed_has_the_source_polled_in_its_place(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    large = rss("2") + b" " * MAX_PUSH_BYTES
    for body, encoding in ((large, ""), (rss("2"), "gzip"), (b"this is no feed", "")):
        far_off(pushed)
        answer = pushed.hub.push(wish, body, Content_Encoding=encoding)
        assert answer.status_code == 202
        assert (take_in(pushed), pushed.waiting()) == (0, 0)
        assert is_due(pushed, source_id)
    far_off(pushed)
    pushed.hub.push(wish, large, X_Hub_Signature="sha1=00")
    assert not is_due(pushed, source_id)  # but for nobody without a signature
    assert pushed.hub.push(wish, b" " * (MAX_READ_BYTES + 1)).status_code == 413


def test_what_breaks_whoever_reads_it_is_given_up_and_the_source_polled(pushed: Hubbed, monkeypatch, caplog):
    source_id, wish = pushed.subscribed("1")
    pushed.hub.push(wish, rss("2"))
    far_off(pushed)
    reader = pushed.house.hubs.reader

    def breaks(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(reader._intake, "take_feed", breaks)
    for minutes in range(0, 20, 4):
        pushed.later(minutes=minutes)
        assert take_in(pushed) == 0
    assert (pushed.waiting(), is_due(pushed, source_id)) == (0, True)
    assert caplog.text.count("breaks us") == 3


def test_what_takes_for_ever_to_read_costs_seconds_and_its_hub_the_right_to_push(pushed: Hubbed, caplog):
    """Any feed may name any hub, and who reads pushes also plans mails."""
    source_id, wish = pushed.subscribed("1")
    far_off(pushed)
    pushed.house.hubs.reader._read_s = 0.01
    for first in (2, 3, 4):
        pushed.hub.push(wish, rss(*map(str, range(first, 5_000))))
    assert take_in(pushed) == 0
    assert (pushed.waiting(), is_due(pushed, source_id), pushed.row().state) == (0, True, HubState.REFUSED)
    assert caplog.text.count("takes more than 0.01 s") == 1  # the others are not even looked at
    assert pushed.hub.push(wish, rss("2")).status_code == 410


def test_a_flood_on_one_callback_is_told_to_wait_and_costs_another_nothing(pushed: Hubbed, monkeypatch):
    monkeypatch.setattr("worker.web.push_budgets.A_MINUTE", 0)  # however slow this machine is
    for path in ("/a.xml", "/b.xml"):
        pushed.publish("1", path=path)
        pushed.poll(pushed.watch(path))
    pushed.sweep()
    pushed.hub.settle()
    first, second = sorted(pushed.hub.wishes, key=lambda wish: wish.told["hub.topic"])
    far_off(pushed)
    answers = [pushed.hub.push(first, rss(str(number)), X_Hub_Signature="sha1=00") for number in range(BURST + 5)]
    assert [answer.status_code for answer in answers[:BURST]] == [202] * BURST
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "60")
    assert [is_due(pushed, number) for number in (1, 2)] == [True, False]  # what is turned away is not lost
    assert pushed.hub.push(second, rss("2")).status_code == 202
    assert take_in(pushed) == 1


def test_only_so_many_pushes_of_one_hub_wait_and_the_rest_is_polled(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    far_off(pushed)
    for number in range(2, 11):
        assert not is_due(pushed, source_id)
        assert pushed.hub.push(wish, rss(str(number))).status_code == 202
    assert (pushed.waiting(), is_due(pushed, source_id)) == (8, True)


def test_news_that_no_push_has_told_is_a_miss_and_after_several_the_hub_is_not_relied_on(pushed: Hubbed):
    source_id, wish = pushed.subscribed("0")
    pushed.later(minutes=1)
    pushed.poll(source_id)
    assert pushed.is_pushed(source_id)
    for number in range(1, MISSES_BORNE + 1):
        assert pushed.is_pushed(source_id)
        far_off(pushed)
        pushed.publish(str(number), "0")
        pushed.later(hours=number)
        assert len(pushed.poll(source_id)) == 1
        pushed.later(hours=number, minutes=9)
        pushed.sweep()
        assert pushed.row().misses == number - 1  # a push may still come
        pushed.later(hours=number, minutes=11)
        pushed.sweep()
        assert pushed.row().misses == number
    assert not pushed.is_pushed(source_id)
    assert is_due(pushed, source_id)
    assert [wish.told["hub.mode"] for wish in pushed.hub.wishes] == ["subscribe"] * 2  # it may have forgotten us
    pushed.hub.settle()
    assert not pushed.is_pushed(source_id)  # words are not enough
    pushed.hub.push(wish, rss("9"))
    take_in(pushed)
    assert pushed.is_pushed(source_id)
    assert pushed.row().misses == MISSES_BORNE


def test_news_that_a_push_tells_a_little_later_or_that_a_thin_ping_announced_is_no_miss(pushed: Hubbed):
    source_id, wish = pushed.subscribed("0")
    pushed.later(minutes=1)
    pushed.poll(source_id)
    pushed.publish("2", "1", "0")
    pushed.later(hours=1)
    assert len(pushed.poll(source_id)) == 2
    assert len(pushed.row().suspects) == 2
    pushed.hub.push(wish, rss("1"))
    take_in(pushed)
    assert len(pushed.row().suspects) == 1
    pushed.hub.push(wish, rss("2"))
    take_in(pushed)
    row = pushed.row()
    assert (row.suspects, row.suspects_until) == (None, None)
    pushed.later(hours=2)
    pushed.hub.push(wish, b"")
    pushed.publish("3", "2", "1", "0")
    with pushed.house.database.write() as conn:
        conn.exec_driver_sql("UPDATE websub SET missed_in_a_row = 3")
    assert len(pushed.poll(source_id)) == 1
    assert (pushed.row().suspects, pushed.row().missed_in_a_row) == (None, 0)


def test_a_push_for_a_source_whose_pages_are_fetched_has_it_polled(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    with pushed.house.database.write() as conn:
        sources.change(conn, source_id, pages=True)
    far_off(pushed)
    pushed.hub.push(wish, rss("2"))
    assert (take_in(pushed), pushed.waiting(), is_due(pushed, source_id)) == (0, 0, True)


def test_a_document_that_names_another_hub_or_none_any_more_ends_the_subscription(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    for item in ("2", "3"):
        pushed.publish(item, link="")
        pushed.poll(source_id)
        pushed.sweep()
    assert pushed.row().state is HubState.ACTIVE  # some servers forget a header at times
    pushed.publish("4")
    pushed.poll(source_id)
    assert pushed.row().absences == 0
    pushed.publish("5", link=f'<{pushed.hub.url}/other>; rel="hub"')
    pushed.poll(source_id)
    pushed.sweep()
    assert sorted((wish.path, wish.told["hub.mode"]) for wish in pushed.hub.wishes[1:]) == [
        ("/hub", "unsubscribe"),
        ("/other", "subscribe"),
    ]
    assert pushed.hub.push(wish, rss("6")).status_code == 410
    assert [answer.status_code for answer in pushed.hub.settle()] == [200, 200]
    assert [row.state for row in pushed.rows()] == [HubState.ENDED, HubState.ACTIVE]
    for item in ("7", "8", "9"):
        pushed.publish(item, link="")
        pushed.poll(source_id)
    assert pushed.rows()[-1].state is HubState.LEAVING


def test_a_hub_is_asked_only_where_it_can_reach_us_and_is_told_when_that_ends(make_house):
    with hubbed(make_house) as pushed:
        pushed.subscribed("1")
        source_id = pushed.rows()[0].source_id
        for settings in ({"websub": "off", "allow_private": True}, {}, {"base_url": "https://10.0.0.1"}):
            other = make_house(**({"base_url": pushed.house.base_url} | settings))
            other.poller.poll(source_id)
            assert other.hubs.subscriber.sweep() == (settings.get("websub") == "off")
        assert [wish.told["hub.mode"] for wish in pushed.hub.wishes] == ["subscribe", "unsubscribe"]


def test_no_hub_at_a_private_address_or_without_https_is_ever_asked(make_house):
    with hubbed(make_house) as pushed:
        pushed.publish("1")
        pushed.poll(pushed.watch())
        guarded = make_house(base_url=pushed.house.base_url, websub="on")
        assert guarded.hubs.subscriber.sweep() == 1
        assert (pushed.hub.wishes, pushed.row().last_error) == ([], "hubs are asked over HTTPS only")
        with pushed.house.database.write() as conn:
            conn.exec_driver_sql("UPDATE websub SET hub = replace(hub, 'http:', 'https:')")
        pushed.later(minutes=6)
        assert guarded.hubs.subscriber.sweep() == 1
        assert "127.0.0.1, which is not on the public internet" in pushed.row().last_error


def test_monitors_and_the_doctor_are_told_how_hubs_are(pushed: Hubbed):
    assert [finding.says for finding in hubs(pushed.house)] == ["no watched feed names a hub"]
    source_id, wish = pushed.subscribed("1")
    pushed.hub.push(wish, rss("2"))
    assert [finding.says for finding in hubs(pushed.house)] == ["1 of 1 subscriptions are active"]
    figures = pushed.client.get(f"{pushed.house.base_url}/metrics").text
    for line in ('tocsin_websub_subscriptions{state="active"} 1', "tocsin_websub_pushes 1", "tocsin_websub_unread 1"):
        assert line in figures
    pushed.later(minutes=6)
    pushed.hub.deny(wish, "too many")
    late, refused = hubs(pushed.house)
    assert (late.health, late.says) == (Health.ILL, "a push has waited to be read for 6 minutes")
    assert refused.says == f"the hub {pushed.hub.hub} of source {source_id} refuses its subscription: denied: too many"


def test_the_list_of_sources_tells_of_its_hubs(pushed: Hubbed):
    source_id, wish = pushed.subscribed("1")
    pushed.hub.push(wish, rss("2"))
    told = told_of(pushed.house, pushed.source(source_id))
    assert told["websub"] | {"lease_until": None, "last_push_at": None} == {
        "hub": pushed.hub.hub,
        "topic": pushed.hub.topic,
        "state": "active",
        "lease_until": None,
        "last_push_at": None,
        "pushes": 1,
        "forged": 0,
        "misses": 0,
        "last_error": "",
        "relied_on": True,
    }
    pushed.hub.deny(wish)
    told = told_of(pushed.house, pushed.source(source_id))
    assert (told["websub"]["relied_on"], told["wrong"]) == (False, "its hub refuses us")
