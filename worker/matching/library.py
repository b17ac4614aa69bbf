"""Reads topics from files and checks them: that each query is understood, and that its examples hold.

Reads files, writes nothing, knows no database. `tocsin topics import` and `check` call it. A topic's `must_match` and
`must_not_match` are short texts that stand for headlines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from worker.errors import InputError, QueryError
from worker.matching.analyser import ArticleText, analyse
from worker.matching.canonical import canonical
from worker.matching.engine import Engine
from worker.matching.query import Node, parse
from worker.matching.references import resolve

_EXAMPLE: Final = "write for example: - {slug: north-korea, name: {en: North Korea}, query: '\"north korea\" OR dprk'}"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, Field(alias="id", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    name: dict[str, str]
    description: dict[str, str] = {}
    query: str
    must_match: list[str] = []
    must_not_match: list[str] = []

    @field_validator("name", "description", mode="before")
    @classmethod
    def _by_locale(cls, value: object) -> object:
        return {"en": value} if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicDraft:
    """A topic as somebody wrote it. `where` names its file and entry; `canonical` is "" until it has been checked."""

    where: str
    slug: str
    name: dict[str, str]
    description: dict[str, str]
    query: str
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()
    canonical: str = ""


def read_topics(paths: Iterable[Path]) -> list[TopicDraft]:
    """Read YAML files, folders of them, and JSON lines. Raises `InputError` that names file, entry and field."""
    drafts: dict[str, TopicDraft] = {}
    for file in _files(paths):
        for number, entry in enumerate(_entries(file), start=1):
            draft = _draft(entry, where=f"{file}, entry {number}")
            if draft.slug in drafts:
                raise InputError(f"the slug {draft.slug} stands also in {drafts[draft.slug].where}", where=draft.where)
            drafts[draft.slug] = draft
    return list(drafts.values())


def check_topics(drafts: Sequence[TopicDraft], stored: Mapping[str, str]) -> list[TopicDraft]:
    """Return the drafts with their canonical queries. `stored` has the queries of topics that they may refer to.

    Raises `InputError` (`QueryError` with its offset for a query) for the first one at fault.
    """
    nodes = {slug: node for slug, query in stored.items() if (node := _parse_stored(query)) is not None}
    for draft in drafts:
        nodes[draft.slug] = _located(draft, parse)
    return [_checked(draft, nodes) for draft in drafts]


def _checked(draft: TopicDraft, nodes: Mapping[str, Node]) -> TopicDraft:
    node = _located(draft, lambda _: resolve(nodes[draft.slug], nodes))
    engine = Engine.build({1: node})
    for text in draft.must_match:
        if not engine.match(analyse(ArticleText(title=text))):
            raise InputError(f"topic {draft.slug} must match {text!r} and does not", where=draft.where)
    for text in draft.must_not_match:
        if found := engine.match(analyse(ArticleText(title=text))):
            said = ", ".join(sorted({span.alias for span in found[0].spans}))
            raise InputError(f"topic {draft.slug} must not match {text!r}, but finds {said}", where=draft.where)
    return replace(draft, canonical=canonical(nodes[draft.slug]))


def _located(draft: TopicDraft, work: Any) -> Node:  # noqa: ANN401  either parse or resolve
    try:
        node: Node = work(draft.query)
    except QueryError as error:
        where = f"{draft.where}, topic {draft.slug}, query"
        raise QueryError(error.reason, offset=error.offset, where=where, hint=error.hint) from error
    return node


def _parse_stored(query: str) -> Node | None:
    try:
        return parse(query)
    except QueryError:  # switched off already, and shown so; it must not keep others from being stored
        return None


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix in {".yaml", ".yml", ".jsonl"})
            if not found:
                raise InputError("the folder holds no .yaml file", where=str(path))
            yield from found
        else:
            yield path


def _entries(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 at byte {error.start}", where=str(file)) from error
    if file.suffix in {".jsonl", ".json"} or text.lstrip().startswith("{"):
        return [_json_line(line, f"{file}, line {number}") for number, line in _lines(text)]
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f"{file}, line {place.line + 1}" if place else str(file)
        raise InputError(f"is not YAML: {getattr(error, 'problem', error)}", where=where) from error
    if not isinstance(entries, list):
        raise InputError("is not a list of topics", where=str(file), hint=_EXAMPLE)
    return entries


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _json_line(line: str, where: str) -> Any:  # noqa: ANN401  pydantic looks at it next
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg}", where=where) from error


def _draft(entry: object, *, where: str) -> TopicDraft:
    if isinstance(entry, dict) and "slug" in entry:
        entry = {"id": entry["slug"], **{key: value for key, value in entry.items() if key != "slug"}}
    try:
        read = _Entry.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]).replace("id", "slug", 1) or "the entry"
        raise InputError(f"{field}: {first['msg'].lower()}", where=where, hint=_EXAMPLE) from error
    return TopicDraft(
        where=where,
        slug=read.slug,
        name=read.name,
        description=read.description,
        query=read.query,
        must_match=tuple(read.must_match),
        must_not_match=tuple(read.must_not_match),
    )
