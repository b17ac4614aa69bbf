"""How a pattern says that something is said of something."""

from __future__ import annotations


def near(subject: str, said: str, *, within: int) -> str:
    """Match what is said of a subject in the same clause, within so many characters.

    >>> near("mailbox|account", "full", within=20)
    '(mailbox|account)[^.;]{0,20}?(full)'
    """
    return f"({subject})[^.;]{{0,{within}}}?({said})"
