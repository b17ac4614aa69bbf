"""A room that listens, on either database."""

from __future__ import annotations

import pytest

from .listening import Listening


@pytest.fixture
def listening(database):
    return Listening(database)
