"""A reader's own data as a file of theirs: everything that is held about them, under names that people understand.

Pure: takes what `personal.told` returns, leaves nothing of it out, and says nothing twice; a newsletter's rhythm is its
editors', so that its columns say nothing. A column that is not named here comes under its own name, so that a new one
cannot be forgotten. Called by the pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final

_PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "reader": "about you",
        "subscriptions": "what you follow",
        "deliveries": "mails to you",
        "events": "what mail systems told us about your mail",
        "suppression": "why no mail may go to your address",
        "letters": "letters about your data and your address",
        "muted_stories": "stories that you hear no more of",
        "questions": "when we asked you to confirm",
        "webhooks": "what the newspaper's own programs were told",
        "acts": "what was done by hand",
    }
)

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "number",
        "email": "address",
        "address_hash": "hash of the address",
        "locale": "language",
        "timezone": "time zone",
        "status": "standing",
        "confirmations": "how often we asked you to confirm",
        "confirmation_due_at": "when we are to ask you to confirm",
        "paused_until": "pause until",
        "paused_at": "pause since",
        "quiet_from": "quiet hours from",
        "quiet_to": "quiet hours until",
        "alert_budget": "alerts a day at most",
        "digest_floor": "stories in a digest at least",
        "below_floor": "what becomes of fewer stories",
        "created_at": "since",
        "confirmed_at": "confirmed",
        "left_at": "unsubscribed",
        "erased_at": "forgotten",
        "given": "what you agreed to",
        "asked_at": "asked",
        "how": "by",
        "wording": "version of the wording",
        "ip_prefix": "network",
        "farewell": "what you followed when you left",
        "query": "your own search",
        "cadence": "how often",
        "times": "at what times",
        "weekday": "day of the week, from Monday",
        "cursor": "number of the last story shown",
        "next_due_at": "next mail",
        "ended_at": "ended",
        "slug": "topic",
        "recipient": "sent to",
        "addressee": "by which name",
        "provider": "sent by",
        "provider_message_id": "the mail service's number",
        "message_id": "Message-ID",
        "code": "the mail system's code",
        "enhanced": "the mail system's further code",
        "text": "the mail system's words",
        "published_at": "first story published",
        "seen_at": "first story seen by us",
        "matched_at": "first story matched",
        "planned_at": "planned",
        "committed_at": "handed over",
        "accepted_at": "accepted",
        "next_attempt_at": "next try",
        "number": "try",
        "occurred_at": "happened",
        "received_at": "told to us",
        "settled_at": "taken note of",
        "raw": "in full, as it was told",
        "normalised": "in short",
        "event_id": "because of event number",
        "used_at": "used",
        "voided_at": "void since",
        "before": "what you had chosen before",
        "mailbox_hash": "hash of the mailbox",
        "due_at": "due",
        "at": "time",
        "actor": "by whom",
    }
)


_RHYTHM: Final = frozenset({"cadence", "times", "weekday"})


def portrait(told: Mapping[str, Any], *, newsroom: str, at: datetime) -> dict[str, Any]:
    """Return everything under human names: parts, and within them records; what is blank is left out.

    >>> told = {"reader": {"email": "jo@example.org", "left_at": None}, "events": []}
    >>> portrait(told, newsroom="The Courier", at=datetime(2026, 11, 29, tzinfo=UTC))["about you"]
    {'address': 'jo@example.org'}
    """
    follows = [_without_rhythm(one) if one.get("newsletter_id") else one for one in told.get("subscriptions", ())]
    parts = {
        _PARTS.get(part, _words(part)): _named(value) for part, value in {**told, "subscriptions": follows}.items()
    }
    return {
        "held by": newsroom,
        "written down": _plain(at),
        **{part: said for part, said in parts.items() if not _is_blank(said)},
    }


def as_file(portrayed: Mapping[str, Any]) -> bytes:
    """Return a portrait as JSON that people can read too."""
    return (json.dumps(portrayed, ensure_ascii=False, indent=2) + "\n").encode()


def _without_rhythm(follow: Mapping[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in follow.items() if column not in _RHYTHM}


def _named(value: Any) -> Any:  # noqa: ANN401  plain values of any shape
    if isinstance(value, Mapping):
        named = {_NAMES.get(key, _words(str(key))): _named(inner) for key, inner in value.items()}
        return {name: inner for name, inner in named.items() if not _is_blank(inner)}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_named(inner) for inner in value]
    return _plain(value)


def _is_blank(value: Any) -> bool:  # noqa: ANN401  as above
    return value is None or (value in ("", [], {}) and not isinstance(value, bool | int))


def _words(name: str) -> str:
    """Return a column's own name as words.

    >>> _words("alert_budget_at")
    'alert budget'
    """
    return name.removesuffix("_at").replace("_", " ")


def _plain(value: Any) -> Any:  # noqa: ANN401  as above
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value
