"""The arrays that kernels read and write, grouped; each group is a named tuple, which numba takes as it is.

Decides the layout of an index and nothing else. A *feature* is a number for something that an article may contain: a
word's key, the beginning of a word, a word in one field or form (a *variant*), or two keys in a row (a *pair*). An
*expression* is a number for a distinct query. Feature 0 is in no article, feature 1 in every one.
"""

from __future__ import annotations

from typing import NamedTuple

from worker.matching.compiled.tables import Array

NEVER, ALWAYS, FIRST_FEATURE = 0, 1, 2

# Flags of a feature: what else must be looked at when it is found.
BEGINS_PAIR, ENDS_PAIR, HAS_POSITIONS, HAS_VARIANTS = 1, 2, 4, 8

# What a variant or a leaf's word asks of the form it is found in. LEADING: one leading capital will do too.
ANY_FORM, CAPITALS, LEADING, EXACT = 0, 1, 2, 3

TITLE, SUMMARY, BODY = 0, 1, 2
"""Places in `model.Field`'s order; the fields up to BODY are those where a word looks by itself."""

# A program's operations: numbers from 0 on ask for a feature. Those with operands say so.
NOT, SKIP_IF_FALSE, SKIP_IF_TRUE, ADD, ENOUGH, LEAF, MERGE, NEAR, COUNT, END = range(-1, -11, -1)
"""SKIP_*: target; ENOUGH: count; LEAF: leaf; NEAR: distance, is_ordered; COUNT: count. `occurrences` runs them."""

NO_OWNER, FIRST_GROUP, LOWEST_OWNER = -(2**63), -(2**63) + 1, -(2**62)
"""What stands in place of an owner: nobody; the first of the groups; and where numbers of owners begin."""


class HashTable(NamedTuple):
    """Open addressing: `keys` 0 where free; a key's first place is its upper bits, `shift` fewer than 64."""

    keys: Array
    values: Array
    shift: int


class Vocabulary(NamedTuple):
    """Which features there are. Variants of a feature are a chain.

    `prefix_lengths` is one number with a bit for each length of a prefix; `bloom` says quickly that none has a hash.
    """

    words: HashTable
    prefixes: HashTable
    prefix_lengths: Array
    bloom: Array
    pairs: HashTable
    flags: Array
    variant_head: Array
    variant_next: Array
    variant_fields: Array
    variant_within: Array
    variant_form: Array
    variant_surface: Array
    variant_feature: Array


class Postings(NamedTuple):
    """What hangs on each feature. Of the base, `offsets[f]` to `offsets[f + 1]` in each of three columns.

    `plain` are expressions that hang on nothing else and are true with it; `branch` are true with it, and hang on other
    features too; a `conditional` row is two features that must be there, one that must not, and the expression, or its
    complement ~e if its program has to be run. In place of the second feature may be ~p, for a group of which one must
    be there: its length is at `plans[p]`, and the features follow. The delta has conditional rows only, in chains.
    """

    offsets: Array
    plain: Array
    branch: Array
    conditional: Array
    plans: Array
    delta_head: Array
    delta_next: Array
    delta_rows: Array


class Expressions(NamedTuple):
    """What each expression is: its owner, where its program begins in `code` (-1: there is none), and leaves.

    An owner below LOWEST_OWNER is none, NO_OWNER, or a group: FIRST_GROUP and its number. Its members are
    `members[group_start]` and the `group_size` in all from there.

    A leaf's words are `leaf_offsets[l]` to `leaf_offsets[l + 1]`; it looks in the fields of its mask, and only at the
    first `leaf_within` words of the body unless that is 0.
    """

    owner: Array
    group_start: Array
    group_size: Array
    members: Array
    program: Array
    code: Array
    leaf_offsets: Array
    leaf_fields: Array
    leaf_within: Array
    word_feature: Array
    word_form: Array
    word_surface: Array


class Article(NamedTuple):
    """The normalised text of all fields in a row, where each field begins and ends, and features found elsewhere.

    `extra_word` (ascending) and `extra_feature` name words of the text that have a further feature: inflected ones.
    """

    codes: Array
    bounds: Array
    extra_word: Array
    extra_feature: Array


class Reading(NamedTuple):
    """What a kernel has read of an article: words in reading order over all fields, and the features of each.

    Word w has entries `entry[w]` to `entry[w + 1]`; of features with positions, entries are chained from the last one.
    Its probes are `probe[w]` to `probe[w + 1]`, its beginnings that may be prefixes the same of `candidate`. `states`
    has room for the hashes of one word's beginnings.
    """

    starts: Array
    ends: Array
    kinds: Array
    breaks: Array
    fields: Array
    paragraphs: Array
    places: Array
    forms: Array
    states: Array
    probe: Array
    probe_hash: Array
    candidate: Array
    candidate_hash: Array
    entry: Array
    entry_feature: Array
    entry_word: Array
    entry_next: Array


class Marks(NamedTuple):
    """What holds for one article: a mark is set where it equals the article's stamp, so that none need be wiped.

    `present` features are in the text fields (or where a variant wants them), `seen` ones have a chain from `head` with
    `counts` entries. `decided` expressions need no second look, `late` ones wait for their
    program to be run. `owners` of all that is true are written last. `document_frequency` counts articles for ever.
    """

    present: Array
    seen: Array
    head: Array
    counts: Array
    document_frequency: Array
    decided: Array
    features: Array
    late: Array
    found: Array
    owners: Array


class Occurrences(NamedTuple):
    """Room for lists of places, first and last word, and two stacks."""

    firsts: Array
    lasts: Array
    spare_firsts: Array
    spare_lasts: Array
    lists: Array
    values: Array
