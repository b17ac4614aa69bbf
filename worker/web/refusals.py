"""Says why a query is refused in a reader's language: the matching room speaks English only.

Knows the commonest refusals as their room words them; a rarer one stays in English. Pure.
"""

from __future__ import annotations

import re
from typing import Final

from worker.errors import QueryError
from worker.rendering.language import Language


def N_(sentence: str) -> str:  # noqa: N802  the name by which gettext's tools find sentences that are translated later
    """Mark a sentence for translation."""
    return sentence


_KNOWN: Final = (
    N_("the query is empty (write a word, such as russia)"),
    N_("this bracket is never closed (write ) where the group ends)"),
    N_("this bracket closes nothing (take it out)"),
    N_("these brackets are empty (take them out)"),
    N_('this quote is never closed (end the phrase with ")'),
    N_("a word is missing after %(what)s (write one there)"),
    N_("a word is missing before %(what)s (write one there)"),
    N_("only absence is asked for (say what to look for: russia NOT drill)"),
    N_("there are only stop words (add a word that says what it is about; write an acronym in capitals: US, WHO)"),
    N_("NOT cannot be a branch of OR (write a OR (b NOT c), or a NOT b)"),
    N_("two dashes before a word (write one: korea -film)"),
    N_("%(sign)s is no operator (write %(operator)s)"),
    N_("there is no topic %(topic)s (did you mean %(near)s?)"),
    N_("there is no topic %(topic)s (name a topic that exists)"),
    N_("the prefix %(words)s is too short (write at least 3 letters before the *, 2 in Hangul)"),
    N_("there is no word in %(words)s (leave it out, or write a word in its place)"),
    N_("no field is called %(name)s (did you mean %(near)s ? If the words are meant, put them in quotes)"),
    N_("no field is called %(name)s (the fields are %(list)s; if the words are meant, put them in quotes)"),
    N_("operators are written in capitals (write %(operator)s, or put it in quotes if the words are meant)"),
)


def refusal(error: QueryError, language: Language) -> str:
    """Return what is wrong and what to write instead, as half a sentence.

    >>> from worker.matching.query import parse
    >>> from worker.rendering.language import Languages
    >>> from worker.resources import templates_dir
    >>> try:
    ...     parse("oman AND")
    ... except QueryError as error:
    ...     print(refusal(error, Languages(templates_dir() / "locales").best("ko")))
    다음 뒤에 낱말이 없습니다: AND (낱말을 적어 주세요)
    """
    said = f"{error.reason} ({error.hint})" if error.hint else error.reason
    for sentence, pattern in _PATTERNS:
        if found := pattern.fullmatch(said):
            return language.gettext(sentence) % found.groupdict() if found.groupdict() else language.gettext(sentence)
    return said


def _pattern(sentence: str) -> re.Pattern[str]:
    """Return what a sentence looks like once its places are filled.

    >>> _pattern("no %(what)s (stop)").fullmatch("no way (stop)").groupdict()
    {'what': 'way'}
    """
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)


_PATTERNS: Final = tuple((sentence, _pattern(sentence)) for sentence in _KNOWN)
