"""Goes through one template and finds names, attributes, filters and tests that do not exist, also where nobody passes.

Decides from Jinja2's syntax tree and from the types in `theme_names`; what is of no known type is let through, and is
tried with samples instead. `theme_check` calls it for each template of a theme.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from jinja2 import Environment, nodes

from worker.rendering import theme_names
from worker.rendering.theme_files import Fault
from worker.rendering.theme_names import Hint

_NAMES_SHOWN = 12


class Walk:
    """One walk through one template. `known` are the names that may be used, with their types; `loose` more names."""

    def __init__(
        self, *, file: str, environment: Environment, known: Mapping[str, Hint], loose: Iterable[str] = ()
    ) -> None:
        self._file, self._environment = file, environment
        self._known = {**dict.fromkeys([*loose, *environment.globals, "self", "super", "caller", "varargs", "kwargs"])}
        self._known |= known
        self.faults: list[Fault] = []

    def through(self, tree: nodes.Template) -> list[Fault]:
        """Return all faults, in reading order."""
        for macro in tree.find_all(nodes.Macro):
            self._known.setdefault(macro.name, None)  # by which others above it may be called, too
        self._body(tree.body, dict(self._known))
        unique = dict.fromkeys(self.faults)
        return sorted(unique, key=lambda fault: fault.line)

    def _body(self, body: Iterable[nodes.Node], scope: dict[str, Hint]) -> None:
        for node in body:
            self._node(node, scope)

    def _node(self, node: nodes.Node, scope: dict[str, Hint]) -> None:
        match node:
            case nodes.For():
                self._loop(node, scope)
            case nodes.Assign():
                self._node(node.node, scope)
                self._bind(node.target, self._type(node.node, scope), scope)
            case nodes.Macro() | nodes.CallBlock():
                self._macro(node, scope)
            case nodes.Import():
                scope[node.target] = None
            case nodes.FromImport():
                scope.update(dict.fromkeys(one if isinstance(one, str) else one[1] for one in node.names))
            case nodes.Block():
                self._body(node.body, dict(scope))
            case nodes.With():
                self._body(node.values, scope)
                inner = dict(scope)
                for target, value in zip(node.targets, node.values, strict=True):
                    self._bind(target, self._type(value, scope), inner)
                self._body(node.body, inner)
            case _:
                self._expression(node, scope)

    def _expression(self, node: nodes.Node, scope: dict[str, Hint]) -> None:
        match node:
            case nodes.Name(ctx="load"):
                if node.name not in scope:
                    self._unknown(node, node.name, f"nothing is called {node.name!r}", self._known)
                return
            case nodes.Name():
                scope.setdefault(node.name, None)
                return
            case nodes.Test(name="defined" | "undefined"):
                return  # whoever asks may guess
            case nodes.Test() if node.name not in self._environment.tests:
                self._unknown(node, node.name, f"there is no test {node.name!r}", self._environment.tests)
            case nodes.Filter() if node.name not in self._environment.filters:
                self._unknown(node, node.name, f"there is no filter {node.name!r}", self._environment.filters)
            case nodes.Getattr():
                self._attribute(node, node.attr, scope)
            case nodes.Getitem(arg=nodes.Const(value=str())):
                self._attribute(node, node.arg.value, scope)  # type: ignore[attr-defined]  # as the pattern says
        self._body(node.iter_child_nodes(), scope)

    def _attribute(self, node: nodes.Getattr | nodes.Getitem, name: str, scope: Mapping[str, Hint]) -> None:
        if name.startswith("_"):
            self._fault(node, f"{name!r} is not for templates: no name that begins with _ is")
            return
        has = theme_names.members(self._type(node.node, scope))
        if has is not None and name not in has:
            self._unknown(node, name, f"{_written(node.node)} has no {name!r}", has)

    def _loop(self, node: nodes.For, scope: dict[str, Hint]) -> None:
        self._node(node.iter, scope)
        inner = {**scope, "loop": None}
        self._bind(node.target, theme_names.item(self._type(node.iter, scope)), inner)
        self._body([*([node.test] if node.test else []), *node.body], inner)
        self._body(node.else_, dict(scope))

    def _macro(self, node: nodes.Macro | nodes.CallBlock, scope: dict[str, Hint]) -> None:
        if isinstance(node, nodes.Macro):
            scope[node.name] = None
        else:
            self._node(node.call, scope)
        self._body(node.defaults, scope)
        given = {argument.name: theme_names.BY_CUSTOM.get(argument.name) for argument in node.args}
        self._body(node.body, {**scope, **given})

    def _bind(self, target: nodes.Node, hint: Hint, scope: dict[str, Hint]) -> None:
        if isinstance(target, nodes.Name):
            scope[target.name] = hint
        elif isinstance(target, nodes.Tuple):
            for one, part in zip(target.items, theme_names.parts(hint, len(target.items)), strict=True):
                self._bind(one, part, scope)

    def _type(self, node: nodes.Node, scope: Mapping[str, Hint]) -> Hint:
        match node:
            case nodes.Name():
                return scope.get(node.name)
            case nodes.Getattr():
                return theme_names.member(self._type(node.node, scope), node.attr)
            case nodes.Getitem(arg=nodes.Const(value=str())):
                return theme_names.member(self._type(node.node, scope), node.arg.value)  # type: ignore[attr-defined]  # see there
            case nodes.Getitem(arg=nodes.Const(value=int())):
                return theme_names.item(self._type(node.node, scope))
            case _:
                return None

    def _unknown(self, node: nodes.Node, name: str, says: str, known: Iterable[str]) -> None:
        names = sorted(one for one in known if not one.startswith("_"))
        near = difflib.get_close_matches(name, names, n=1)
        few = len(names) <= _NAMES_SHOWN
        hint = (
            f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}" if few else "see docs/themes.md"
        )
        self._fault(node, says, hint)

    def _fault(self, node: nodes.Node, says: str, hint: str = "") -> None:
        self.faults.append(Fault(file=self._file, line=node.lineno, says=says, hint=hint))


def _written(node: nodes.Node) -> str:
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_written(node.node)}.{node.attr}"
        case nodes.Getitem():
            return f"{_written(node.node)}[…]"
        case _:
            return "this"
