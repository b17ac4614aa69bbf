"""Reads a list of sources in YAML, as a newsroom keeps it under version control; `seeds/sources.yaml` is one.

Decides what an entry may say. All that is wrong is told together, each with its line and its field. Pure; `reading`
calls it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urljoin

import yaml

from worker.adapters.sources.plain import language
from worker.errors import InputError
from worker.intake.listing.addresses import read_address
from worker.intake.listing.entries import MAX_ENTRIES, Entry, Listed, read_folder, read_name, refuse
from worker.intake.listing.spans import read_span

EXAMPLE: Final = "write for example: - {name: The Wire, url: https://wire.example/feed.xml}"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there
_STR, _BOOL, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"
_MAX_DEPTH: Final = 20
_YES: Final = frozenset({"true", "yes", "on"})


def read_yaml(text: str, *, base: str = "") -> Listed:
    """Read a list. Relative addresses count from `base`, where it is given.

    Raises `InputError`, or `ManyFaultsError` for more than one fault, with lines.

    >>> read_yaml("- {url: https://a.example/feed, every: 15m}").entries[0].every_s
    900.0
    """
    try:
        _refuse_depth(text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"no YAML: {getattr(error, 'problem', error)}", where=where, hint=EXAMPLE) from error
    if not isinstance(root, yaml.SequenceNode):
        raise InputError("no list of sources", where="line 1", hint=EXAMPLE)
    if len(root.value) > MAX_ENTRIES:
        raise InputError(f"more than {MAX_ENTRIES:,} sources", hint="split the list")
    faults: list[InputError] = []
    entries = [entry for node in root.value if (entry := _entry(node, base, faults))]
    refuse(faults)
    return Listed(entries=tuple(entries), format="YAML")


def _refuse_depth(text: str) -> None:
    """Refuse what is nested deeper than any list before a tree is made of it: libyaml's would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise InputError("no list: it is nested too deeply", hint=EXAMPLE)


def _entry(node: yaml.Node, base: str, faults: list[InputError]) -> Entry | None:
    place = f"line {node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        faults.append(InputError("a source is written as names with values", where=place, hint=EXAMPLE))
        return None
    before = len(faults)
    told = dict(_fields(node, base, faults))
    if "url" not in told and len(faults) == before:
        faults.append(InputError("a source without its address", where=f"{place}, url", hint=EXAMPLE))
    return Entry(where=place, **told) if len(faults) == before else None


def _fields(node: yaml.MappingNode, base: str, faults: list[InputError]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of an entry by the names of an `Entry`; each that is wrong becomes a fault."""
    seen: set[str] = set()
    for key, value in node.value:
        try:
            name, read = _field(key, value, base, seen)
        except InputError as error:
            faults.append(error)
            continue
        if value.tag != _NULL:
            yield _FIELDS.get(name, name), read


def _field(key: yaml.Node, value: yaml.Node, base: str, seen: set[str]) -> tuple[str, Any]:
    """Return a field's name and what it says, None for nothing. Raises `InputError` with its line."""
    written = str(key.value)
    name = _SAME.get(written, written)
    where = f"line {key.start_mark.line + 1}, {written[:40]}"
    if name not in _READERS:
        raise InputError("no such field", where=where, hint=_nearest(written))
    if name in seen:
        raise InputError("it stands twice", where=where, hint="keep one of them")
    seen.add(name)
    if not isinstance(value, yaml.ScalarNode):
        raise InputError("one value is wanted, not several", where=where, hint=EXAMPLE)
    return name, None if value.tag == _NULL else _READERS[name](value, where, base)


def _nearest(written: str) -> str:
    near = difflib.get_close_matches(written.lower(), _READERS, n=1)
    return f"did you mean {near[0]}?" if near else f"a source has {', '.join(_READERS)}"


def _words(read: Callable[[str], str]) -> Callable[[yaml.ScalarNode, str, str], str]:
    return lambda node, _where, _base: read(str(node.value))


def _url(node: yaml.ScalarNode, where: str, base: str) -> str:
    return read_address(urljoin(base, str(node.value)) if base else str(node.value), where=where)


def _homepage(node: yaml.ScalarNode, where: str, _base: str) -> str:
    return read_address(str(node.value), where=where) if node.value else ""


def _lang(node: yaml.ScalarNode, where: str, _base: str) -> str:
    written = str(node.value)
    if written and not language(written):
        raise InputError(f"{written[:40]!r} is no language tag", where=where, hint="write for example en-GB or ko")
    return language(written)


def _every(node: yaml.ScalarNode, where: str, _base: str) -> float:
    return read_span(str(node.value), where=where)


def _flag(node: yaml.ScalarNode, where: str, _base: str) -> bool:
    if node.tag != _BOOL:
        raise InputError(f"{str(node.value)[:40]!r} is neither", where=where, hint="write true or false")
    return str(node.value).lower() in _YES


_SAME: Final = {"feed": "url", "language": "lang"}
_FIELDS: Final = {"every": "every_s"}
_READERS: Final[dict[str, Callable[[yaml.ScalarNode, str, str], Any]]] = {
    "name": _words(read_name),
    "url": _url,
    "homepage": _homepage,
    "outlet": _words(read_name),
    "lang": _lang,
    "house": _flag,
    "pages": _flag,
    "every": _every,
    "folder": _words(read_folder),
    "paused": _flag,
}
