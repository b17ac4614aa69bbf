"""Puts the HTTP door together: middlewares, routes, static files, error pages. `serve` and the tests call it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from worker import __version__
from worker.web import (
    api,
    api_articles,
    api_backtest,
    api_document,
    api_editions,
    api_newsletters,
    api_sources,
    api_subscribers,
    api_topics,
    api_versions,
    api_webhooks,
    archive,
    confirm,
    demo_feeds,
    embed,
    health,
    inbox_pages,
    mail_view,
    marks,
    measured,
    not_this,
    own_letters,
    pictures,
    preferences,
    preview_pages,
    problems,
    subscribe,
    topic_pages,
    unsubscribe,
    webhooks,
    websub,
)
from worker.web.api_door import ApiDoor
from worker.web.framing import BoxHeaders, origins
from worker.web.look import Logo, read_logo, router, theme
from worker.web.pages import Pages
from worker.web.security import AccessLog, HeadAsGet, RememberPeer, SecurityHeaders, page_policy
from worker.web.site import Site
from worker.web.themed_files import ThemedFiles
from worker.wiring import House

_ROUTERS: Final = (
    subscribe.router,
    embed.router,
    marks.router,
    confirm.router,
    preferences.router,
    not_this.router,
    own_letters.router,
    unsubscribe.router,
    mail_view.router,
    measured.router,
    pictures.router,
    topic_pages.router,
    archive.router,
    inbox_pages.router,
    preview_pages.router,
    demo_feeds.router,
    health.router,
    api.router,
    api_backtest.router,
    api_topics.router,
    api_sources.router,
    api_subscribers.router,
    webhooks.router,
    websub.router,
    api_articles.router,
    api_versions.router,
    api_newsletters.router,  # before the commands on all editions, whose pattern is wider
    api_editions.router,
    api_webhooks.router,
)


def create_app(house: House) -> FastAPI:
    """Return an installation's ASGI application.

    Raises `ConfigurationError` for a faulty template or catalogue, a logo that is none, or colours nobody can read.
    """
    logo = read_logo(house.settings.logo, home=house.home)
    app = FastAPI(
        title=f"{house.newsroom.name}: newsletters and alerts",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(house),
        # As they are: what `include_router` makes of each for this application is the same again, by 20 ms of work.
        routes=[route for routes in _ROUTERS for route in routes.routes],
        middleware=_middlewares(house, logo),
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "auto_configure": False,
        },  # spans would hold links
    )
    app.state.site = Site(house=house, pages=Pages(house.newsroom, logo=logo.source, theme=house.theme))
    problems.install(app)
    app.include_router(router(theme(app.state.site.pages.palette, house.settings.typeface), logo))
    api_document.describe(app)
    app.mount("/static", ThemedFiles(house.theme))
    return app


def _lifespan(house: House) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what ends with the server: what was counted and is not written down yet."""

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(house.close_meter)

    return live


def _middlewares(house: House, logo: Logo) -> list[Middleware]:
    """Return the middlewares, outermost first; their order matters."""
    allowed = origins(house.settings.embed_origins, home_url=house.settings.home_url)
    return [
        Middleware(RememberPeer),  # before the proxies' headers hide it
        Middleware(ProxyHeadersMiddleware, trusted_hosts=house.settings.trusted_proxies),
        Middleware(HeadAsGet),
        Middleware(AccessLog),
        Middleware(SecurityHeaders, policy=page_policy(images=logo.origin)),
        Middleware(BoxHeaders, allowed=allowed),
        Middleware(problems.CatchDefects),
        Middleware(problems.LimitBody),
        Middleware(ApiDoor, house=house),  # reads the whole body, which is there by now
    ]
