"""Serves the pages until the process is told to stop. Called by `tocsin web`."""

from __future__ import annotations

import logging

import uvicorn

from worker.web.app import create_app
from worker.wiring import House

_LAST_REQUESTS_S = 5  # `tocsin up` gives its children ten seconds


def serve(house: House) -> None:
    """Run the web server on the address of the settings; returns after SIGTERM or SIGINT."""
    make_server(house).run()


def make_server(house: House) -> uvicorn.Server:
    """Return the server, not running yet.

    Uvicorn's own access log stays off: it writes whole paths, and ours hold readers' links. So does its handling of the
    proxies' headers, since the app must see the socket's peer first.
    """
    logging.getLogger("uvicorn.access").disabled = True  # also where somebody has given it a handler
    return uvicorn.Server(
        uvicorn.Config(
            create_app(house),
            host=house.settings.web_host,
            port=house.settings.web_port,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            log_config=None,
            timeout_graceful_shutdown=_LAST_REQUESTS_S,
        )
    )
