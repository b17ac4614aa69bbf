"""The words that say nothing about what an article is about: a query of nothing else is refused.

A closed list, English and Korean. In phrases and longer queries they are words like any other, and nobody takes them
out of an article. `checks` refuses by it; the engine knows from it what not to hang a query on.
"""

from __future__ import annotations

from typing import Final

_ENGLISH: Final = """
    a about after again all also am an and any are as at be because been before being both but by can could did do does
    doing done for from had has have having he her here hers him his how i if in into is it it's its just me might
    more most must my no nor not now of off on once only or other our ours out over own said same say says shall she
    should so some such than that the their theirs them then there these they this those through to too under until up
    upon us very was we were what when where which while who whom whose why will with would you your yours
"""

_KOREAN: Final = """
    그 그것 그는 그들 그녀 그런 그러나 그리고 그래서 그런데 것 것은 것이 것을 것으로 나 너 내 네 또 또는 또한
    등 등을 등이 등의 및 이 이것 이런 이날 이번 이후 저 저것 저희 우리 누구 무엇 어디 언제 왜 어떤 모든 각 더 더욱
    매우 아주 수 때 때문 때문에 중 뒤 안 못 잘 좀 다 곧 한 할 하는 하고 하며 하지만 한다 했다 했다고 된 되는 된다
    됐다 있는 있다 있다고 있었다 없는 없다 아니다 이다 위해 위한 대해 대한 통해 따라 따르면 관련 밝혔다 말했다 전했다
"""

STOP_WORDS: Final = frozenset((_ENGLISH + _KOREAN).split())
