"""The expressions of an engine and what they hang on: a base that is built at leisure, and a delta for what came since.

Decides where things are stored, and when what may be thrown away. Reads no query's text and no article; `programs` and
the kernels do. Only `engine` uses it, and sees to it that nothing here changes while a kernel runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from worker.matching.compiled.build import BRANCH, CONDITIONAL, EXPRESSION, FEATURE, FIRST, KIND, PLAIN
from worker.matching.compiled.layout import FIRST_FEATURE, NO_OWNER, Expressions, Postings
from worker.matching.compiled.runtime import Kernels
from worker.matching.compiled.tables import Array
from worker.matching.features import Features, Table, grown
from worker.matching.owners import Owners
from worker.matching.program_store import Arena, ProgramStore
from worker.matching.programs import Compiled

_COLUMNS: Final = 6  # of a row, as compiled.build names them
_FIRST_DELTA_ROWS: Final = 4096
_NONE: Final = np.zeros(0, np.int32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """Postings for the expressions that were alive when they were made, and which slot each of these has.

    Slots are in the order of the features that expressions hang on: what is looked at together lies together.
    """

    offsets: Array
    plain: Array
    branch: Array
    conditional: Array
    slot_of: Array
    expression_at: Array
    owner_at: Array
    program_at: Array


class Index:
    """Expressions by number, found again by their canonical text, and their rows in base and delta."""

    def __init__(self) -> None:
        self.features = Features()
        self.owners = Owners()
        self.count = 0
        self._free: list[int] = []
        self._interned = Table(is_mixed=True)
        self._texts = bytearray()
        self._text_start = np.zeros(64, np.int64)
        self._text_size = np.zeros(64, np.int32)
        self._plans = Arena()
        self._plan = np.zeros(64, np.int64)
        self._programs = ProgramStore()
        self._program = np.full(64, -1, np.int64)
        self.base = Base(
            offsets=np.zeros((1, 3), np.int32),
            plain=_NONE,
            branch=_NONE,
            conditional=np.zeros((0, 4), np.int32),
            slot_of=_NONE,
            expression_at=_NONE,
            owner_at=np.zeros(0, np.int64),
            program_at=np.zeros(0, np.int64),
        )
        self._slots = 0
        self._slot_of = np.full(64, -1, np.int32)  # by expression; -1: it hangs nowhere
        self._expression_at = np.zeros(64, np.int32)
        self._owner_at = np.zeros(64, np.int64)
        self._program_at = np.zeros(64, np.int64)
        self._changed: set[int] = set()  # expressions whose owners have changed since a base was begun
        self._costs, self._costed = np.zeros(0, np.float32), 0
        self.delta_used = 0
        self._delta_head, self._delta_next, self._delta_rows = _NONE, _NONE, np.zeros((0, 4), np.int32)
        self._clear_delta()

    # What the kernels read ---------------------------------------------------------------------------------------

    def postings(self) -> Postings:
        """Return what hangs on each feature; good until the next change."""
        self._cover_features()  # while many are loaded there may be features that nothing hangs on yet
        return Postings(
            offsets=self.base.offsets,
            plain=self.base.plain,
            branch=self.base.branch,
            conditional=self.base.conditional,
            plans=self._plans.numbers,
            delta_head=self._delta_head,
            delta_next=self._delta_next,
            delta_rows=self._delta_rows[: self.delta_used],
        )

    def expressions(self) -> Expressions:
        """Return what each expression is; good until the next change."""
        return Expressions(
            owner=self._owner_at,
            group_start=self.owners.group_start,
            group_size=self.owners.group_size,
            members=self.owners.members,
            program=self._program_at,
            code=self._programs.code.numbers,
            leaf_offsets=self._programs.leaf_offsets,
            leaf_fields=self._programs.leaf_fields,
            leaf_within=self._programs.leaf_within,
            word_feature=self._programs.word_feature,
            word_form=self._programs.word_form,
            word_surface=self._programs.word_surface,
        )

    # Expressions -------------------------------------------------------------------------------------------------

    def text(self, expression: int) -> str:
        """Return an expression's canonical text."""
        start = int(self._text_start[expression])
        return self._texts[start : start + int(self._text_size[expression])].decode("utf-8", "surrogatepass")

    def find(self, text: str) -> int:
        """Return the number of the expression with a canonical text, -1 if there is none, or none but a free one."""
        expression = self._interned.get(_hash(text))
        if expression < 0 or self.text(expression) != text:
            return -1
        is_free = self._slot_of[expression] < 0 and not self.owners.has_any(expression)
        return -1 if is_free else expression

    def put(self, text: str, compiled: Compiled) -> int:
        """Store a new expression and return its number. It hangs on nothing yet."""
        expression = self._free.pop() if self._free else self._next()
        written = text.encode("utf-8", "surrogatepass")
        self._text_start[expression], self._text_size[expression] = len(self._texts), len(written)
        self._texts += written
        self._interned.put(_hash(text), expression)
        self._plan[expression] = self._plans.append(compiled.plan)
        self._program[expression] = self._programs.put(compiled) if compiled.code else -1
        self._slot_of[expression] = -1
        return expression

    def give(self, expression: int, owner: int) -> None:
        """Give an expression one more owner, who has none. Raises `ValueError` for a number too low."""
        self.owners.add(expression, owner)
        self._note_owners(expression)

    def take(self, owner: int) -> None:
        """Take an owner's expression away. Raises `KeyError` if there is none."""
        self._note_owners(self.owners.remove(owner))

    def texts_and_owners(self, slots: Array) -> list[tuple[str, list[int]]]:
        """Return the canonical texts and the owners of expressions that a kernel has found."""
        expressions = self._expression_at[slots].tolist()
        return [(self.text(expression), self.owners.of_one(expression)) for expression in expressions]

    def _note_owners(self, expression: int) -> None:
        self._changed.add(expression)
        slot = self._slot_of[expression]
        if slot >= 0:
            self._owner_at[slot] = self.owners.of[expression]

    def hang(self, expression: int, kernels: Kernels) -> None:
        """Add an expression's rows to the delta, unless it hangs somewhere already."""
        if self._slot_of[expression] >= 0:
            return
        self._cover_features()
        slot = self._new_slot(expression)
        rows = np.zeros((max(64, int(self._plans.numbers[self._plan[expression]]) * 2), _COLUMNS), np.int32)
        plan = (slot, self._plans.numbers, self._plan[expression], self._costs)
        while (count := kernels.hang(*plan, rows, 0)) > len(rows):
            rows = np.zeros((count, _COLUMNS), np.int32)
        first = self.delta_used
        self.delta_used += count
        self._delta_next = grown(self._delta_next, self.delta_used)
        self._delta_rows = grown(self._delta_rows, self.delta_used)
        self._delta_rows[first : self.delta_used] = rows[:count, FIRST:]
        for row, feature in enumerate(rows[:count, FEATURE].tolist(), start=first):
            self._delta_next[row] = self._delta_head[feature]
            self._delta_head[feature] = row

    def _new_slot(self, expression: int) -> int:
        slot = self._slots
        self._slots += 1
        for name in ("_expression_at", "_owner_at", "_program_at"):
            setattr(self, name, grown(getattr(self, name), self._slots))
        self._slot_of[expression], self._expression_at[slot] = slot, expression
        self._owner_at[slot], self._program_at[slot] = self.owners.of[expression], self._program[expression]
        return slot

    def _next(self) -> int:
        expression = self.count
        self.count += 1
        if self.count > len(self._plan):
            before = len(self._program)
            for name in ("_plan", "_program", "_text_start", "_text_size", "_slot_of"):
                setattr(self, name, grown(getattr(self, name), self.count))
            self._program[before:] = -1
            self._slot_of[before:] = -1
        return expression

    # Base and delta ----------------------------------------------------------------------------------------------

    def begin_base(self, document_frequency: Array) -> tuple[Array, Array]:
        """Return what the next base is built from: the features' costs, and which expressions anybody asks; copies."""
        self._changed.clear()
        return self.costs(document_frequency), np.not_equal(self.owners.of[: self.count], NO_OWNER)

    def build_base(self, kernels: Kernels, costs: Array, alive: Array) -> Base:
        """Return postings for the expressions that are `alive`. Changes nothing: it may run beside all else.

        Arrays that are read here only ever grow at their ends, so that what is added meanwhile does no harm.
        """
        plans, starts = self._plans.numbers, self._plan
        rows = np.zeros((0, _COLUMNS), np.int32)
        rows = np.zeros((kernels.hang_all(plans, starts, alive, costs, rows), _COLUMNS), np.int32)
        kernels.hang_all(plans, starts, alive, costs, rows)
        rows = rows[np.argsort(rows[:, FEATURE], kind="stable")]
        slot_of, expression_at = _slots(rows[:, EXPRESSION], alive)
        is_sure = rows[:, EXPRESSION] >= 0
        slots = slot_of[np.where(is_sure, rows[:, EXPRESSION], ~rows[:, EXPRESSION])]
        rows[:, EXPRESSION] = np.where(is_sure, slots, ~slots)
        offsets = np.zeros((len(costs) + 1, 3), np.int32)
        parts: list[Array] = []
        for column, kind in enumerate((PLAIN, BRANCH, CONDITIONAL)):
            part = rows[rows[:, KIND] == kind]
            np.cumsum(np.bincount(part[:, FEATURE], minlength=len(costs)), out=offsets[1:, column])
            parts.append(part)
        return Base(
            offsets=offsets,
            plain=np.ascontiguousarray(parts[0][:, EXPRESSION]),
            branch=np.ascontiguousarray(parts[1][:, EXPRESSION]),
            conditional=np.ascontiguousarray(parts[2][:, FIRST:]),
            slot_of=slot_of,
            expression_at=expression_at,
            owner_at=self.owners.of[expression_at],
            program_at=self._program[expression_at],
        )

    def install(self, base: Base, kernels: Kernels, costs: Array) -> None:
        """Put a base in place; what changed since it was begun hangs on the delta, and what nobody asks is free."""
        self.base = base
        self._costs, self._costed = costs, len(costs)
        self._clear_delta()
        built = len(base.slot_of)
        self._slots = len(base.expression_at)
        self._expression_at, self._owner_at, self._program_at = base.expression_at, base.owner_at, base.program_at
        self._slot_of[:built], self._slot_of[built:] = base.slot_of, -1
        for expression in self._changed:
            self._note_owners(expression)
        asked = self.owners.of[: self.count] != NO_OWNER
        is_hung = self._slot_of[: self.count] >= 0
        for expression in np.flatnonzero(asked & ~is_hung).tolist():
            self.hang(expression, kernels)
        self._free = np.flatnonzero(~asked & ~is_hung).tolist()

    def _clear_delta(self) -> None:
        self.delta_used = 0
        self._delta_head = np.full(len(self.features.flags), -1, np.int32)
        self._delta_next = np.zeros(_FIRST_DELTA_ROWS, np.int32)
        self._delta_rows = np.zeros((_FIRST_DELTA_ROWS, 4), np.int32)

    def _cover_features(self) -> None:
        """Have a place in the delta, and a cost, for features that are new since the last merge."""
        before = len(self._delta_head)
        if before < self.features.count:
            self._delta_head = grown(self._delta_head, len(self.features.flags))
            self._delta_head[before:] = -1
        if self._costed < self.features.count:
            new = slice(self._costed, self.features.count)
            self._costs = grown(self._costs, new.stop)
            self._costs[new] = self.features.prior[new]
            self._costed = new.stop

    def costs(self, document_frequency: Array) -> Array:
        """Return how often each feature is expected, in articles; a copy."""
        count = self.features.count
        costs = self.features.prior[:count].copy()
        known = min(count, len(document_frequency))
        costs[FIRST_FEATURE:known] += document_frequency[FIRST_FEATURE:known]
        return costs

    @property
    def size_bytes(self) -> int:
        """Return how much memory the index takes."""
        return sum(array.nbytes for array in self._arrays()) + len(self._texts)

    def _arrays(self) -> Iterator[Array]:
        base = self.base
        yield from (base.offsets, base.plain, base.branch, base.conditional, base.slot_of)
        for holder in (self, self.features, self.owners, self._programs):
            yield from (value for value in vars(holder).values() if isinstance(value, np.ndarray))
        for table in (
            self._interned,
            self.features.words,
            self.features.prefixes,
            self.features.pairs,
            self.owners.expression_of,
        ):
            yield from (table.keys, table.values)
        yield from (self._plans.numbers, self._programs.code.numbers)


def _slots(expressions: Array, alive: Array) -> tuple[Array, Array]:
    """Number the expressions in the order in which they first come up; return the slots, and what is in each."""
    numbers = np.where(expressions >= 0, expressions, ~expressions)
    first_row = np.full(len(alive), len(numbers), np.int64)
    first_row[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    expression_at = np.argsort(first_row, kind="stable")[: int(alive.sum())].astype(np.int32)
    slot_of = np.full(len(alive), -1, np.int32)
    slot_of[expression_at] = np.arange(len(expression_at), dtype=np.int32)
    return slot_of, expression_at


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1
