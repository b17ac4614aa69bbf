"""Servers are asked politely, within a time, and only public ones; whatever they do, there is an answer."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from worker.adapters.sources import address_guard
from worker.preflight.links import Trouble
from worker.preflight.run_links import Manners, ask_links

MANNERS = Manners(user_agent="Tocsin/test (+https://news.courier.org)", allow_private=True, each_s=5, altogether_s=20)


def asked(web, *paths: str, manners: Manners = MANNERS, pictures: bool = False):
    urls = [f"{web.url}/{path}" for path in paths]
    answers = ask_links(urls, manners, pictures=frozenset(urls if pictures else ()))
    assert set(answers) == set(urls)
    return [answers[url] for url in urls]


def test_a_page_that_is_there_is_asked_by_one_head_that_says_who_asks(web):
    [answer] = asked(web, "200")
    assert (answer.status, web.asked) == (200, [("HEAD", "/200")])
    assert web.agents == {"Tocsin/test (+https://news.courier.org)"}


@pytest.mark.parametrize(("path", "status"), [("404", 404), ("410", 410), ("503", 503), ("nohead", 200)])
def test_only_the_answer_to_a_readers_get_counts_against_a_page(web, path, status):
    [answer] = asked(web, path)
    assert (answer.status, web.methods) == (status, {"HEAD": 1, "GET": 1})


def test_redirects_are_followed_and_circles_left(web):
    moved, loop = asked(web, "moved", "loop")
    assert (moved.status, moved.url) == (200, f"{web.url}/200")
    assert loop.trouble is Trouble.REDIRECTS
    assert web.methods["HEAD"] == 2 + 6


def test_a_server_that_is_silent_costs_its_time_and_no_more(web):
    slow, other = asked(web, "slow", "200", manners=replace(MANNERS, each_s=0.3))
    assert (slow.trouble, other.status) == (Trouble.SILENT, 200)


def test_what_no_time_is_left_for_is_not_asked(web):
    answers = asked(web, *(f"slow?{number}" for number in range(6)), manners=replace(MANNERS, altogether_s=0.3))
    assert {one.trouble for one in answers} == {Trouble.SILENT, Trouble.NO_TIME}
    assert len(web.asked) <= 4


def test_a_host_is_asked_two_questions_at_once_at_most(web):
    asked(web, *(f"200?{number}" for number in range(12)))
    assert web.busiest <= 2


def test_private_addresses_are_refused_at_once(web):
    [answer] = asked(web, "200", manners=replace(MANNERS, allow_private=False))
    assert (answer.trouble, web.asked) == (Trouble.PRIVATE, [])


def test_a_redirect_to_a_private_address_is_refused_too(web, monkeypatch):
    monkeypatch.setattr(address_guard, "is_public", lambda address: address == "127.0.0.1")
    inside, plain = asked(web, "inside", "200", manners=replace(MANNERS, allow_private=False))
    assert (inside.trouble, plain.status) == (Trouble.PRIVATE, 200)
    assert ("HEAD", "/200") in web.asked


def test_who_is_not_there_cannot_be_reached():
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert ask_links([url], MANNERS)[url].trouble is Trouble.UNREACHABLE


def test_a_picture_is_weighed_no_further_than_it_matters(web):
    small, big = asked(web, "picture-100", "picture-5000000", pictures=True)
    assert (small.size_bytes, small.content_type) == (100, "image/png")
    assert big.size_bytes is not None
    assert 1_000_000 < big.size_bytes < 2_000_000
