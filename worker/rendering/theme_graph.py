"""Which template of a theme needs which: what each extends, includes, imports, or has a story's fragment from.

Reads Jinja2's syntax trees, runs nothing. `theme_check` goes through all templates with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from jinja2 import TemplateSyntaxError, nodes

from worker.rendering.theme import parsing_environment
from worker.rendering.theme_files import ORIGINALS, Fault, Theme


class Reference(NamedTuple):
    """A place where a template names another. `name` is "" where it is worked out and cannot be known before.

    `given` are the names under which a fragment is handed something; None of what is no fragment.
    """

    verb: str
    name: str
    line: int
    may_be_missing: bool = False
    given: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The templates of a theme, parsed; `broken` are those that cannot be."""

    theme: Theme
    trees: dict[str, nodes.Template]
    broken: tuple[Fault, ...]

    @cached_property
    def references(self) -> dict[str, tuple[Reference, ...]]:
        """Return each template's references."""
        return {name: _references(tree) for name, tree in self.trees.items()}

    @cached_property
    def reach(self) -> dict[str, set[str]]:
        """Return of each template what `reached` does."""
        return {name: self.reached(name) for name in self.trees}

    def reached(self, start: str) -> set[str]:
        """Return all templates that a template needs, whether directly or not; itself only if it needs itself."""
        found: set[str] = set()
        waiting = [start]
        while waiting:
            for reference in self.references.get(waiting.pop(), ()):
                name = self.same(reference.name)
                if name in self.trees and name not in found:
                    found.add(name)
                    waiting.append(name)
        return found

    def users(self, name: str) -> set[str]:
        """Return all templates that need a template."""
        return {other for other, needed in self.reach.items() if name in needed}

    def given(self, name: str) -> frozenset[str] | None:
        """Return the names that a template is handed as a fragment; None when it is none."""
        uses = [one.given for found in self.references.values() for one in found if one.name == name]
        handed = [given for given in uses if given is not None]
        return frozenset().union(*handed) if handed else None

    def ancestors(self, name: str) -> list[str]:
        """Return what a template extends, in each case if that depends, and what those extend in turn."""
        found: list[str] = []
        waiting = [name]
        while waiting:
            above = [self.same(one.name) for one in self.references.get(waiting.pop(), ()) if one.verb == "extends"]
            waiting += (new := [one for one in above if one in self.trees and one not in found])
            found += new
        return found

    def blocks(self, name: str) -> set[str]:
        """Return the names of the blocks that a template has."""
        return {block.name for block in self.trees[name].find_all(nodes.Block)}

    def stored(self, name: str) -> frozenset[str]:
        """Return the names that a template itself gives to something: by set, for, with, macro and import."""
        return _stored(self.trees[name])

    def same(self, name: str) -> str:
        """Return the one name of a template of ours that nothing stands over."""
        plain = name.removeprefix(ORIGINALS)
        return plain if name.startswith(ORIGINALS) and plain not in self.theme.own else name


def graph_of(theme: Theme) -> Graph:
    """Parse all templates of a theme."""
    trees, broken = {}, []
    names = {*theme.names(""), *(ORIGINALS + name for name in theme.own if name in theme.originals)}
    for name in sorted(names):
        source = theme.find(name)
        try:
            trees[name] = _parsed(source.text if source else "")
        except TemplateSyntaxError as error:
            broken.append(Fault(file=name, line=error.lineno, says=f"{error.message}"))
    return Graph(theme=theme, trees=trees, broken=tuple(broken))


@lru_cache(maxsize=1024)  # ours are the same in every theme
def _parsed(text: str) -> nodes.Template:
    return parsing_environment().parse(text)


@lru_cache(maxsize=1024)
def _references(tree: nodes.Template) -> tuple[Reference, ...]:
    return tuple(_named(tree))


def _named(tree: nodes.Template) -> Iterator[Reference]:
    for found in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        verb = {nodes.Extends: "extends", nodes.Include: "includes"}.get(type(found), "imports")
        optional = bool(getattr(found, "ignore_missing", False))
        for name in _names(found.template):  # type: ignore[attr-defined]  # all four have one
            yield Reference(verb, name, found.lineno, optional)
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "fragment" and call.args:
            for name in _names(call.args[0]):
                given = frozenset(one.key for one in call.kwargs)
                yield Reference("takes a fragment from", name, call.lineno, given=given)


def _names(expression: nodes.Expr) -> list[str]:
    if isinstance(expression, nodes.Const) and isinstance(expression.value, str):
        return [expression.value]
    if isinstance(expression, nodes.List | nodes.Tuple):
        return [name for one in expression.items for name in _names(one)]
    if isinstance(expression, nodes.CondExpr):
        return [*_names(expression.expr1), *(_names(expression.expr2) if expression.expr2 else [])]
    return [""]


@lru_cache(maxsize=1024)
def _stored(tree: nodes.Template) -> frozenset[str]:
    return frozenset(_bound(tree))


def _bound(tree: nodes.Template) -> Iterator[str]:
    for name in tree.find_all(nodes.Name):
        if name.ctx in {"store", "param"}:
            yield name.name
    for macro in tree.find_all(nodes.Macro):
        yield macro.name
    for imported in tree.find_all(nodes.Import):
        yield imported.target
    for several in tree.find_all(nodes.FromImport):
        yield from (one if isinstance(one, str) else one[1] for one in several.names)
