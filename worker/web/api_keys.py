"""Who may call the API, and what for: Bearer keys with scopes, known by their hashes.

Reads only. The one administrator's key of `TOCSIN_API_KEY` may do everything, so that a first start needs no database.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from worker.store.house import scopes_of
from worker.web.site import AnySite, Site

_BEARER = HTTPBearer(auto_error=False, description="An API key.")
_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


class Scope(StrEnum):
    """What a key may be for."""

    ARTICLES = "articles"
    SUBSCRIPTIONS = "subscriptions"
    PERSONAL = "personal"
    EDITIONS = "editions"
    ADMIN = "admin"  # includes all others


def needs(scope: Scope) -> Callable[..., None]:
    """Return a dependency that lets in only keys with this scope."""

    def check(site: AnySite, given: _Given) -> None:
        scopes = _scopes(site, given.credentials) if given else None
        if scopes is None:
            raise HTTPException(
                401, "send an API key: Authorization: Bearer KEY", headers={"WWW-Authenticate": 'Bearer realm="tocsin"'}
            )
        if not scopes & {scope, Scope.ADMIN}:
            challenge = f'Bearer realm="tocsin", error="insufficient_scope", scope="{scope}"'
            raise HTTPException(403, f"this key lacks the scope {scope}", headers={"WWW-Authenticate": challenge})

    return check


def _scopes(site: Site, key: str) -> frozenset[str] | None:
    first = site.house.settings.api_key
    if first is not None and hmac.compare_digest(first.get_secret_value().encode(), key.encode()):
        return frozenset({Scope.ADMIN})
    with site.house.database.read() as conn:
        return scopes_of(conn, key)
