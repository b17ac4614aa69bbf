"""Reads topics from files: YAML, folders of it, and the JSON lines that `tocsin topics list` prints.

Decides what an entry may hold. Reads all that there is, however much of it is wrong, so that all faults can be told
together. Writes nothing, knows no database; `holding` checks what this reads. The CLI and the demo call it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from worker.errors import InputError
from worker.matching.faults import Fault, refuse

_EXAMPLE: Final = "write for example: - {slug: north-korea, name: {en: North Korea}, query: '\"north korea\" OR dprk'}"
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".jsonl"})


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, Field(alias="id", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    name: dict[str, str]
    description: dict[str, str] = {}
    query: str
    must_match: list[str] = []
    must_not_match: list[str] = []
    version: int = 1  # as `list` prints it; the database counts its own

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What files hold: the topics that could be read, in the files' order, slugs unique; and what could not."""

    drafts: tuple[TopicDraft, ...]
    faults: tuple[Fault, ...]


def read_topics(paths: Iterable[Path]) -> list[TopicDraft]:
    """Read files that must be without fault. Raises `InputError`, or `ManyFaultsError` for more than one fault."""
    reading = read(paths)
    refuse(reading.faults)
    return list(reading.drafts)


def read(paths: Iterable[Path]) -> Reading:
    """Read files and folders, folders in order of their files' paths; what is at fault is told, the rest is read."""
    drafts: dict[str, TopicDraft] = {}
    faults: list[Fault] = []
    for file in _files(paths, faults):
        for number, entry in enumerate(_entries(file, faults), start=1):
            draft = _draft(entry, where=f"{file}, entry {number}", faults=faults)
            if draft and draft.slug in drafts:
                message = f"the slug {draft.slug} stands also in {drafts[draft.slug].where}"
                faults.append(Fault(where=draft.where, slug=draft.slug, field="slug", message=message))
            elif draft:
                drafts[draft.slug] = draft
    return Reading(drafts=tuple(drafts.values()), faults=tuple(faults))


def _files(paths: Iterable[Path], faults: list[Fault]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
            if not found:
                faults.append(Fault(where=str(path), message="the folder holds no .yaml file"))
            yield from found
        else:
            yield path


def _entries(file: Path, faults: list[Fault]) -> Sequence[Any]:
    try:
        return _parsed(file, file.read_text(encoding="utf-8"), faults)
    except OSError as error:
        faults.append(Fault(where=str(file), message=f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        faults.append(Fault(where=str(file), message=f"is not UTF-8 at byte {error.start}"))
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f"{file}, line {place.line + 1}" if place else str(file)
        faults.append(Fault(where=where, message=f"is not YAML: {getattr(error, 'problem', error)}"))
    except InputError as error:
        faults.append(Fault(where=error.where, message=error.message, hint=error.hint))
    return ()


def _parsed(file: Path, text: str, faults: list[Fault]) -> Sequence[Any]:
    if file.suffix in {".jsonl", ".json"} or text.lstrip().startswith("{"):
        return list(_json_lines(file, text, faults))
    entries = yaml.safe_load(text)
    if not isinstance(entries, list):
        raise InputError("is not a list of topics", where=str(file), hint=_EXAMPLE)
    return entries


def _json_lines(file: Path, text: str, faults: list[Fault]) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                faults.append(Fault(where=f"{file}, line {number}", message=f"is not JSON: {error.msg}"))


def _draft(entry: object, *, where: str, faults: list[Fault]) -> TopicDraft | None:
    """Make a draft of an entry, or add each of its faults."""
    if isinstance(entry, dict) and "slug" in entry:
        entry = {"id": entry["slug"], **{key: value for key, value in entry.items() if key != "slug"}}
    try:
        read = _Entry.model_validate(entry)
    except ValidationError as refused:
        slug = str(entry.get("id", "")) if isinstance(entry, dict) else ""
        faults.extend(_fault(dict(error), where=where, slug=slug) for error in refused.errors())
        return None
    return TopicDraft(
        where=where,
        slug=read.slug,
        name=read.name,
        description=read.description,
        query=read.query,
        must_match=tuple(read.must_match),
        must_not_match=tuple(read.must_not_match),
    )


def _fault(error: dict[str, Any], *, where: str, slug: str) -> Fault:
    field = ".".join(str(part) for part in error["loc"])
    field = "slug" if field == "id" else field or "the entry"
    return Fault(where=where, slug=slug, field=field, message=error["msg"].lower(), hint=_EXAMPLE)
