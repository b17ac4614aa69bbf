"""The services whose queries can be carried over. Decides nothing; `translation` and the command line name them."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """Where a query comes from."""

    GOOGLE = "google"
    FACTIVA = "factiva"
    MELTWATER = "meltwater"
    NEXIS = "nexis"
