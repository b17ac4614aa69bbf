"""The kernels, compiled, or interpreted as long as nobody has compiled them.

Decides when to compile and where the result is kept, so that a fresh process need not. numba is imported here and
nowhere else, and only when somebody wants the kernels compiled. Until then the very same functions run as plain Python:
a hundred times slower, but at once, so that a fresh worker never keeps an alert waiting.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

import numpy as np

_MODULES: Final = ("segment", "hashing", "recognise", "occurrences", "collect", "build")  # each uses those before it


class Kernels:
    """The functions that are called from outside, by name."""

    def __init__(self, functions: dict[str, Callable[..., Any]], *, are_compiled: bool) -> None:
        self.match = functions["match"]
        self.segment = functions["segment"]
        self.hang = functions["hang"]
        self.hang_all = functions["hang_all"]
        self.insert_all = functions["insert_all"]
        self.are_compiled = are_compiled


def _modules() -> list[ModuleType]:
    return [import_module(f"worker.matching.compiled.{name}") for name in _MODULES]


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let hashes overflow in silence, as they do when compiled."""

    def quiet(*arguments: Any) -> Any:  # noqa: ANN401  whatever the kernel takes and gives
        with np.errstate(over="ignore"):
            return function(*arguments)

    return quiet


def interpreted() -> Kernels:
    """Return the kernels as plain Python."""
    functions = {name: _quiet(function) for module in _modules() for name, function in _own_functions(module)}
    return Kernels(functions, are_compiled=False)


def folder_in(cache: Path) -> Path:
    """Return the folder below `cache` for these very kernels, with this very numba.

    numba looks only at a function's own file to see whether what it has kept is still right; the folder's name
    therefore comes from all files together.
    """
    folder = Path(__file__).parent  # all of it: kernels are compiled with the numbers of `layout` and `tables` inside
    sources = b"".join(file.read_bytes() for file in sorted(folder.glob("*.py")))
    named = f"{version('numba')} {sys.version_info[:2]} {platform.machine()}".encode()
    return cache / f"kernels-{hashlib.sha256(sources + named).hexdigest()[:16]}"


def compiled(folder: Path) -> Kernels:
    """Return the kernels as numba makes them when they are first called, and keeps them in a folder of their own."""
    import numba  # noqa: PLC0415  half a second and 100 MB that most processes need not spend

    vars(numba.config)["CACHE_DIR"] = str(folder)  # read anew for each function
    functions: dict[str, Any] = {}
    for module in _modules():
        shared = vars(module) | {name: function for name, function in functions.items() if name in vars(module)}
        for name, function in _own_functions(module):
            copy = FunctionType(function.__code__, shared, name, function.__defaults__)
            shared[name] = functions[name] = numba.njit(nogil=True, cache=True)(copy)
    return Kernels(functions, are_compiled=True)


_current: Kernels | None = None


def kernels() -> Kernels:
    """Return the kernels to use now: compiled ones once they are ready, interpreted ones until then."""
    global _current  # noqa: PLW0603  one set of kernels a process, whoever asks for it
    if _current is None:
        _current = interpreted()
    return _current


def use(ready: Kernels) -> None:
    """Have everybody use these kernels from now on."""
    global _current  # noqa: PLW0603  as above
    _current = ready


def _own_functions(module: ModuleType) -> list[tuple[str, FunctionType]]:
    return [
        (name, value)
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    ]
