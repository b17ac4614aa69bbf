"""Who may call the API, and what for: Bearer keys with scopes, known by their hashes.

Reads only.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from worker.web.site import AnySite

_BEARER = HTTPBearer(auto_error=False, description="An API key.")
_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


class Scope(StrEnum):
    """What a key may be for."""

    ARTICLES = "articles"
    SUBSCRIPTIONS = "subscriptions"
    PERSONAL = "personal"
    EDITIONS = "editions"
    ADMIN = "admin"  # includes all others


def needs(scope: Scope) -> Callable[..., str]:
    """Return a dependency that lets in only keys with this scope, and gives the key's name as the books have it."""

    def check(site: AnySite, given: _Given) -> str:
        holder = site.house.api_holder(given.credentials) if given else None
        if holder is None:
            raise HTTPException(
                401, "send an API key: Authorization: Bearer KEY", headers={"WWW-Authenticate": 'Bearer realm="tocsin"'}
            )
        name, scopes = holder
        if not scopes & {scope, Scope.ADMIN}:
            challenge = f'Bearer realm="tocsin", error="insufficient_scope", scope="{scope}"'
            raise HTTPException(403, f"this key lacks the scope {scope}", headers={"WWW-Authenticate": challenge})
        return f"API key {name}"

    return check
