"""Korean words and the particles that hang on to them: 북한이, 북한의 and 북한에서는 are 북한; 북한산 is not.

Decides which shorter words a Hangul word also stands for. A closed list, no morphology: a wrong guess sends a mail that
nobody asked for. Pure; `analyser` calls it for every Hangul word.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_PARTICLES: Final = """
    이 가 은 는 을 를 의 에 에서 에게 께 한테 와 과 랑 이랑 도 로 으로 로서 으로서 로써 으로써 만 부터 까지 보다 처럼
    마다 조차 마저 밖에 이나 나 든지 이든지 라도 이라도 야 이야 여 이여 라고 이라고 라는 이라는 란 이란
    에는 에도 에만 에서는 에서도 에서의 에게는 에게서 와는 과는 와의 과의 로는 으로는 로의 으로의 로부터 으로부터
    까지는 까지도 부터는 만은 만이 만을 보다는 측 측은 측이 측의 들 들이 들은 들을 들의
"""
PARTICLES: Final = frozenset(_PARTICLES.split())
"""Everything that may be left over when a query word is taken from the front of a Hangul word."""

_LENGTHS: Final = sorted({len(particle) for particle in PARTICLES})
_MIN_STEM = 2  # a query word of one syllable wants the exact word: 이 is not 이는


def is_hangul(key: str) -> bool:
    """Tell whether a key is a Hangul word; the analyser never mixes Hangul and other letters in one.

    >>> is_hangul("북한"), is_hangul("kbs")
    (True, False)
    """
    return "가" <= key[-1] <= "힣"


@lru_cache(maxsize=65536)
def stems(word: str) -> tuple[str, ...]:
    """Return the words that a Hangul word stands for besides itself, shortest first; often none.

    >>> stems("북한에서는"), stems("북한산"), stems("미국이")
    (('북한', '북한에서'), (), ('미국',))
    """
    cuts = (len(word) - length for length in reversed(_LENGTHS))
    return tuple(word[:cut] for cut in cuts if cut >= _MIN_STEM and word[cut:] in PARTICLES)
