"""How far templates reach: which names of which values are theirs, and how much one call or format may make.

Whatever a template is not known to need is closed to it, since a value's class may be anybody's: a pydantic model, for
one, can unpickle a text and read a file. Decides only. Pure. `theme` asks while templates run, `theme_names` before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel

from worker.rendering.language import Language

MOST: Final = 10_000
"""Characters or items that one multiplication, call or filter may make."""

_MODULES: Final = frozenset({"builtins", "datetime", "zoneinfo", "markupsafe", "jinja2.runtime", "jinja2.utils"})
_IMPORTED: Final = "jinja2.environment.TemplateModule"
_CLOSED: Final[dict[type, frozenset[str]]] = {
    Language: frozenset({"of", "catalogue", "locale"}),  # gettext's and Babel's own, which load files
}
_MAPPINGS: Final = frozenset({"keys", "values", "items", "get"})
_PADDING: Final = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "to_bytes", "zfill"})
_WIDE: Final = re.compile(r"%[^%a-zA-Z]*(?:\*|[0-9]{5})|\{[^{}]*(?:\{|[:!.][^{}]*[0-9]{5})")


def may_reach(kind: type, name: str) -> bool:
    """Tell whether a template may have what a value of a type has under a name; Jinja2's own rules come on top.

    >>> may_reach(str, "upper"), may_reach(type, "mro"), may_reach(Language, "tag"), may_reach(Language, "catalogue")
    (True, False, True, False)
    """
    if issubclass(kind, type):  # what a class has makes values, of whatever it is given
        return False
    if issubclass(kind, BaseModel):
        return name in kind.model_fields or isinstance(getattr(kind, name, None), property)
    if name in _CLOSED.get(kind, ()):
        return False
    module = kind.__module__
    is_ours = module in _MODULES or module.startswith("worker.") or f"{module}.{kind.__name__}" == _IMPORTED
    return is_ours or (issubclass(kind, dict) and name in _MAPPINGS)


def makes_too_much(called: object, arguments: Iterable[object]) -> bool:
    """Tell whether a call of a text's or a number's own method pads to more than `MOST`.

    >>> makes_too_much("x".ljust, [20_000]), makes_too_much("x".ljust, [20]), makes_too_much("{:20000}".format, [1])
    (True, False, True)
    """
    called = getattr(called, "__wrapped__", called)  # Jinja2's own `format`
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    if not isinstance(owner, str | bytes | int) or name not in _PADDING:
        return False
    return is_wide(owner) or any(isinstance(one, int) and one > MOST for one in arguments)


def is_wide(pattern: Any) -> bool:  # noqa: ANN401  whatever stands before a %
    """Tell whether a format pads to five digits of characters, or to as many as it is told.

    >>> is_wide("%(name)s 100%"), is_wide("%99999d"), is_wide("%*d"), is_wide("{:,}"), is_wide("{:{}}")
    (False, True, True, False, True)
    """
    return isinstance(pattern, str) and _WIDE.search(pattern) is not None
