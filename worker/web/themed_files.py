"""`/static/...`: the files of the pages, each from the operator's theme if it has one of this name, else ours.

Follows no link out of either folder. Mounted by `app`.
"""

from __future__ import annotations

from starlette.staticfiles import StaticFiles

from worker.rendering.theme_files import Theme


class ThemedFiles(StaticFiles):
    """Starlette's static files, looked for in several folders."""

    def __init__(self, theme: Theme) -> None:
        first, *_ = theme.served
        super().__init__(directory=first)
        self.all_directories = [*theme.served]
