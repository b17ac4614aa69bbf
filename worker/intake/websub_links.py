r"""Reads HTTP Link headers for what WebSub needs of them: the hubs, and the topic's own address (RFC 8288).

Pure, and lenient as its appendix B.2 is: what is no link is passed over. Only the first `rel` of a link counts (section
3.3), and a link with an `anchor` speaks of something else (3.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_MOST_CHARS: Final = 16_384
_MOST_LINKS: Final = 64
_TARGET: Final = re.compile(r"[\s,]*<([^>]*)>\s*")
_PARAMETER: Final = re.compile(
    r"""\s*;\s*(?P<name>[!#$%&'*+.^`|~\w-]+)\s*(?:=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s;,"]*)))?\s*""",
    re.ASCII,
)
_TO_NEXT: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")*(?:,|$)')


def header_links(values: Sequence[str]) -> tuple[tuple[str, ...], str]:
    r"""Return the hubs that Link headers name, in their order, and the first self link; as they are written.

    >>> header_links(['<https://hub.example/>; rel="hub", </feed>; rel=self; title="a, \\"b\\""'])
    (('https://hub.example/',), '/feed')
    >>> header_links(['<https://x.example/>; rel="hub"; anchor="/other"', "<//broken", ";"])
    ((), '')
    """
    hubs, topic = [], ""
    for target, rels in _links(", ".join(values)[:_MOST_CHARS]):
        if "hub" in rels:
            hubs.append(target)
        if "self" in rels:
            topic = topic or target
    return tuple(hubs), topic


def _links(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    at = 0
    for _ in range(_MOST_LINKS):
        target = _TARGET.match(text, at)
        if target is None:
            at = _next(text, at)
            if at >= len(text):
                return
            continue
        at = target.end()
        told: dict[str, str] = {}
        while parameter := _PARAMETER.match(text, at):
            value = re.sub(r"\\(.)", r"\1", parameter["quoted"]) if parameter["quoted"] else parameter["bare"] or ""
            told.setdefault(parameter["name"].lower(), value)
            at = parameter.end()
        if "anchor" not in told:
            yield target[1].strip(), frozenset(told.get("rel", "").lower().split())


def _next(text: str, at: int) -> int:
    """Return where the next link may begin: after a comma that no quotes hold."""
    found = _TO_NEXT.match(text, at)
    return found.end() if found and found.end() > at else at + 1
