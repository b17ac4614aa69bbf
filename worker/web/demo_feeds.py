"""The demo's feeds, served to the demo's own intake: real bytes over real HTTP, with validators, on loopback only."""

from __future__ import annotations

from email.utils import formatdate
from hashlib import sha256
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.web.site import LocalSite

router = APIRouter(include_in_schema=False)

_TYPES: Final = {".xml": "application/rss+xml", ".atom": "application/atom+xml", ".json": "application/feed+json"}


@router.get("/demo/feeds/{name}")
def feed(request: Request, site: LocalSite, name: str) -> Response:
    """Serve one of the seeds' feeds, or 304 when the asker has it already."""
    folder = site.house.home / "seeds" / "feeds"
    file = next((found for found in folder.glob("*") if found.name == name), None)  # listed names only: no path tricks
    if file is None:
        raise HTTPException(404)
    data = file.read_bytes()
    headers = {
        "ETag": f'"{sha256(data).hexdigest()[:20]}"',
        "Last-Modified": formatdate(file.stat().st_mtime, usegmt=True),
        "Cache-Control": "no-cache",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=_TYPES.get(file.suffix, "application/octet-stream"))
