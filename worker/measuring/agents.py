"""Programs that open mails and follow links, by what they call themselves. Each row says where that is known from.

A table and one question; decides nothing else. Pure but for the list of crawlers, which is a package's. `classify`
asks. Whoever wants to be taken for a browser is: see `window` for what gives some of those away.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from crawleruseragents import is_crawler

from worker.measures import Visitor

_AGENT_CHARS: Final = 512  # of what is looked at: a longer one is no browser's


class Agent(NamedTuple):
    """A program: a pattern of its User-Agent, what it is, and who says so."""

    pattern: str
    visitor: Visitor
    source: str


AGENTS: Final = (
    Agent(
        r"GoogleImageProxy",
        Visitor.PROXY,
        "Gmail fetches images when a mail is opened, and keeps them: support.google.com/mail/answer/145919",
    ),
    Agent(
        r"YahooMailProxy",
        Visitor.PROXY,
        "Yahoo's likewise: help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    ),
    Agent(
        r"^Mozilla/5\.0$",
        Visitor.PREFETCH,
        "Apple's Mail Privacy Protection loads all images of all mails, read or not, and says no more than this: "
        "apple.com/legal/privacy/data/en/mail-privacy-protection",
    ),
    Agent(
        r"Chrome/42\.0\.2311\.135 Safari/537\.36 Edge/12\.246 Mozilla/5\.0$",
        Visitor.PREFETCH,
        "Gmail's app fetches images of new mails ahead: bird.com/blog/gmail-prefetching-images",
    ),
    Agent(
        r"Barracuda|Proofpoint|Mimecast|CiscoSecureEmail|IronPort|\bTMES\b|FortiMail|Sophos|Symantec|FireEye",
        Visitor.ROBOT,
        "mail gateways that look behind links, where they give their names: their makers' pages on link protection, "
        "for example campus.barracuda.com/product/sentinel/doc/498468311/unwanted-link-clicks",
    ),
    Agent(
        r"SafeLinks|Microsoft-URLAnalyzer",
        Visitor.ROBOT,
        "Microsoft Defender's checks of links, where they give their names: "
        "learn.microsoft.com/defender-office-365/safe-links-about",
    ),
    Agent(
        r"bot\b|crawl|spider|scan(ner)?\b|preview|headless",
        Visitor.ROBOT,
        "what calls itself so (RFC 9110, 10.1.5: a user agent names itself)",
    ),
)
_COMPILED: Final = tuple((re.compile(one.pattern, re.IGNORECASE), one.visitor) for one in AGENTS)


@lru_cache(maxsize=4096)  # there are few browsers: nearly every request's has been judged before
def visitor_of(agent: str) -> Visitor:
    """Tell by its User-Agent what a program is: a person's, unless known for something else.

    >>> [visitor_of(agent).value for agent in ("Mozilla/5.0", "curl/8.14.1", "", "Mozilla/5.0 (X11) Firefox/147.0")]
    ['prefetch', 'robot', 'robot', 'person']
    """
    if not agent or len(agent) > _AGENT_CHARS:
        return Visitor.ROBOT
    for pattern, visitor in _COMPILED:
        if pattern.search(agent):
            return visitor
    return Visitor.ROBOT if is_crawler(agent) else Visitor.PERSON
