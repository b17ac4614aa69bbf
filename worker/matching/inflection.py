"""The stem that a word shares with its inflections: missile and missiles, ракета and ракеты.

Decides which stemmer reads which language, and what happens without one. The Snowball algorithms are PyStemmer's. Pure;
`occurrences` and the engine call it for a query's `~word` and for an article's words.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from threading import Lock
from typing import Final

import Stemmer

from worker.matching.folding import fold

_ALGORITHMS: Final = {
    "": "english",  # an article that does not say
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
LANGUAGES: Final = tuple(_ALGORITHMS)
"""The languages that have a stemmer; "" is an article that names none."""

_MAX_LENGTH: Final = 64  # characters; what is longer is no word, and must not fill the cache
_STEMMERS: Final[dict[str, Stemmer.Stemmer]] = {}
_LOCK: Final = Lock()  # one stemmer works in one thread at a time


def stem(surface: str, language: str) -> str | None:
    """Return what a word and its inflections have in common, folded; `None` where nobody knows the language.

    `surface` is the word in NFKC and lower case, with its marks, which matter to a stemmer (й is not и). `language` is
    the first part of a language tag, in lower case, or "".

    >>> stem("missiles", "en") == stem("missile", ""), stem("ракеты", "ru") == stem("ракетой", "ru"), stem("北", "ja")
    (True, True, None)
    """
    if language not in _ALGORITHMS:
        return None
    return _stem(surface, language) if len(surface) <= _MAX_LENGTH else surface


@lru_cache(maxsize=262_144)
def _stem(surface: str, language: str) -> str:
    with _LOCK:
        if language not in _STEMMERS:
            _STEMMERS[language] = Stemmer.Stemmer(_ALGORITHMS[language], 0)
        composed = unicodedata.normalize("NFC", surface)  # lower case may compose anew: J̌, ǰ
        stemmed: str = _STEMMERS[language].stemWord(composed)
    return fold(stemmed)
