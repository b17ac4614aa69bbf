"""Who may call the API, and what for: Bearer keys with scopes, known by their hashes.

`api_door` finds the holder; here each handler says what it needs. Reads only.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from worker.store.house import KeyHolder
from worker.web.api_door import HOLDER

_BEARER = HTTPBearer(auto_error=False, description="An API key.")
_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]  # for the API's description


class Scope(StrEnum):
    """What a key may be for."""

    ARTICLES = "articles"
    SUBSCRIPTIONS = "subscriptions"
    PERSONAL = "personal"
    EDITIONS = "editions"
    ADMIN = "admin"  # includes all others


def needs(*any_of: Scope) -> Callable[..., str]:
    """Return a dependency that lets in only keys with one of these scopes, and gives the name that the books have."""

    def check(request: Request, _given: _Given) -> str:
        holder = holder_of(request)
        if holder is None:
            raise HTTPException(
                401, "send an API key: Authorization: Bearer KEY", headers={"WWW-Authenticate": 'Bearer realm="tocsin"'}
            )
        if not may(holder, *any_of):
            challenge = f'Bearer realm="tocsin", error="insufficient_scope", scope="{" ".join(any_of)}"'
            lacked = f"this key lacks the scope {' or '.join(any_of)}"
            raise HTTPException(403, lacked, headers={"WWW-Authenticate": challenge})
        return f"API key {holder.name}"

    return check


def holder_of(request: Request) -> KeyHolder | None:
    """Return who sends a request."""
    holder: KeyHolder | None = request.scope.get(HOLDER)
    return holder


def may(holder: KeyHolder, *any_of: Scope) -> bool:
    """Tell whether a key has one of these scopes.

    >>> may(KeyHolder(name="cms", scopes=frozenset({"admin"})), Scope.PERSONAL)
    True
    """
    return bool(holder.scopes & {*any_of, Scope.ADMIN})
