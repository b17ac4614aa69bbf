"""Delivery status notifications (RFC 3464, RFC 6533), the broken ones too.

Reads the fields of each recipient out of a delivery-status, wherever it stands and however it is divided. Pure.
`classify` calls it with the texts of the report parts, or with a plain text that has such fields in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from worker.feedback.mail.addresses import of_field
from worker.feedback.mail.statuses import read_code

_FIELD: Final = re.compile(r"\s{0,3}([A-Za-z][A-Za-z0-9-]{2,40})[ \t]{0,4}:[ \t]*(.*)")
_HAS_RECIPIENT: Final = re.compile(r"^\s{0,3}(?:Final|Original)-Recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_RECIPIENT: Final = ("original-recipient", "final-recipient", "x-actual-recipient", "x-original-recipient")
_INDENTED: Final = (*_RECIPIENT, "action", "status", "diagnostic-code", "remote-mta", "reporting-mta")
_NOTES: Final = ("x-supplementary-info", "x-powermta-bouncecategory", "x-notes")
_ACTIONS: Final = ("failed", "delayed", "delivered", "relayed", "expanded")
_TYPE: Final = re.compile(r"\A\s*(?:smtp|x-[\w-]{1,30}|x400|lmtp|dns|unix|postfix)\s*;\s*", re.IGNORECASE)
_MOST_RECIPIENTS: Final = 200
_LONGEST: Final = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """What a report says of one recipient. `address` is the one that the sender used, where it is told."""

    address: str
    action: str
    status: str
    diagnosis: str


def has_fields(text: str) -> bool:
    """Tell whether a text holds the fields of a report, in whatever part of a mail it stands."""
    return bool(_HAS_RECIPIENT.search(text))


def recipients(reports: Sequence[str]) -> tuple[Recipient, ...]:
    r"""Read every recipient of a report.

    >>> report = "Final-Recipient: rfc822; jo@example.org\nAction: failed (permanently)\nStatus: 5.1.1\n"
    >>> recipients(["Reporting-MTA: dns; mx.example\n\n" + report])
    (Recipient(address='jo@example.org', action='failed', status='5.1.1', diagnosis=''),)
    """
    found = [_recipient(group) for report in reports for group in _groups(report)]
    return tuple(found[:_MOST_RECIPIENTS])


def _recipient(group: dict[str, str]) -> Recipient:
    address = next(filter(None, (of_field(group.get(name, "")) for name in _RECIPIENT)), "")
    action = group.get("action", "").lower()
    status = group.get("status", "")
    said = [_TYPE.sub("", group.get("diagnostic-code", "")), *(group.get(name, "") for name in _NOTES)]
    said.append(
        status.removeprefix(read_code(status)).strip()
    )  # some write the remote server's reply, or a remark, there
    return Recipient(
        address=address,
        action=next(
            (known for known in _ACTIONS if known in action), "delivered" if status.startswith("2.") else "failed"
        ),
        status=status,
        diagnosis=" ".join(filter(None, said)),
    )


def _groups(report: str) -> Iterator[dict[str, str]]:
    """Divide the fields by recipient: a paragraph that names one begins another one, and so does a repeated field."""
    group: dict[str, str] = {}
    for block in _blocks(report):
        names = {name for name, _ in block}
        if names.isdisjoint(_RECIPIENT):
            if group and names.isdisjoint(group):
                group |= dict(block)  # the rest of one that a blank line has cut in two
            continue
        if group:
            yield group
        group = {}
        for name, value in block:
            if name in group and name in {*_RECIPIENT, "action"}:
                yield group
                group = {}
            group.setdefault(name, value)
    if group:
        yield group


def _blocks(report: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the fields of each paragraph that has any; a line that is no field continues the last one."""
    block: list[tuple[str, str]] = []
    for line in report.split("\n"):
        match = _FIELD.fullmatch(line)
        name = match[1].lower() if match else ""
        if match and (name in _INDENTED or not line[0].isspace()):
            block.append((name, match[2].strip()))
        elif line.strip() and block:
            name, value = block[-1]
            block[-1] = (name, f"{value} {line.strip()}"[:_LONGEST])
        elif not line.strip():
            if block:
                yield block
            block = []
    if block:
        yield block
