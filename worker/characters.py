r"""Characters as people see them: what nobody sees is taken out, and nothing is cut through the middle of one.

One character of a title may be many code points (an emoji family, a flag, a letter with its marks): UAX #29 calls it an
extended grapheme cluster. Some code points show nothing at all, and a title full of them looks empty, or as if it came
from elsewhere. Pure. Sources and rendering clean and shorten with it.
"""

from __future__ import annotations

import re
from typing import Final

import regex

_MARKS_AT_MOST: Final = 8  # on one letter; Biblical Hebrew and Tibetan stack some six, "Zalgo" dozens

# Embeddings, overrides and isolates turn the writing direction of whatever follows them, our own words included.
_TURNS: Final = r"\u202a-\u202e\u2066-\u2069"
# Soft hyphen, fillers, deprecated and invisible format characters, a byte order mark amid the text, noncharacters; and
# what cannot be encoded. A zero-width space is a break between words where people write none: see _BREAKS.
_UNSEEN: Final = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
    r"\p{Noncharacter_Code_Point}\p{Cs}"
)
_TAGS: Final = r"\U000e0020-\U000e007f"  # of use only in the flags of England, Scotland, and Wales
_BREAKS: Final = r"(?<![\p{Khmer}\p{Lao}\p{Myanmar}\p{Thai}])\u200b|\u200b(?![\p{Khmer}\p{Lao}\p{Myanmar}\p{Thai}])"
_JOINERS: Final = r"\u061c\u200c-\u200f"  # of use one at a time: joiners, non-joiners, and marks of direction
_VARIANTS: Final = r"\ufe00-\ufe0f\U000e0100-\U000e01ef"

_BLANK: Final = regex.compile(r"[\p{Cc}\p{Zl}\p{Zp}\u2800]")  # the braille pattern without dots is one, too
_NOTHING: Final = regex.compile(rf"(\U0001f3f4[{_TAGS}]{{3,7}}\U000e007f)|[{_TURNS}{_UNSEEN}{_TAGS}]|{_BREAKS}")
_TOO_MANY: Final = regex.compile(rf"(?<=[{_JOINERS}])[{_JOINERS}]+|(?<=[{_VARIANTS}])[{_VARIANTS}]+")
_FLOOD: Final = regex.compile(
    rf"(?<=[\p{{Mn}}\p{{Me}}\u200c\u200d]{{{_MARKS_AT_MOST}}})[\p{{Mn}}\p{{Me}}\u200c\u200d]+"
)
_ALONE: Final = regex.compile(rf"(?<!\S)[{_JOINERS}{_VARIANTS}]+(?!\S)")
# Blocks with marks, and what else is printable and shows nothing. Latin, Greek, Cyrillic, Korean and Chinese have none,
# and so are read by this alone, at a tenth of the cost.
_PERHAPS: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0590-\u1cff\u1dc0-\u1dff\u20d0-\u20ff\u2800\u2ce0-\u2dff\u302a-\u302f\u3099\u309a"
    "\u3164\ua660-\ua6ff\ua800-\uabff\ufb1e\ufe00-\ufe2f\uffa0\U00010100-\U00016fff\U0001bc00-\U0001e9ff\U000e0000-\U0010ffff]"
)
_CLUSTER: Final = regex.compile(r"\X")


def visible(text: str) -> str:
    r"""Take out what nobody sees, and turn what ends lines into spaces.

    >>> visible("Seoul\r\nBcc: x\x00 w\u200bakes\u202e"), visible("👩\u200d👧 می\u200cخواهم")
    ('Seoul  Bcc: x  wakes', '👩\u200d👧 می\u200cخواهم')
    """
    if is_plain(text):
        return text
    seen = _NOTHING.sub(r"\1", _BLANK.sub(" ", text))
    seen = _FLOOD.sub("", _TOO_MANY.sub("", seen))
    return str(_ALONE.sub("", seen))


def is_plain(text: str) -> bool:
    r"""Tell whether every character of a line is seen, and by itself: so it is in nearly every line.

    >>> is_plain("Seoul, 서울"), is_plain("two\nlines"), is_plain("Zalgo\u0301")
    (True, False, False)
    """
    return text.isprintable() and (text.isascii() or not _PERHAPS.search(text))


def boundary(text: str, at: int) -> int:
    r"""Return the last place up to `at` where a text may be cut without cutting a character.

    >>> boundary("a👩\u200d👧b", 3), boundary("abc", 2)
    (1, 2)
    """
    if at >= len(text):
        return len(text)
    start = max(text.rfind(" ", 0, at), 0)  # no character goes on behind a space but marks that stand on it
    for found in _CLUSTER.finditer(text, pos=start):
        if found.end() > at:
            return int(found.start())
    return at
