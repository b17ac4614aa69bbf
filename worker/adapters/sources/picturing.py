"""A story's picture as tolerant sources tell it: tidied, resolved, and left out where mails could not show it.

Pure. Every source but the API's own shape, whose mistakes are told to whoever made them, passes its pictures through
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from worker import pictures
from worker.adapters.sources import plain
from worker.adapters.sources.jsons import mappings_in, text_in
from worker.model import Picture

_UNSAFE: Final = re.compile(r"""[\s"<>\\^`{|}]|[^\x21-\x7e]""")  # in an address, but for their percent-encoding
_ALT_CHARS: Final = 500
_CREDIT_CHARS: Final = 200
_PORTRAIT_HOSTS: Final = ("gravatar.com",)  # of authors: the first picture in every feed of WordPress.com
_EXTENSIONS: Final = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")


def chosen(found: Iterable[Picture]) -> Picture | None:
    """Return the picture that a mail shows best; None where there is none that it could show."""
    return pictures.best(one for one in found if not _is_portrait(one.url))


def picture(
    url: str, base: str, *, alt: str = "", credit: str = "", width: object = 0, height: object = 0
) -> Picture | None:
    """Return a picture at an address that may be relative to `base`; None where there is no address.

    >>> picture("/a b.jpg", "https://courier.example/feed", alt="A &lt;b&gt;wall&lt;/b&gt;", width="640")
    Picture(url='https://courier.example/a%20b.jpg', alt='A wall', credit='', width=640, height=0)
    """
    url = plain.sound(url).strip().replace("&amp;", "&")
    try:
        absolute = urljoin(base or "https:", url) if url else ""
    except ValueError:  # "http://[": no address
        return None
    if not absolute:
        return None
    return Picture(
        url=_UNSAFE.sub(_percent, _in_ascii(absolute)),
        alt=plain.one_line(plain.headline(alt, markup=True), _ALT_CHARS),
        credit=plain.one_line(plain.headline(credit, markup=True), _CREDIT_CHARS),
        width=pictures.pixels(width),
        height=pictures.pixels(height),
    )


def is_image(address: str, *, kind: str = "", medium: str = "") -> bool:
    """Tell whether a feed's enclosure is an image, by its declared type, else by its ending.

    >>> is_image("https://courier.example/a", kind="image/jpeg"), is_image("https://courier.example/a.JPG?w=1")
    (True, True)
    >>> is_image("https://courier.example/a.jpg", kind="video/mp4"), is_image("https://courier.example/a")
    (False, False)
    """
    if medium or kind:
        return medium == "image" or kind.lower().startswith("image/")
    return address.partition("?")[0].lower().endswith(_EXTENSIONS)


def renditions(item: Mapping[str, Any], base: str, *, alt: str, credit: str) -> list[Picture]:
    """Return what ninjs says of a picture's renditions: by name in 1.x, in a list from 2.0 on."""
    named = item.get("renditions")
    found = list(named.values()) if isinstance(named, Mapping) else mappings_in(item, "renditions")
    listed = [
        picture(text_in(one, "href"), base, alt=alt, credit=credit, width=one.get("width"), height=one.get("height"))
        for one in found
        if isinstance(one, Mapping)
        and is_image(text_in(one, "href"), kind=text_in(one, "mimetype") or text_in(one, "contenttype"))
    ]
    return [one for one in listed if one]


def _in_ascii(address: str) -> str:
    """Write a host of another script as DNS knows it; what is no host stays, and is then refused."""
    try:
        parts = urlsplit(address)
        if parts.netloc.isascii():
            return address
        return parts._replace(netloc=parts.netloc.encode("idna").decode()).geturl()
    except (ValueError, UnicodeError):
        return address


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _is_portrait(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return any(host == name or host.endswith(f".{name}") for name in _PORTRAIT_HOSTS)
