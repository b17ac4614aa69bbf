from __future__ import annotations

import pytest

from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.language import Languages
from worker.resources import templates_dir


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(newsroom=samples.newsroom("en"))


@pytest.fixture(scope="session")
def languages() -> Languages:
    return Languages(templates_dir() / "locales")
