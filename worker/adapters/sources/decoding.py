"""From bytes to text: which encoding a document is really in, whatever it says of itself.

Pure. Never raises: what cannot be read becomes U+FFFD. The sources call it before they look at any markup.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),  # markup without a byte order mark: XML 1.0, appendix F
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)

# Labels as the WHATWG Encoding Standard maps them: EUC-KR has all of Hangul. A list of what is allowed, because Python
# also takes "punycode" (quadratic) and "unicode_escape" for charsets. Latin-1 is not in it: servers say so by default,
# and it is what remains anyway.
_CODECS: Final = {
    **dict.fromkeys(("euc-kr", "euckr", "ks_c_5601-1987", "ksc5601", "cp949", "windows-949", "uhc", "ms949"), "cp949"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "cp932"), "cp932"),
    **dict.fromkeys(("big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("windows-874", "tis-620", "iso-8859-11"), "cp874"),
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "macintosh": "mac_roman",
    **{f"iso-8859-{part}": f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "iso-8859-9": "cp1254",
    **{f"windows-{page}": f"cp{page}" for page in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
}
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML_ENCODING: Final = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_HEAD_BYTES: Final = 2_048

_SOUND_PER_BROKEN: Final = 20
"""Readable letters outside ASCII that vouch for one broken sequence: text in another encoding has next to none."""


def decode(data: bytes, content_type: str = "") -> str:
    r"""Return the text of `data`, without its byte order mark.

    A byte order mark decides; then UTF-8 if the bytes are UTF-8, which no other encoding's text is by accident; then
    what the HTTP header, the XML declaration or the HTML head claims; then Korean; then windows-1252.

    >>> decode("북한".encode("euc-kr") * 3)
    '북한북한북한'
    >>> decode(b"caf\xe9", "text/plain; charset=ISO-8859-1")
    'café'
    >>> decode(b'<?xml version="1.0" encoding="utf-16"?><rss/>')[-6:]
    '<rss/>'
    """
    marked = _by_mark(data)
    if marked is not None:
        return marked
    if b"\x1b$" in data and "iso2022_jp" in _claims(data, content_type):
        return data.decode("iso2022_jp", "replace")  # its bytes are all ASCII, so that it would pass for UTF-8
    for text in _readings(data, content_type):
        if text is not None:
            return text
    return data.decode("cp1252", "replace")


def sniffable(data: bytes) -> bytes:
    r"""Return bytes in whose beginning ASCII can be looked for: UTF-16 and its like as UTF-8, no byte order mark.

    >>> sniffable("<rss/>".encode("utf-16")), sniffable(b"\xef\xbb\xbf {}")
    (b'<rss/>', b' {}')
    """
    text = _by_mark(data)
    return data if text is None else text.encode()


def is_text(data: bytes) -> bool:
    r"""Tell whether `data` can be a text at all: no control bytes but white space, once decoded.

    >>> is_text("Überschrift".encode()), is_text(b"%PDF-1.7\x00\x01"), is_text("한".encode("utf-16"))
    (True, False, True)
    """
    head = decode(data[:_HEAD_BYTES])
    return not re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head)


def _by_mark(data: bytes) -> str | None:
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return data.decode(codec, "replace").lstrip("\ufeff")
    return None


def _readings(data: bytes, content_type: str) -> Iterator[str | None]:
    yield _strictly(data, "utf-8")
    yield _nearly_utf8(data)
    for codec in _claims(data, content_type):
        yield _strictly(data, codec)
    yield _strictly(data, "euc_kr")
    yield _strictly(data, "cp1252")


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _nearly_utf8(data: bytes) -> str | None:
    """Read UTF-8 that was cut in the middle of a letter or has one foreign byte pasted in."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    sound = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if broken * _SOUND_PER_BROKEN <= sound else None


def _claims(data: bytes, content_type: str) -> list[str]:
    """List the codecs that the document claims, the most binding first (RFC 7303, section 3)."""
    head = data[:_HEAD_BYTES]
    found = [match.group(1) for match in (_CHARSET.search(content_type),) if match]
    found += [
        match.group(1).decode("ascii") for match in (_XML_ENCODING.search(head), _META_CHARSET.search(head)) if match
    ]
    return [_CODECS[label] for label in (claim.lower() for claim in found) if label in _CODECS]
