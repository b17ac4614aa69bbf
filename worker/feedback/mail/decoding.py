"""Bytes to text, whatever they claim to be: transfer encodings, character sets, encoded words, markup.

Decides how to read what is damaged or mislabelled, never what it means, and never raises: mail servers write bounces in
charsets they do not name, and cut them off in the middle. `reading` calls it.
"""

from __future__ import annotations

import binascii
import html
import quopri
import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

# Python also knows codecs that are no charsets, or take quadratic time (punycode): only these are asked.
_CHARSETS: Final = re.compile(
    r"utf-?(7|8|16)|us-ascii|ascii|iso-?8859|windows-|cp\d|koi8|iso-2022|euc|gb|big5|hz|shift|sjis|tis|mac"
)
_ALIASES: Final = {
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
}
_ESCAPE_2022_JP: Final = re.compile(rb"\x1b[$(][@BJI]")
_ESCAPE_2022_KR: Final = b"\x1b$)C"
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")
_ENCODED_WORD: Final = "=?"
_LONGEST_HEADER: Final = 4_000

_HIDING: Final = re.compile(r"<(?:(style|script|head)\b[^<>]*>|(!--))", re.IGNORECASE)
_SHOWING: Final = {
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "head": re.compile(r"</head\s*>", re.IGNORECASE),
    "!--": re.compile("-->"),
}
_BREAKS: Final = re.compile(r"<(?:br|/?p|/?div|/tr|/td|/h\d|/?li|hr|/?table|/?pre)\b[^<>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[/!?a-zA-Z][^<>@]*>")


def unpack(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; what is no base64 after all is returned as it is."""
    encoding = encoding.strip().lower()
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if encoding == "base64":
        digits = _NOT_BASE64.sub(b"", body)
        if 3 * len(digits) < 2 * len(body):  # mostly other characters: mislabelled
            return body
        try:
            return binascii.a2b_base64(digits[: len(digits) // 4 * 4] or digits + b"====")
        except binascii.Error:
            return body
    return body


def text_of(body: bytes, charset: str = "") -> str:
    """Read text in the charset it says, or else in the one it seems to be in."""
    charset = charset.strip().strip("\"'").lower()
    charset = _ALIASES.get(charset, charset)
    if _ESCAPE_2022_JP.search(body):
        charset = "iso-2022-jp"
    elif body.startswith(_ESCAPE_2022_KR):
        charset = "iso-2022-kr"
    if charset and _CHARSETS.match(charset):
        try:
            return body.decode(charset, "strict" if charset in {"us-ascii", "ascii", "utf-8", "utf8"} else "replace")
        except (LookupError, ValueError):
            pass  # a charset that Python lacks, or a wrong label
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("windows-1252", "replace")


def header_text(raw: bytes, charset: str = "") -> str:
    r"""Read a header's value: unfolded, encoded words decoded. `charset` is that of bare bytes, where it is known.

    >>> header_text(b"=?iso-8859-1?Q?Non_remis=3A?=\r\n =?utf-8?b?w6l0w6k=?=")
    'Non remis:été'
    """
    value = " ".join(text_of(raw[:_LONGEST_HEADER], "" if raw.isascii() else charset).split())
    if _ENCODED_WORD not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, binascii.Error):
        return value
    return "".join(
        text_of(piece, charset or "") if isinstance(piece, bytes) else piece for piece, charset in pieces
    ).strip()


def text_of_html(page: str) -> str:
    r"""Return what a reader of a page sees, line by line.

    >>> text_of_html("<p>To <b>jo@example.org</b>:<br>no such user &lt;jo@example.org&gt;</p>").split("\n")
    ['', 'To jo@example.org:', 'no such user <jo@example.org>', '']
    """
    page = _visible(page)
    page = " ".join(page.split("\n")) if "<pre" not in page.lower() else page
    page = _TAG.sub("", _BREAKS.sub("\n", page))
    return "\n".join(line.strip() for line in html.unescape(page).replace("\xa0", " ").split("\n"))


def _visible(page: str) -> str:
    """Leave out what no reader sees: styles, scripts, comments. What is never closed hides nothing."""
    pieces, place, unclosed = [], 0, set()
    for opening in _HIDING.finditer(page):
        kind = (opening[1] or opening[2]).lower()
        if opening.start() < place or kind in unclosed:
            continue
        if closing := _SHOWING[kind].search(page, opening.end()):
            pieces.append(page[place : opening.start()])
            place = closing.end()
        else:
            unclosed.add(kind)
    return " ".join([*pieces, page[place:]])
