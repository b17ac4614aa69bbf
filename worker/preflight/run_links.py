"""Asks the servers of a mail's links and pictures whether they are there: politely, in a given time, public ones only.

A HEAD, and a GET whose body is not waited for where a server knows no HEAD. At most two questions at once to a host and
eight in all. Every hop of a redirect meets the guard of `adapters.sources.address_guard`: links are anybody's words.
Decides nothing about what an answer means. Called by `worker.rehearsal`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from worker.adapters.sources.fetch import make_client
from worker.errors import FetchError, PrivateAddressError
from worker.preflight.check_pictures import HEAVY_BYTES
from worker.preflight.links import Answer, Trouble, host_of

MOST_REDIRECTS: Final = 5
_AT_ONCE: Final = 8
_AT_ONCE_A_HOST: Final = 2
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Accept": "text/html,application/xhtml+xml,image/*;q=0.9,*/*;q=0.8"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Manners:
    """How servers are asked. `allow_private` lifts the guard, for a newsroom's own network and for tests."""

    user_agent: str
    allow_private: bool = False
    each_s: float = 10.0
    altogether_s: float = 60.0


def ask_links(
    urls: Sequence[str],
    manners: Manners,
    *,
    pictures: frozenset[str] = frozenset(),
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> dict[str, Answer]:
    """Return an answer for every address, whatever happens. `tell` hears how many are done, and of how many."""
    return asyncio.run(_ask_all(urls, manners, pictures, tell)) if urls else {}


async def _ask_all(
    urls: Sequence[str], manners: Manners, pictures: frozenset[str], tell: Callable[[int, int], None]
) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    in_all = asyncio.Semaphore(_AT_ONCE)
    of_host: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE_A_HOST))
    give_up_s = time.monotonic() + manners.altogether_s

    async def ask(client: httpx.AsyncClient, url: str) -> None:
        async with of_host[host_of(url)], in_all:
            left_s = give_up_s - time.monotonic()
            if left_s <= 0:
                answers[url] = Answer(trouble=Trouble.NO_TIME)
            else:
                answers[url] = await _ask(client, url, within_s=min(manners.each_s, left_s), weigh=url in pictures)
        tell(len(answers), len(urls))

    async with make_client(manners.user_agent, allow_private=manners.allow_private) as client:
        await asyncio.gather(*(ask(client, url) for url in urls))
    return answers


async def _ask(client: httpx.AsyncClient, url: str, *, within_s: float, weigh: bool) -> Answer:
    try:
        async with asyncio.timeout(within_s):
            answer = await _follow(client, "HEAD", url, weigh=weigh)
            # Whatever a server says to a HEAD against the address, only its answer to a reader's GET counts.
            is_enough = answer.status is not None and answer.status < 400 and not (weigh and answer.size_bytes is None)
            if is_enough or answer.trouble is Trouble.REDIRECTS:
                return answer
            return await _follow(client, "GET", url, weigh=weigh)
    except TimeoutError:
        return Answer(trouble=Trouble.SILENT, says=f"gives no answer within {within_s:.0f} s")
    except PrivateAddressError as error:
        return Answer(trouble=Trouble.PRIVATE, says=str(error))
    except FetchError as error:
        return Answer(trouble=Trouble.UNREACHABLE, says=str(error)[:200])
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        why = re.sub(r"\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
        return Answer(trouble=Trouble.UNREACHABLE, says=f"cannot be reached: {why}"[:200])


async def _follow(client: httpx.AsyncClient, method: str, url: str, *, weigh: bool) -> Answer:
    here = httpx.URL(url)
    for _ in range(MOST_REDIRECTS + 1):
        # No timeouts of httpx's own: the caller's covers the whole, also a server that sends a byte now and then.
        async with client.stream(method, here, headers=_HEADERS, follow_redirects=False, timeout=None) as response:
            location = response.headers.get("Location", "").strip()
            if response.status_code not in _REDIRECTS or not location:
                return await _received(response, weigh=weigh and method == "GET")
            here = response.url.join(location)
            if here.scheme not in {"http", "https"} or not here.host:
                return Answer(trouble=Trouble.UNREACHABLE, says=f"redirects to {str(here)[:80]}, no address on the web")
    return Answer(trouble=Trouble.REDIRECTS)


async def _received(response: httpx.Response, *, weigh: bool) -> Answer:
    said = response.headers.get("Content-Length", "")
    size = int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None
    if weigh and size is None:
        size = 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > HEAVY_BYTES:
                break
    return Answer(
        status=response.status_code,
        url=str(response.url),
        content_type=response.headers.get("Content-Type", ""),
        size_bytes=size,
    )
