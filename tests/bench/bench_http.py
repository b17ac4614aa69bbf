"""What sending through an HTTP provider costs, beside a plain client's way, into a stub that takes everything.

    python -m tests.bench.bench_http [--write] [--rounds N] [--messages N]

Everybody writes the same digest of 25 KB as JSON for each reader. The peers post one message a request, twenty at
once, as most programs do: httpx as it comes, and aiohttp alone. Ours do the same (Brevo), or post batches (Postmark).
The stub answers at once, or after 20 ms as one that is far away; it has the other core to itself.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from importlib.metadata import version
from statistics import median
from typing import Any, Final

import aiohttp
import httpx
import uvloop

from tests.bench.page import conditions, table, write_section
from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports
from worker.adapters.transports.http import HttpTransport
from worker.model import Composition, DeliveryId, MessageParts, OutgoingMessage, Pieces, Receipt
from worker.ports import Request

_AT_ONCE: Final = 20
_PEER: Final = "httpx as it comes"
_ABOUT: Final = """\
A digest of 25 KB as JSON for each of {messages} readers, into a stub on this machine that answers at once, or 20 ms
later. Requests are written and answers read by everybody. The ratio is to httpx's own pool, the median of {rounds}
rounds in turns."""

_STORY: Final = (
    "The council approved a new budget after long debate, while engineers said that storage prices fell. " * 2
)
_HTML: Final = f'<tr><td style="padding:8px 24px;font:16px/1.5 Georgia,serif"><p>{_STORY}</p></td></tr>\n' * 84
DIGEST: Final = Composition(
    key="digest",
    subject=Pieces(literals=("Three stories for ", ""), holes=("name",)),
    text=Pieces(literals=("Dear ", f",\n\n{_STORY * 20}\n", "\n"), holes=("name", "unsubscribe_url")),
    html=Pieces(
        literals=("<p>Dear ", f',</p><table>{_HTML}</table><a href="', '">Leave</a>'), holes=("name", "unsubscribe_url")
    ),
)
Run = Callable[[Sequence[OutgoingMessage]], Coroutine[Any, Any, None]]


def letters(count: int) -> list[OutgoingMessage]:
    found = []
    for number in range(count):
        values = {"name": f"Reader {number}", "unsubscribe_url": f"https://news.example/unsubscribe/t{number}"}
        parts = MessageParts(
            composition=DIGEST,
            values=values,
            html_values={hole: html.escape(value) for hole, value in values.items()},
            from_name="The Harbour Courier",
            from_address="news@courier.example",
            reply_to="",
            to_name=values["name"],
            headers=(("List-Unsubscribe", f"<{values['unsubscribe_url']}>"),),
        )
        found.append(
            OutgoingMessage(
                delivery_id=DeliveryId(number),
                envelope_from="b@courier.example",
                recipient=f"reader{number}@example.org",
                message_id=f"{number}@courier.example",
                parts=parts,
            )
        )
    return found


def said(message: OutgoingMessage) -> dict[str, Any]:
    """Write a message as a program of one's own would."""
    parts = message.parts
    assert parts
    return {
        "sender": {"name": parts.from_name, "email": parts.from_address},
        "to": [{"email": message.recipient}],
        "subject": parts.subject,
        "htmlContent": parts.html,
        "textContent": parts.text,
        "headers": dict(parts.headers),
    }


async def at_once(messages: Sequence[OutgoingMessage], one: Callable[[OutgoingMessage], Awaitable[None]]) -> None:
    left = iter(messages)

    async def work() -> None:
        for message in left:
            await one(message)

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


def plain_httpx(url: str) -> Run:
    async def run(messages: Sequence[OutgoingMessage]) -> None:
        async with httpx.AsyncClient() as client:

            async def one(message: OutgoingMessage) -> None:
                response = await client.post(url, json=said(message))
                assert response.json()["messageId"]

            await at_once(messages, one)

    return run


def plain_aiohttp(url: str) -> Run:
    async def run(messages: Sequence[OutgoingMessage]) -> None:
        async with aiohttp.ClientSession() as session:

            async def one(message: OutgoingMessage) -> None:
                async with session.post(url, json=said(message)) as response:
                    assert (await response.json())["messageId"]

            await at_once(messages, one)

    return run


def ours(dsn: str) -> Run:
    async def run(messages: Sequence[OutgoingMessage]) -> None:
        (spec,) = parse_transports(dsn)
        transport = build(spec)
        assert isinstance(transport, HttpTransport)
        requests = iter(
            [
                Request(key=f"k{start}", messages=tuple(messages[start : start + transport.batch]))
                for start in range(0, len(messages), transport.batch)
            ]
        )

        async def work() -> None:
            for request in requests:
                assert all(isinstance(answer, Receipt) for answer in await transport.send(request))

        await asyncio.gather(*(work() for _ in range(transport.connections)))
        await transport.close()

    return run


async def stub(wait_s: float) -> None:
    """Play Postmark on /email/batch, and on everything else Brevo, as cheaply as can be."""
    item = {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817", "To": "x"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                many = head.startswith(b"POST /email/batch")
                answer: Any = [item] * body.count(b'"MessageStream"') if many else {"messageId": "<1@relay.example>"}
                if wait_s:
                    await asyncio.sleep(wait_s)
                said_back = json.dumps(answer).encode()
                about = f"Content-Type: application/json\r\nContent-Length: {len(said_back)}"
                writer.write(f"HTTP/1.1 200 OK\r\n{about}\r\n\r\n".encode() + said_back)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**26)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def measured(wait_s: float, *, messages: int, rounds: int) -> dict[str, list[float]]:
    """Let everybody take turns, and return messages a second, a figure a round."""
    command = [sys.executable, "-m", "tests.bench.bench_http", "--stub", str(wait_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        runs = {
            _PEER: plain_httpx(f"{url}/v3/smtp/email"),
            "aiohttp alone": plain_aiohttp(f"{url}/v3/smtp/email"),
            "ours, a message a request": ours(f"brevo://k@default?base_url={url}&connections={_AT_ONCE}"),
            "ours, 4 requests of 100": ours(f"postmark://k@default?base_url={url}&batch=100&connections=4"),
            "ours, 4 requests of 500": ours(f"postmark://k@default?base_url={url}&batch=500&connections=4"),
        }
        rates: dict[str, list[float]] = {name: [] for name in runs}
        crowd = letters(messages)
        try:
            for number in range(rounds + 1):
                for name, run in runs.items():
                    begun_s = time.perf_counter()
                    uvloop.run(run(crowd if number else crowd[: messages // 10]))
                    if number:  # the first turn warms up
                        rates[name].append(messages / (time.perf_counter() - begun_s))
        finally:
            process.kill()
    return rates


def drawn(rates: dict[str, list[float]]) -> str:
    rows = []
    for name, found in rates.items():
        ratios = [one / peer for one, peer in zip(found, rates[_PEER], strict=True)]
        rows.append(
            [name, f"{median(found):,.0f}", f"**{median(ratios):.1f}**", f"{min(ratios):.1f} to {max(ratios):.1f}"]
        )
    return table(["", "messages/s", "ratio", "lowest to highest"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--stub", type=float, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.stub is not None:
        uvloop.run(stub(chosen.stub))
    about = _ABOUT.format(messages=f"{chosen.messages:,}", rounds=chosen.rounds)
    parts = [about]
    for title, wait_s in (("### A stub that answers at once", 0.0), ("### A stub that is 20 ms away", 0.02)):
        parts += [title, drawn(measured(wait_s, messages=chosen.messages, rounds=chosen.rounds))]
        sys.stdout.write(f"{parts[-2]}\n\n{parts[-1]}\n\n")
        sys.stdout.flush()
    names = ("httpx", "aiohttp", "httpx-aiohttp")
    parts.append(conditions(*(f"{name} {version(name)}" for name in names)))
    if chosen.write:
        write_section("http", "\n\n".join(parts))


if __name__ == "__main__":
    main()
