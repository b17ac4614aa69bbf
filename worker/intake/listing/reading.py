"""Reads a list of sources, whichever it is: OPML begins with "<", YAML does not.

Pure. `run_lists` and the demo call it.
"""

from __future__ import annotations

from worker.adapters.sources.decoding import decode, sniffable
from worker.errors import InputError, ManyFaultsError
from worker.intake.listing.entries import MAX_LIST_BYTES, Listed
from worker.intake.listing.opml import read_opml
from worker.intake.listing.yaml_list import read_yaml


def read_list(data: bytes, *, file_name: str, base: str = "") -> Listed:
    r"""Read a list of sources. In YAML, relative addresses count from `base`, where it is given.

    Raises `InputError` or `ManyFaultsError`, each of whose lines begins with `file_name`.

    >>> read_list(b"- url: https://a.example/feed\n  nmae: A", file_name="s.yaml")
    Traceback (most recent call last):
        ...
    worker.errors.InputError: s.yaml, line 2, nmae: no such field (did you mean name?)
    """
    try:
        return _read(data, base)
    except ManyFaultsError as error:
        raise ManyFaultsError(tuple(_placed(one, file_name) for one in error.errors)) from error
    except InputError as error:
        raise _placed(error, file_name) from error


def _read(data: bytes, base: str) -> Listed:
    if len(data) > MAX_LIST_BYTES:
        raise InputError(f"larger than the limit of {MAX_LIST_BYTES // 1_000_000} MB", hint="split the list")
    if not data.strip():
        raise InputError("the list is empty", hint="hand in OPML, or YAML as docs/intake.md shows it")
    return read_opml(data) if _is_markup(data) else read_yaml(decode(data), base=base)


def _is_markup(data: bytes) -> bool:
    """Tell whether a list is OPML, also where a server's words stand in front of it."""
    head = sniffable(data[:20_000]).lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") or b"<opml" in head.lower()


def _placed(error: InputError, file_name: str) -> InputError:
    where = ", ".join(part for part in (file_name, error.where) if part)
    return InputError(error.message, where=where, hint=error.hint)
