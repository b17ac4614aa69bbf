"""What the settings say about how rooms decide, as the values that those rooms take.

Reads settings and decides nothing. Called by wiring.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from worker.delivery.canary import Limits
from worker.model import LetterKind
from worker.planning.first_share import FirstShare
from worker.planning.rules import Policy
from worker.settings import Settings
from worker.signup.budgets import Budgets, Sought
from worker.signup.courtesies import Courtesies

if TYPE_CHECKING:
    from worker.intake.run_websub import HubTerms
    from worker.rehearsal import Terms as RehearsalTerms
    from worker.signup.run import Limits as QuestionLimits


_PREFLIGHT_PATIENCE: Final = timedelta(minutes=5)  # then a newsletter goes unseen rather than late


def planning_policy(settings: Settings, *, domain: str) -> Policy:
    """Return what the settings say about planning. `domain` is the right half of every Message-ID."""
    return Policy(
        domain=domain,
        gather=timedelta(seconds=settings.gather_s),
        alert_expires=timedelta(seconds=settings.alert_expires_s),
        digest_expires=timedelta(seconds=settings.digest_expires_s),
        age_limit=timedelta(seconds=settings.alert_age_limit_s),
        budget=settings.alert_budget,
        burst_count=settings.burst_count,
        burst_window=timedelta(seconds=settings.burst_window_s),
        rolling=timedelta(seconds=settings.rolling_s),
        section_cap=settings.section_cap,
        mail_cap=settings.digest_cap,
        away_cap=settings.away_cap,
        first_share=FirstShare(share=settings.canary_share, least_audience=settings.canary_min_audience),
        preflight_patience=_PREFLIGHT_PATIENCE if settings.preflight in {"hold", "strict"} else None,
    )


def rehearsal_terms(settings: Settings, *, base_url: str, user_agent: str, dkim_domain: str) -> RehearsalTerms:
    """Return how mail is looked over before it goes."""
    from worker.preflight.run_links import Manners  # noqa: PLC0415  mail workers look over nothing
    from worker.rehearsal import Mode, Terms  # noqa: PLC0415  as above

    return Terms(
        mode=Mode(settings.preflight),
        spam_check=settings.spam_check,
        manners=Manners(user_agent=user_agent, allow_private=settings.allow_private),
        base_url=base_url,
        postal_address=settings.postal_address,
        signers=tuple(dkim_domain for _ in settings.dkim_keys()),
    )


def hub_terms(settings: Settings, *, base_url: str, user_agent: str) -> HubTerms:
    """Return how WebSub hubs are asked, and whether they are."""
    from worker.intake.run_websub import HubTerms  # noqa: PLC0415  delivery workers ask no hub
    from worker.intake.websub import callback_fault  # noqa: PLC0415  as above

    why_not = {
        "off": "TOCSIN_WEBSUB is off",
        "on": "",
        "auto": callback_fault(base_url, allow_private=settings.allow_private),
    }[settings.websub]
    return HubTerms(
        base_url=None if why_not else base_url,
        why_not=why_not,
        user_agent=user_agent,
        allow_private=settings.allow_private,
    )


def canary_limits(settings: Settings) -> Limits:
    """Return how well an edition's first share must do for the rest to follow."""
    return Limits(
        refused=settings.canary_refused,
        unknown=settings.canary_unknown,
        bounced=settings.canary_bounced,
        complained=settings.canary_complained,
        watch_s=settings.canary_watch_s,
    )


def budgets(settings: Settings) -> Budgets:
    """Return how much one sender may ask of the pages in an hour."""
    return Budgets(
        per_ip={
            Sought.SIGN_UP: settings.signups_per_ip,
            Sought.LETTER: settings.letters_per_ip,
            Sought.TRY: settings.tries_per_ip,
        },
        per_subnet={
            Sought.SIGN_UP: settings.signups_per_subnet,
            Sought.LETTER: settings.letters_per_subnet,
            Sought.TRY: settings.tries_per_subnet,
        },
        per_key=settings.signups_per_key,
    )


def question_limits(settings: Settings) -> QuestionLimits:
    """Return how often mailboxes are asked for their consent."""
    from worker.signup.run import Limits as QuestionLimits  # noqa: PLC0415  only the pages ask

    return QuestionLimits(a_day=settings.questions_per_mailbox, an_hour=settings.questions_an_hour)


def courtesies(settings: Settings) -> Courtesies:
    """Return which letters readers get unasked."""
    return Courtesies(
        kinds=frozenset(LetterKind(word) for word in settings.letters.split() if word != "none"),
        changed_after=timedelta(seconds=settings.changed_letter_after_s),
    )
