"""Looks for everything that is wrong in a theme before a mail is made with it: all faults at once, with file and line.

Goes through the templates' syntax trees and their catalogues, then tries every sample. Never sends, never changes a
file. `load_theme` is how a process comes by its theme; `tocsin theme check` and the preview page print what is found.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import meta, nodes

from worker.errors import ConfigurationError
from worker.rendering.theme import parsing_environment
from worker.rendering.theme_files import (
    ORIGINALS,
    Fault,
    Theme,
    is_catalogue,
    is_served,
    plain_theme,
    read_theme,
)
from worker.rendering.theme_graph import Graph, graph_of
from worker.rendering.theme_names import context_of
from worker.rendering.theme_scope import Walk
from worker.rendering.theme_trial import try_out
from worker.rendering.theme_words import check_words
from worker.resources import templates_dir

_NOTES: Final = {".md", ".txt", ""}  # what people leave beside their files


@lru_cache(maxsize=8)  # what a process has begun with, it keeps: also the children that it forks
def load_theme(folder: Path | None) -> Theme:
    """Return the theme of a folder, None: our own. A second of work, once a process; a later change is not seen.

    Raises `ConfigurationError` with every fault at once.
    """
    if folder is None:
        return plain_theme()
    theme = read_theme(folder)
    stopping = [fault for fault in check(theme) if fault.stops]
    if stopping:
        lines = "\n".join(f"  {fault}" for fault in stopping)
        raise ConfigurationError(f"the theme {folder} is faulty:\n{lines}")
    return theme


def check(theme: Theme) -> list[Fault]:
    """Return all faults of a theme, by file and line. Samples are tried once the templates can be read at all."""
    graph = graph_of(theme)
    found = [*graph.broken, *check_words(theme), *_strangers(graph)]
    for name in sorted(theme.own):
        if name in graph.trees:
            found += _references(graph, name)
            found += _blocks(graph, name)
            found += _names(graph, name)
    if not any(fault.stops for fault in found):
        found += try_out(theme)
    return sorted(dict.fromkeys(found), key=lambda fault: (fault.file, fault.line))


def _references(graph: Graph, name: str) -> Iterator[Fault]:
    known = [*graph.theme.names(""), *(ORIGINALS + one for one in graph.theme.originals)]
    for verb, wanted, line, may_be_missing, _ in graph.references[name]:
        if not wanted:
            says = f"it {verb} a template whose name is worked out, so that nobody can check it"
            yield Fault(file=name, line=line, says=says, hint='write the name itself, as in "mail/layout.html.j2"')
        elif graph.theme.find(wanted) is None and not may_be_missing:
            near = difflib.get_close_matches(wanted, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "names begin with mail/, pages/ or tocsin/"
            yield Fault(file=name, line=line, says=f"it {verb} {wanted!r}, and there is no such template", hint=hint)
        elif wanted == name or name in graph.reached(graph.same(wanted)):
            hint = f'write "{ORIGINALS}{name}" for the one of ours' if name in graph.theme.originals else ""
            yield Fault(file=name, line=line, says=f"it {verb} {wanted!r}, and so itself, without end", hint=hint)


def _blocks(graph: Graph, name: str) -> Iterator[Fault]:
    """Find what a template says in vain: blocks that nothing above it has, words outside of all blocks."""
    above = graph.ancestors(name)
    if not above:
        return
    has = sorted(set().union(*(graph.blocks(one) for one in above)))
    for node in graph.trees[name].body:
        if isinstance(node, nodes.Block) and node.name not in has:
            near = difflib.get_close_matches(node.name, has, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(has)}"
            says = f"no template that it extends has a block {node.name!r}, so that nobody would see this one"
            yield Fault(file=name, line=node.lineno, says=says, hint=hint)
        elif isinstance(node, nodes.Output) and any(not _is_blank(part) for part in node.nodes):
            says = "this stands outside of all blocks, so that nobody sees it"
            yield Fault(file=name, line=node.lineno, says=says, hint="put it into a block", stops=False)


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.TemplateData) and not node.data.strip()


def _names(graph: Graph, name: str) -> list[Fault]:
    users, needs = graph.users(name), graph.reached(name)
    loose = {bound for one in {*users, *needs} for bound in graph.stored(one)} | _given(graph, name)
    known = context_of(name, users, handed=graph.given(name)) if name.startswith("mail/") else {}
    walk = Walk(file=name, environment=parsing_environment(), known=known, loose=loose - set(known))
    return walk.through(graph.trees[name])


def _given(graph: Graph, name: str) -> set[str]:
    """Return what the templates of ours name without having made it, that this one stands over, or is needed by."""
    original = graph.same(ORIGINALS + name)
    if original in graph.trees:
        near = {original, *graph.reached(original), *graph.users(original)}
    else:
        near = graph.users(name) if name.startswith("pages/") else set()
    ours = {graph.same(ORIGINALS + one.removeprefix(ORIGINALS)) for one in near}
    return {given for one in ours if one in graph.trees for given in _wanted(graph.trees[one])}


@lru_cache(maxsize=1024)
def _wanted(tree: nodes.Template) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(tree))


def _strangers(graph: Graph) -> Iterator[Fault]:
    """Find files that nothing uses: most often the name has a slip."""
    theme = graph.theme
    used = set().union(*(graph.reached(name) for name in theme.originals))
    for name in sorted(theme.files):
        if name in theme.originals or name in used or is_served(name) or is_catalogue(name):
            continue
        if "/" not in name and Path(name).suffix in _NOTES:
            continue
        if (templates_dir() / name).is_file():  # a copy of what is no template
            continue
        near = difflib.get_close_matches(name, theme.originals, n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/themes.md has the names of all templates"
        yield Fault(file=name, says="nothing uses this file", hint=hint, stops=False)
