"""Who receives a domain's mail, where one house stands behind many domains: it counts our mail to all of them together.

Pure. Which MX a company's own domain points at is not looked up: that would be a DNS query a reader.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_HOUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gmail.com": "googlemail.com",
        "outlook.com": "hotmail.com live.com msn.com passport.com windowslive.com",
        "yahoo.com": "aol.com aim.com ymail.com rocketmail.com verizon.net att.net sbcglobal.net bellsouth.net",
        "icloud.com": "me.com mac.com",
        "gmx.net": "gmx.de gmx.at gmx.ch gmx.com web.de mail.com email.com",
        "proton.me": "protonmail.com protonmail.ch pm.me",
        "mail.ru": "bk.ru inbox.ru list.ru internet.ru",
        "yandex.ru": "ya.ru yandex.com yandex.by yandex.kz narod.ru",
        "naver.com": "naver.net",
        "hanmail.net": "daum.net kakao.com",
        "qq.com": "foxmail.com",
        "163.com": "126.com yeah.net",
        "orange.fr": "wanadoo.fr",
        "comcast.net": "xfinity.com",
    }
)
_KNOWN: Final = {alias: name for name, aliases in _HOUSES.items() for alias in aliases.split()}
_FAMILIES: Final = {"hotmail": "outlook.com", "live": "outlook.com", "outlook": "outlook.com", "yahoo": "yahoo.com"}
_ELSEWHERE: Final = frozenset({"yahoo.co.jp"})  # a company of its own


@functools.lru_cache(maxsize=4096)
def receiver(domain: str) -> str:
    """Return the name that a domain's receiver goes by, in lower case: the domain's own where nothing is known.

    >>> receiver("Hotmail.co.uk"), receiver("googlemail.com"), receiver("yahoo.co.jp"), receiver("live.example.org")
    ('outlook.com', 'gmail.com', 'yahoo.co.jp', 'live.example.org')
    """
    name = domain.lower()
    if known := _KNOWN.get(name):
        return known
    first, _, rest = name.partition(".")
    if first in _FAMILIES and name not in _ELSEWHERE and _is_country(rest):
        return _FAMILIES[first]
    return name


def _is_country(ending: str) -> bool:
    """Tell whether what follows the name is but a registry's own ending: `fr`, `co.uk`, `com.br`."""
    return len(ending) <= 6 and all(len(label) <= 3 for label in ending.split("."))
