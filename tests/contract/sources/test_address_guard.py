"""No fetch reaches a machine that is not on the public internet, whatever name it goes by."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.sources.scripted_web import reply, scripted_web
from worker.adapters.sources.address_guard import is_public
from worker.adapters.sources.fetch import fetch, make_client
from worker.errors import FetchError


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1",
        "64:ff9b:1::a00:1", "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_known_for_it(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_a_public_address_is_known_for_it(address):
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]"])
def test_a_private_server_is_never_connected_to_under_any_name(host):
    async def scene() -> int:
        async with scripted_web() as web, make_client("x") as http:
            web.answers = {"/": reply(200, b"secret")}
            url = web.url.replace("127.0.0.1", host)
            with pytest.raises(FetchError, match=r"not on the public internet|cannot find"):
                await fetch(http, url + "/")
            return web.connections

    assert asyncio.run(scene()) == 0


def test_the_guard_can_be_lifted_for_a_newsrooms_own_network():
    async def scene() -> bytes:
        async with scripted_web() as web, make_client("x", allow_private=True) as http:
            web.answers = {"/": reply(200, b"ours")}
            return (await fetch(http, web.url + "/")).data

    assert asyncio.run(scene()) == b"ours"


def test_a_name_that_does_not_resolve_is_a_fetch_error():
    async def scene() -> None:
        async with make_client("x") as http:
            await fetch(http, f"http://{'a' * 70}.invalid/")

    with pytest.raises(FetchError):
        asyncio.run(scene())


@pytest.mark.parametrize(
    "address", ["192.0.0.192", "168.63.129.16", "64:ff9b::c000:c0", "64:ff9b::a83f:8110", "2002:c000:c0::1"]
)
def test_where_clouds_keep_what_their_machines_may_know_is_not_public(address):
    assert not is_public(address)
