"""The HTTP door: the readers' pages, the public topic pages, the API, the local inbox, and what monitors ask.

    app            puts it together: middlewares, routes, error pages
    site           what every handler has at hand: the installation, the page templates
    security       who is asking, what browsers may do with an answer, and a log without tokens or addresses
    one module a group of pages, one for the API

Handlers parse, call a room, and show what came of it. They are plain functions, which FastAPI runs in threads. A GET or
HEAD never changes anything, since mail scanners open every link.
"""
