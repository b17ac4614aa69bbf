"""`/img/{token}`: a story's picture, served by this house where the image proxy is on. The same for every reader.

The link says which picture, and nothing of who asks. Parses and answers; the proxy fetches.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Header
from fastapi.responses import Response

from worker.adapters.pictures.proxy import FAILED_FOR_S, BusyError
from worker.errors import TokenError
from worker.tokens import Purpose
from worker.web.site import AnySite
from worker.web.topic_pages import is_known

router = APIRouter(include_in_schema=False)

_MONTH_S: Final = 30 * 86_400
_HEADERS: Final = {
    "Cache-Control": f"public, max-age={_MONTH_S}, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",  # webmail shows it from its own pages
}
_NONE: Final = {"Cache-Control": f"public, max-age={FAILED_FOR_S:.0f}"}


@router.get("/img/{token}")
async def show_picture(site: AnySite, token: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Give a picture, or none: a mail is whole without it."""
    proxy = site.house.image_proxy
    try:
        [number] = site.house.tokens.read(Purpose.IMAGE, token, now=datetime.now(UTC))  # these never expire
        picture = await proxy.get(number) if proxy else None
    except TokenError:
        return Response(status_code=404, headers=_NONE)
    except BusyError:
        return Response(status_code=503, headers={"Retry-After": "5"})
    if picture is None:
        return Response(status_code=404, headers=_NONE)
    headers = _HEADERS | {"ETag": f'"{number:x}"'}
    if is_known(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(picture.data, media_type=picture.media_type, headers=headers)
