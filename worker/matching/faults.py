"""What may be wrong with a topic, said so that its author finds the place. Pure; `library` and `holding` make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.errors import InputError, ManyFaultsError, QueryError


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is wrong with a file or a topic.

    `where` names the file and the entry; `field` the part of it ("query", "must_match 2"). `offset` counts code points
    in `query` where the query is at fault. `example` is the text that does not hold, `found` the words of it that count
    against the topic, in reading order, each once.
    """

    where: str
    message: str
    slug: str = ""
    field: str = ""
    hint: str = ""
    offset: int | None = None
    query: str = ""
    example: str = ""
    found: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line, fit to stand after "error: "."""
        return str(self.error())

    def error(self) -> InputError:
        """Return the fault as the error that refuses a command."""
        topic = f"topic {self.slug}, " if self.slug and not self.where.startswith("topic ") else ""
        if self.offset is not None:
            where = f"{self.where}, {topic}{self.field}"
            return QueryError(self.message, offset=self.offset, where=where, hint=self.hint, query=self.query)
        if self.example:
            return InputError(self.message, where=f"{self.where}, {topic}{self.field}", hint=self.hint)
        message = f"{self.field}: {self.message}" if self.field else self.message
        return InputError(message, where=self.where, hint=self.hint)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise what is wrong: `InputError` or `QueryError` for one fault, `ManyFaultsError` for several."""
    if len(faults) == 1:
        raise faults[0].error()
    if faults:
        raise ManyFaultsError(tuple(fault.error() for fault in faults))
