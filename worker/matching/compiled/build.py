"""Kernels that make an index: on which features each expression hangs, and hash tables filled in one go.

A *plan* says what an expression hangs on, as numbers: how many alternatives; of each, whether it says all (1) or a
program must be run besides (0), how many features must be there, how many must not, how many groups; then these
features, and of each group its length and features, of which one must be there. `programs` writes plans.
"""

from __future__ import annotations

import numpy as np

from worker.matching.compiled.hashing import MULTIPLIER
from worker.matching.compiled.layout import ALWAYS, NEVER, HashTable
from worker.matching.compiled.tables import Array

PLAIN, BRANCH, CONDITIONAL = 0, 1, 2
FEATURE, KIND, FIRST, SECOND, ABSENT, EXPRESSION = range(6)
"""Columns of a row before it is sorted into postings."""

MOST_INLINE = 2  # further features that a row asks for itself; the second may be a group


def insert_all(table: HashTable, keys: Array, values: Array, is_mixed: bool) -> None:
    """Put keys, which are new to it, into a table that has room for them."""
    mask = len(table.keys) - 1
    for number in range(len(keys)):
        key = keys[number]
        spread = key if is_mixed else key * MULTIPLIER
        place = np.int64(spread >> np.uint64(table.shift))
        while table.keys[place] != 0:
            place = (place + 1) & mask
        table.keys[place] = key
        table.values[place] = values[number]


def hang_all(plans: Array, starts: Array, alive: Array, costs: Array, rows: Array) -> int:
    """Write the rows of all expressions that are alive; return how many there are, room or not."""
    count = 0
    for expression in range(len(alive)):
        if alive[expression]:
            count = hang(expression, plans, starts[expression], costs, rows, count)
    return count


def hang(expression: int, plans: Array, at: int, costs: Array, rows: Array, count: int) -> int:
    """Write one expression's rows behind `count` others, as far as there is room; return how many there are then.

    Each alternative hangs on the rarest thing that it needs: a feature, or a group, which is as frequent as its
    features together.
    """
    alternatives = plans[at]
    at += 1
    for _ in range(alternatives):
        says_all, needed, unwanted, groups = plans[at], plans[at + 1], plans[at + 2], plans[at + 3]
        first_needed = at + 4
        first_unwanted = first_needed + needed
        at = first_unwanted + unwanted
        anchor = anchor_end = group = -1
        cheapest = np.inf
        for place in range(first_needed, first_unwanted):
            cost = float(costs[plans[place]])
            if cost < cheapest:
                cheapest, anchor, anchor_end = cost, place, place + 1
        for _ in range(groups):
            cost = 0.0
            for place in range(at + 1, at + 1 + plans[at]):
                cost += costs[plans[place]]
            if cost < cheapest:
                if anchor >= first_unwanted:
                    group = anchor - 1
                cheapest, anchor, anchor_end = cost, at + 1, at + 1 + plans[at]
            else:
                group = at
            at += 1 + plans[at]
        in_group = anchor >= first_unwanted
        first, second = two_rarest(plans, first_needed, first_unwanted, anchor, costs)
        others = needed + groups - 1
        is_sure = says_all == 1 and others <= MOST_INLINE and unwanted <= 1 and groups <= (2 if in_group else 1)
        if group >= 0:
            second = ~group
        kind = CONDITIONAL
        if is_sure and others == 0 and unwanted == 0:
            kind = PLAIN if alternatives == 1 and not in_group else BRANCH
        for place in range(anchor, anchor_end):
            if count < len(rows):
                rows[count, FEATURE] = plans[place]
                rows[count, KIND] = kind
                rows[count, FIRST] = first
                rows[count, SECOND] = second
                rows[count, ABSENT] = plans[first_unwanted] if unwanted > 0 else NEVER
                rows[count, EXPRESSION] = expression if is_sure else ~expression
            count += 1
    return count


def two_rarest(plans: Array, begin: int, end: int, anchor: int, costs: Array) -> tuple[int, int]:
    """Return the two rarest of the features at `begin` to `end` besides the anchor; ALWAYS where there are none."""
    first = second = ALWAYS
    first_cost = second_cost = np.inf
    for place in range(begin, end):
        if place == anchor:
            continue
        cost = float(costs[plans[place]])
        if cost < first_cost:
            second, second_cost = first, first_cost
            first, first_cost = plans[place], cost
        elif cost < second_cost:
            second, second_cost = plans[place], cost
    return first, second
