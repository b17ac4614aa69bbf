"""`POST /api/v1/topics/backtest`: what a query would have found, for the newsroom's own programs.

Parses and answers; `matching.run_backtest` decides. The answer quotes articles, and `@` names shared topics: no query
or number of a reader is in it. One question is answered at a time, for it keeps a whole core busy.
"""

from __future__ import annotations

import threading
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException
from pydantic import Field

from worker.errors import InputError, QueryError, TooLongError
from worker.matching.backtest import MAX_DAYS, Backtest
from worker.web.api import PROBLEMS, Body
from worker.web.api_keys import Scope, needs
from worker.web.site import AnySite

_READING_S: Final = 4.0
_TOTAL_S: Final = 20.0
_TURN: Final = threading.Lock()
_WAIT_S: Final = 10.0

router = APIRouter(prefix="/api/v1", tags=["v1"])


class Question(Body):
    """A query in the language of topics; it may name shared topics with `@`."""

    query: str
    days: Annotated[int, Field(ge=1, le=MAX_DAYS, description="How many days to look back.")] = 30


@router.post(
    "/topics/backtest",
    dependencies=[Depends(needs(Scope.EDITIONS))],
    response_model=Backtest,
    responses=PROBLEMS,
)
def ask(site: AnySite, question: Question) -> Backtest:
    """Tell how many stories a query would have found, and how many mails it would have made at each cadence."""
    from worker.matching.run_backtest import Effort, backtest  # noqa: PLC0415  pages need no engine

    if not _TURN.acquire(timeout=_WAIT_S):
        raise HTTPException(503, "another backtest is being answered", headers={"Retry-After": "10"})
    try:
        home = site.house
        effort = Effort(reading_s=_READING_S, total_s=_TOTAL_S)
        return backtest(
            home.database, question.query, days=question.days, timezone=home.newsroom.timezone, effort=effort
        )
    except QueryError as error:
        raise _about_the_query(error) from error
    except TooLongError as error:
        raise HTTPException(503, str(error)) from error
    finally:
        _TURN.release()


def _about_the_query(error: QueryError) -> InputError:
    """Tell a refusal as one of the field `query`; an offset in another topic's query would mislead."""
    if error.where:
        return InputError(f"@{error.where}: {error.message}", where="query", hint=error.hint)
    return QueryError(error.reason, offset=error.offset, where="query", hint=error.hint)
