"""`/demo/feeds/{name}`: the demo's own news feeds, fetched as any feed is. For this machine only."""

from __future__ import annotations

import hashlib
import re
from email.utils import formatdate, parsedate_to_datetime
from typing import Annotated, Final

from fastapi import APIRouter, Header, HTTPException
from fastapi.responses import Response

from worker.web.site import LocalSite
from worker.web.topic_pages import is_known

router = APIRouter(prefix="/demo", include_in_schema=False)

_NAME: Final = re.compile(r"\w[\w-]*(\.[\w-]+)+", re.ASCII)
_TYPES: Final = {
    ".rss.xml": "application/rss+xml",
    ".atom.xml": "application/atom+xml",
    ".xml": "application/rss+xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".json": "application/feed+json",
}


@router.get("/feeds/{name}")
def give_feed(
    site: LocalSite,
    name: str,
    if_none_match: Annotated[str | None, Header()] = None,
    if_modified_since: Annotated[str | None, Header()] = None,
) -> Response:
    """Give a feed of the demo's home, or say that it has not changed (RFC 9110, 13.1)."""
    kind = next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), None)
    file = site.house.home / "seeds" / "feeds" / name
    if kind is None or not _NAME.fullmatch(name) or not file.is_file():
        raise HTTPException(404)
    data, changed_s = file.read_bytes(), file.stat().st_mtime
    tag = f'"{hashlib.sha256(data).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Last-Modified": formatdate(changed_s, usegmt=True), "Cache-Control": "no-cache"}
    if is_known(tag, if_none_match) or (if_none_match is None and _not_since(changed_s, if_modified_since)):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=kind, headers=headers)


def _not_since(changed_s: float, if_modified_since: str | None) -> bool:
    try:
        return int(changed_s) <= parsedate_to_datetime(if_modified_since or "").timestamp()
    except ValueError:
        return False
