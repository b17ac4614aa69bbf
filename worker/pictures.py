"""Which pictures a mail may show: by their address and size alone, before anybody fetches one.

Pure. Says why a picture is unfit, and chooses the best of several. The sources drop what is unfit, intake refuses it
where a person hands it in, and rendering looks once more at what is stored.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote, urlsplit

from worker.model import Picture

MAX_URL_CHARS: Final = 2_000
MAX_SIDE_PX: Final = 20_000
"""A picture of more pixels on a side is a mistake or a bomb."""

_TINY_PX: Final = 2  # a side of a beacon; nobody sees it
_WANTED_PX: Final = 1_200  # twice the width at which a mail shows it: sharp on a phone, and no larger than need be
_WIDE_ENOUGH_PX: Final = 600

_UNSHOWN_TYPES: Final = frozenset(
    {"svg", "svgz", "pdf", "tif", "tiff", "bmp", "ico", "psd", "eps", "mp4", "webm", "mp3"}
)
_HIDDEN_HOSTS: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "invalid", "onion")
_NUMBER: Final = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)\.?")  # how a URL's IPv4 address ends (WHATWG URL, 3.5)

# Whose pictures count readers. A word such as "tracking" in a file's name tells nothing: it may be a storm's.
_BEACON_HOST_NAMES: Final = """
    doubleclick.net googlesyndication.com googleadservices.com google-analytics.com googletagmanager.com
    feedburner.com feedsportal.com feedblitz.com pheedo.com pheedcontent.com moreover.com
    scorecardresearch.com quantserve.com imrworldwide.com chartbeat.net parsely.com omtrdc.net 2o7.net
    pixel.wp.com stats.wordpress.com stats.wp.com b.wordpress.com
    amazon-adsystem.com adnxs.com criteo.com taboola.com tr.outbrain.com bat.bing.com mathtag.com rlcdn.com
    mixpanel.com segment.io list-manage.com sparkpostmail.com counter.theconversation.com
"""
_BEACON_HOSTS: Final = frozenset(_BEACON_HOST_NAMES.split())
_BEACON_STEM: Final = re.compile(
    r"(?:(?:[a-z]{2,6}-)?(?:rss|feed|email|mail|tracking|track|web)[_-])?(?:pixel|beacon|1x1|1px)|"
    r"clear|blank|spacer|transparent|count|counter|__utm|web-?bug",
    re.ASCII | re.IGNORECASE,
)
_BEACON_FOLDERS: Final = frozenset({"pixel", "pixels", "beacon", "beacons", "track", "tracker", "webbug", "~r", "~ff"})
_PROGRAMS: Final = frozenset({"", "gif", "php", "aspx", "cgi"})  # what answers a beacon; photographs end otherwise


def fault(picture: Picture) -> str:
    """Say what is wrong with a picture; "" for one that may be shown.

    >>> fault(Picture(url="https://img.courier.example/quake.jpg", width=1200, height=800))
    ''
    >>> fault(Picture(url="https://img.courier.example/quake.jpg", width=1, height=1))
    'a picture of 1 by 1 pixels counts readers, and shows nothing'
    """
    if (wrong := address_fault(picture.url)) or (wrong := _size_fault(picture.width, picture.height)):
        return wrong
    return "it counts readers, and shows nothing" if is_beacon(picture.url) else ""


def address_fault(url: str) -> str:
    """Say why no picture can be shown from an address; "" where one can.

    >>> address_fault("data:image/png;base64,AAAA"), address_fault("https://10.0.0.1/quake.jpg")
    ('no web address', 'not on the public internet')
    >>> address_fault("https://me:secret@courier.example/quake.jpg"), address_fault("https://courier.example/map.svg")
    ('it holds a name or a password', 'a file of type "svg", which mails do not show')
    """
    if len(url) > MAX_URL_CHARS:
        return f"{len(url)} characters; the limit is {MAX_URL_CHARS}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "no web address"
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not url.isprintable() or " " in url:
        return "no web address"
    if "@" in parts.netloc:
        return "it holds a name or a password"
    if not _is_public(host):
        return "not on the public internet"
    return _type_fault(parts.path)


def best(pictures: Iterable[Picture]) -> Picture | None:
    """Choose the picture that a mail shows best: wide enough and not much wider, else of unknown width, else small.

    What is unfit is left out. Of equals, the first.

    >>> sizes = (140, 5000, 1024, 0)
    >>> best(Picture(url=f"https://img.courier.example/{width}.jpg", width=width) for width in sizes).width
    1024
    >>> best([]) is None
    True
    """
    return min((one for one in pictures if not fault(one)), key=_rank, default=None)


def is_beacon(url: str) -> bool:
    """Tell whether an address is known for counting readers.

    >>> is_beacon("https://courier.example/pixel.gif?id=7"), is_beacon("http://feeds.feedburner.com/~r/news/~4/x")
    (True, True)
    >>> is_beacon("https://courier.example/photos/google-pixel-9.jpg"), is_beacon("https://courier.example/1x1/quake.jpg")
    (False, False)
    """
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")
    if any(".".join(labels[at:]) in _BEACON_HOSTS for at in range(len(labels))):
        return True
    *folders, file = unquote(parts.path).lower().split("/")
    stem, _, kind = file.rpartition(".") if "." in file else (file, "", "")
    if _BEACON_STEM.fullmatch(stem) and kind in _PROGRAMS | {"png"}:
        return True
    return (labels[0] in {"pixel", "beacon"} and kind in _PROGRAMS) or not _BEACON_FOLDERS.isdisjoint(folders)


def number_of(url: str) -> int:
    """Return the number under which the house knows a picture's address: from 0, of 62 bits, always the same.

    >>> number_of("https://img.courier.example/quake.jpg")
    1416439192595180502
    """
    return int.from_bytes(hashlib.blake2b(url.encode(), digest_size=8).digest()) >> 2


def pixels(value: object) -> int:
    """Read a width or a height as sources write it; 0 for what is none.

    >>> [pixels(value) for value in (640, "640", "640px", " 640.0 ", "100%", -1, None, "9" * 5000, True)]
    [640, 640, 640, 640, 0, 0, 0, 0, 0]
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return 0
    written = re.fullmatch(r"\s*([0-9]{1,6})(?:\.[0-9]{1,6})?\s*(?:px)?\s*", str(value), re.ASCII)
    found = int(written[1]) if written else 0
    return found if found <= MAX_SIDE_PX else 0


def _rank(picture: Picture) -> tuple[int, int]:
    if picture.width >= _WIDE_ENOUGH_PX:
        return 0, abs(picture.width - _WANTED_PX)
    return (2, -picture.width) if picture.width else (1, 0)


def _size_fault(width: int, height: int) -> str:
    if width < 0 or height < 0 or max(width, height) > MAX_SIDE_PX:
        return f"a size of {width} by {height} pixels"
    if min(width or MAX_SIDE_PX, height or MAX_SIDE_PX) <= _TINY_PX:
        return f"a picture of {width} by {height} pixels counts readers, and shows nothing"
    return ""


def _is_public(host: str) -> bool:
    """Tell whether a host may be on the internet, as far as its name tells; a fetch looks at what it resolves to."""
    host = host.partition("%")[0].rstrip(".")
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        return "." in host and not _NUMBER.fullmatch(last) and last.lower() not in _HIDDEN_HOSTS
    inner = getattr(ip, "ipv4_mapped", None) or ip
    return bool(inner.is_global and not inner.is_multicast)


def _type_fault(path: str) -> str:
    file = unquote(path).lower().rpartition("/")[2]
    kind = file.rpartition(".")[2] if "." in file else ""
    return f'a file of type "{kind}", which mails do not show' if kind in _UNSHOWN_TYPES else ""
