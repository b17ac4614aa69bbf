"""An import-linter contract of our own: in a room, whatever is not named `run` or `run_*` only decides.

The built-in "forbidden" contract wants its modules listed; this one finds them, so that a new file in a room is held to
the rule from its first day. Named in .importlinter, and run by `lint-imports`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from grimp import ImportGraph
from importlinter import ContractCheck, fields
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.domain.imports import ModuleExpression


class DecidersContract(ForbiddenContract):
    """Like "forbidden", for all modules of `rooms` whose own name fits none of `doing` and that are not `excepted`."""

    type_name = "deciders"

    # import-linter puts the configured values in the place of these descriptions; types do not follow it there.
    rooms: Any = fields.ListField(subfield=fields.StringField())
    doing: Any = fields.ListField(subfield=fields.StringField())
    excepted: Any = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    source_modules: Any = fields.SetField(subfield=fields.ModuleExpressionField(), required=False)
    # Not as packages: a room's own `__init__` is to be checked, without all that lies in the room.
    as_packages: Any = fields.BooleanField(required=False, default=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the modules that only decide, and forbid them what is forbidden."""
        self.source_modules = {ModuleExpression(name) for name in self._deciding(graph)}
        return super().check(graph, verbose)

    def _deciding(self, graph: ImportGraph) -> Iterator[str]:
        for room in self.rooms:
            for module in graph.find_descendants(room) | {room}:
                does = any(fnmatch(module.rpartition(".")[2], pattern) for pattern in self.doing)
                if not does and module not in self.excepted:
                    yield module
