"""Puts what is held about a reader into their words, for the page that shows it; the file beside it has every detail.

Pure. Called by `own_letters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from worker.facts import OfferedNewsletter
from worker.model import EditionKind, LetterKind, SubscriberStatus
from worker.rendering.language import Language
from worker.rendering.schedules import zone_label
from worker.signup.consent import Consent
from worker.signup.run import Known
from worker.web.wording import FollowLine, following_lines

_ON_ITS_WAY = frozenset({"planned", "leased", "deferred", "committing", "unknown"})
_SENT = frozenset({"accepted", "delivered"})


@dataclass(frozen=True, kw_only=True, slots=True)
class MailLine:
    """One mail: when, what it was, the stories in it, and what became of it."""

    at: str
    what: str
    titles: tuple[str, ...]
    fate: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnData:
    """What the page shows; the newest mails come first."""

    facts: tuple[tuple[str, str], ...]
    follows: tuple[FollowLine, ...]
    muted: tuple[tuple[str, str], ...]  # stories, and until when
    yeses: tuple[tuple[str, str], ...]
    mails: tuple[MailLine, ...]
    letters: tuple[tuple[str, str], ...]
    suppressed: str
    events: int


def shown(
    told: Mapping[str, Any], known: Known | None, language: Language, *, letters: Mapping[str, OfferedNewsletter]
) -> OwnData:
    """Word what `personal.told` has told; `letters` are the newsletters by slug."""
    zone = ZoneInfo(known.reader.timezone if known else "UTC")

    def moment(at: datetime) -> str:
        return language.moment(at, zone, with_year=True)  # a yes may be years old

    return OwnData(
        facts=tuple(_facts(known, language, moment)) if known else (),
        follows=tuple(following_lines(known.followings, language, letters=letters)) if known else (),
        muted=tuple((one.title, moment(one.muted_until)) for one in (known.muted_stories if known else ())),
        yeses=tuple(
            (moment(one.at) if one.at else "", " · ".join(filter(None, (_how(one.how, language), one.ip_prefix))))
            for one in (Consent.read(known.reader.consent).given if known else ())
        ),
        mails=tuple(
            MailLine(
                at=moment(mail["planned_at"]),
                what=_kind(mail["kind"], language),
                titles=tuple(mail["stories"]),
                fate=_fate(str(mail["state"]), language),
            )
            for mail in reversed(told["deliveries"])
        ),
        letters=tuple(
            (moment(one["asked_at"]), " · ".join(filter(None, (_about(one["kind"], language), one["recipient"]))))
            for one in told["letters"]
        ),
        suppressed=told["suppression"]["reason"] if told["suppression"] else "",
        events=len(told["events"]),
    )


def _facts(known: Known, language: Language, moment: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  from a datetime to words
    reader = known.reader
    yield language.gettext("Address"), reader.email or ""
    if reader.name:
        yield language.gettext("Name"), reader.name
    yield (
        language.gettext("Language of the mails"),
        str(language.locale.languages.get(reader.locale.partition("-")[0], reader.locale)),
    )
    yield language.gettext("Your time zone"), zone_label(reader.timezone, language)
    yield language.gettext("Standing"), _standing(known.standing, language)
    yield language.gettext("Known to us since"), moment(reader.created_at)
    if reader.confirmed_at:
        yield language.gettext("Confirmed"), moment(reader.confirmed_at)
    if reader.left_at:
        yield language.gettext("Unsubscribed"), moment(reader.left_at)
    if reader.quiet_from and reader.quiet_to:
        yield language.gettext("Quiet hours"), f"{reader.quiet_from}–{reader.quiet_to}"


def _standing(standing: SubscriberStatus, language: Language) -> str:
    return {
        SubscriberStatus.PENDING: language.gettext("not confirmed yet"),
        SubscriberStatus.ACTIVE: language.gettext("subscribed"),
        SubscriberStatus.PAUSED: language.gettext("subscribed, with a pause"),
        SubscriberStatus.LEFT: language.gettext("unsubscribed"),
    }.get(standing, "")


def _how(how: str, language: Language) -> str:
    """Word how a yes came; what an operator's list or the API calls it stays as it is."""
    box, _, place = how.partition(" on ")
    if box == "sign-up box" and place:
        return language.gettext("asked for in the sign-up box on %(site)s") % {"site": place}
    return {
        "sign-up page": language.gettext("asked for on the sign-up page"),
        "sign-up box": language.gettext("asked for in a sign-up box"),
        "confirm page": language.gettext("confirmed by a link that we mailed"),
        "unsubscribe page": language.gettext("asked for on the page to unsubscribe"),
        "change of address": language.gettext("change of address"),
    }.get(how, how)


def _kind(kind: EditionKind, language: Language) -> str:
    return {
        EditionKind.DIGEST: language.gettext("Digest"),
        EditionKind.NEWSLETTER: language.gettext("Newsletter"),
        EditionKind.ALERT: language.gettext("Alert"),
        EditionKind.ROLLING: language.gettext("Summary of alerts"),
        EditionKind.CONFIRMATION: language.gettext("Question whether you want to subscribe"),
        EditionKind.CORRECTION: language.gettext("Correction"),
        EditionKind.SYSTEM: language.gettext("Letter about your subscription"),
    }[kind]


def _fate(state: str, language: Language) -> str:
    if state in _SENT:
        return language.gettext("sent")
    if state in _ON_ITS_WAY:
        return language.gettext("on its way")
    return {"bounced": language.gettext("came back"), "complained": language.gettext("reported as spam")}.get(
        state, language.gettext("not sent")
    )


def _about(kind: LetterKind, language: Language) -> str:
    return {
        LetterKind.DATA: language.gettext("Link to your data"),
        LetterKind.FORGET: language.gettext("Link to be forgotten"),
        LetterKind.MOVE: language.gettext("Link to change your address"),
        LetterKind.NEW_ADDRESS: language.gettext("Question to a new address"),
        LetterKind.TAKEN: language.gettext("Notice that somebody has named your address"),
        LetterKind.MOVED: language.gettext("Notice to your former address"),
        LetterKind.WELCOME: language.gettext("Letter of welcome"),
        LetterKind.CHANGED: language.gettext("Notice that your preferences were changed"),
        LetterKind.GOODBYE: language.gettext("Letter of farewell"),
    }[kind]
