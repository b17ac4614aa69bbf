"""Everything that an installation has to do with WebSub hubs, put together from the terms of one house.

Decides nothing. `wiring` makes one; the web uses its `callbacks`, `tasks` the rest, polling its `signs`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Final

from worker.intake.run import Intake
from worker.intake.run_callbacks import Callbacks
from worker.intake.run_hub_signs import HubSigns
from worker.intake.run_pushes import PushReader
from worker.intake.run_websub import HubSubscriber, HubTerms
from worker.model import ArticleId
from worker.store.database import Database
from worker.tokens import Tokens

_READS_S: Final = 5.0  # then others have their turn: the next sweep goes on


class Hubs:
    """One house and the hubs that push to it; its parts are made when first asked for."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        *,
        tokens: Callable[[], Tokens],
        terms: HubTerms,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database, self._intake, self._make_tokens = database, intake, tokens
        self._terms, self._stopping = terms, stopping

    def sweep(self) -> Iterator[ArticleId]:
        """Read what waits, for a while, and yield the articles that are to be matched as soon as they are stored.

        Then count what was missed, and begin to ask the hubs that are due.
        """
        started_s = time.monotonic()
        while self.reader.has_more() and time.monotonic() < started_s + _READS_S:
            yield from self.reader.take_in()
        self.signs.judge()
        self.subscriber.begin_sweep()

    def close(self) -> None:
        """End what reads pushes."""
        if "reader" in self.__dict__:
            self.reader.close()

    @property
    def why_not(self) -> str:
        """Why no hub is asked to push to us, "" where hubs are."""
        return self._terms.why_not

    @functools.cached_property
    def tokens(self) -> Tokens:
        """What callbacks and secrets are made with."""
        return self._make_tokens()

    @functools.cached_property
    def callbacks(self) -> Callbacks:
        """What answers hubs."""
        return Callbacks(self._database, self.tokens)

    @functools.cached_property
    def subscriber(self) -> HubSubscriber:
        """What asks hubs."""
        return HubSubscriber(self._database, self.tokens, self._terms, stopping=self._stopping)

    @functools.cached_property
    def reader(self) -> PushReader:
        """What reads what hubs have pushed."""
        return PushReader(self._database, self._intake)

    @functools.cached_property
    def signs(self) -> HubSigns:
        """What finds hubs in polled documents, and misses."""
        terms = self._terms
        signing_key = self.tokens.signing_key if terms.base_url is not None else ""
        return HubSigns(
            self._database, base_url=terms.base_url, signing_key=signing_key, allow_private=terms.allow_private
        )
