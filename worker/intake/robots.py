"""What a host's robots.txt lets us fetch (RFC 9309), and how slowly.

Pure: bytes in, rules out. Protego reads the groups, matches the longest rule, `*` and `$`; what it is given is bounded
here, since the file is a stranger's. `run_robots` fetches and keeps the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Protocol

from protego import Protego

MAX_ROBOTS_BYTES: Final = 500 * 1024
"""What is read of a file; the rest is cut (RFC 9309, section 2.5 wants at least as much)."""

MAX_CRAWL_DELAY_S: Final = 10.0
"""`Crawl-delay` counts up to here: it is no part of the standard, and some files ask for hours."""

_AGENT: Final = re.compile(r"\s*user(?:-|[ \t]+)?agent[ \t]*[:\s][ \t]*([^#]*)", re.IGNORECASE)
_OTHERS: Final = "User-agent: somebody-else"
_MAX_LINES: Final = 20_000


class _Judge(Protocol):
    def can_fetch(self, url: str, user_agent: str) -> bool: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What one host says to us. `reason` is why everything is barred, "" where the file itself decides."""

    product: str
    delay_s: float = 0.0
    reason: str = ""
    judge: _Judge | None = field(default=None, repr=False)

    def forbids(self, url: str) -> str:
        """Say why a page may not be fetched, "" where it may."""
        if self.reason:
            return self.reason
        allowed = self.judge is None or self.judge.can_fetch(url, self.product)
        return "" if allowed else "its robots.txt forbids it"


def read_robots(data: bytes, *, product: str) -> Rules:
    r"""Read a file for the robot that calls itself `product`, in any case of letters.

    >>> rules = read_robots(b"User-agent: *\nDisallow: /\nAllow: /news/\nCrawl-delay: 2\n", product="Tocsin")
    >>> rules.forbids("https://gull.example/news/1"), rules.forbids("https://gull.example/about"), rules.delay_s
    ('', 'its robots.txt forbids it', 2.0)
    """
    text = data[:MAX_ROBOTS_BYTES].decode("utf-8-sig", "replace")
    if len(data) > MAX_ROBOTS_BYTES:
        text = text.rpartition("\n")[0]  # half a line would be another rule
    judge = Protego.parse(_concerning(text, product.lower()))
    delay_s = judge.crawl_delay(product) or 0.0
    return Rules(product=product, delay_s=min(max(delay_s, 0.0), MAX_CRAWL_DELAY_S), judge=judge)


def without_a_file(status: int | None, *, product: str) -> Rules:
    """Return what holds where no robots.txt came: with 4xx there is none, and all else bars everything (section 2.3.1).

    429 counts among the latter: whoever is asked too much does not mean to be asked for more.

    >>> without_a_file(404, product="Tocsin").reason, without_a_file(503, product="Tocsin").reason
    ('', 'its robots.txt cannot be had (503)')
    """
    if status is not None and 400 <= status < 500 and status != 429:
        return Rules(product=product)
    return Rules(product=product, reason=f"its robots.txt cannot be had ({status or 'no answer'})")


def _concerning(text: str, product: str) -> str:
    """Make all groups of other robots one.

    Whoever names ten thousand robots over ten thousand rules would else have a hundred million pairs stored.
    """
    lines: list[str] = []
    for line in text.splitlines()[:_MAX_LINES]:
        agent = _AGENT.match(line)
        if agent:
            name = agent.group(1).strip().lower()
            ours = name == "*" or (name.replace("*", "") and name.replace("*", "") in product)
            line = f"User-agent: {name}" if ours else _OTHERS  # noqa: PLW2901  the same line, put plainly
        if not (agent and lines and lines[-1] == line):
            lines.append(line)
    return "\n".join(lines)
