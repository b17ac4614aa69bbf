"""How often a property is tried: a few times in `make test`, many times in `make test-slow`. It asserts nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import settings

_IS_THOROUGH: Final = settings.get_current_profile_name() == "thorough"


def often(*, few: int, many: int) -> int:
    """Return how many examples to try, for what is no function: mark that `thorough` as well."""
    return many if _IS_THOROUGH else few


def thorough(*, few: int = 50, many: int, **manners: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try a property on a few examples, and `make test-slow` tries it on many; `manners` are other settings."""
    held = settings(max_examples=often(few=few, many=many), **manners)
    return lambda test: pytest.mark.thorough(held(test))
