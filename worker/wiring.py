"""The one place that builds transports, renderer and rooms from the settings, on the `foundation` of all processes.

Decides nothing about news or mail. Doors make a `House` and hand its parts to rooms; nobody else reads the settings.
Everything is built when first asked for, so that `tocsin --help` opens no database.
"""

from __future__ import annotations

import functools
import hmac
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from worker import policies
from worker import settings as settings_module
from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports
from worker.adapters.transports.spec import Scheme, TransportSpec
from worker.allowances import read_domain_rates
from worker.delivery.canary import Limits
from worker.delivery.decide import Patience
from worker.delivery.dispatch import Dispatch
from worker.delivery.run import Courier, Terms
from worker.delivery.run_doubts import Doubts
from worker.delivery.run_flow import Flow
from worker.delivery.run_limits import doors_of
from worker.delivery.run_pacing import Pace
from worker.errors import InputError
from worker.feedback.run import Feedback
from worker.feedback.run_again import Reader
from worker.feedback.run_consequences import Means
from worker.holder import boot_id, process_name
from worker.keys import keep_key
from worker.model import DeliveryId, Lane, ParsedArticle
from worker.planning.rules import Policy
from worker.ports import EventParser, Transport
from worker.press import Press
from worker.settings import Settings
from worker.signup.address import normalise
from worker.signup.run_preferences import part
from worker.store import events
from worker.store import house as house_table
from worker.store.house import KeyHolder
from worker.store.leases import Holder

if TYPE_CHECKING:
    from worker.deliverability.asking import Ask
    from worker.deliverability.publishing import Sender
    from worker.feedback.mail.hearing import ReturnedMail
    from worker.feedback.run_mailbox import TakenIn
    from worker.intake.circumstances import Added
    from worker.intake.run import Intake
    from worker.intake.run_alert_mails import AlertMails
    from worker.intake.run_hubs import Hubs
    from worker.intake.run_polling import Poller
    from worker.matching.run import Matcher
    from worker.notifying.run import Notifier
    from worker.rehearsal import Rehearsal

MAIL_LANES: Final = (Lane.ALERTS, Lane.BULK)
ALL_SCOPES: Final = frozenset({"articles", "subscriptions", "personal", "editions", "admin"})


class House(Press):
    """One installation, as its settings describe it."""

    def __init__(self, settings: Settings, *, stopping: Callable[[], bool] = lambda: False) -> None:
        super().__init__(settings)
        self._stopping = stopping

    def hash_of(self, written: str) -> str | None:
        """Return the hash of an address as anybody writes it, None for what is no address."""
        try:
            return self.address_hash(normalise(written).key)
        except InputError:
            return None

    @functools.cached_property
    def transport_specs(self) -> tuple[TransportSpec, ...]:
        """What the operator says of relays and providers; the local inbox when nothing."""
        given = self.settings.transports
        local = f"inbox://127.0.0.1:{self.settings.inbox_port}?maildir={quote(str(self.inbox))}"
        return parse_transports(given.get_secret_value() if given else local)

    @property
    def inbox_is_used(self) -> bool:
        """Whether mail goes to the local inbox, which `tocsin up` must then run."""
        return any(spec.scheme is Scheme.INBOX for spec in self.transport_specs)

    @functools.cached_property
    def transports(self) -> Mapping[str, Transport]:
        """Every way out, by its name."""
        return {spec.name: build(spec) for spec in self.transport_specs}

    @functools.cached_property
    def flow(self) -> Flow:
        """Who may send what now, and by which provider."""
        return Flow(
            doors_of(self.transport_specs, bulk_hours=self.settings.bulk_hours),
            database=self.database,
            pace=Pace(self.redis_url, me=process_name()),
            domain_rates=read_domain_rates(self.settings.domain_rates),
            zone=ZoneInfo(self.settings.timezone),
        )

    @property
    def sender(self) -> Sender:
        """The names that we send under, as DNS must know them. Raises `ConfigurationError` for a key of no use."""
        from worker.deliverability.run_sender import sender_of  # noqa: PLC0415  only the doctor asks

        _ = self.signer  # a key that cannot sign is told of first
        keys, specs = self.settings.dkim_keys(), self.transport_specs
        return sender_of(from_domain=self.from_domain, dkim_domain=self.dkim_domain, keys=keys, specs=specs)

    def asker(self) -> Ask:
        """Return what asks DNS, with a fresh allowance of time."""
        from worker.deliverability.run_lookups import asker  # noqa: PLC0415  as above

        return asker(settings_module.name_servers(self.settings.dns_resolvers))

    @functools.cached_property
    def dispatch(self) -> Dispatch:
        """This process's delivery loop with its open connections."""
        patience = Patience(alerts_s=self.settings.retry_alert_s, bulk_s=self.settings.retry_digest_s)
        courier = Courier(
            database=self.database,
            transports=self.transports,
            flow=self.flow,
            write=self.letters.write,
            holder=Holder(name=process_name(), boot=boot_id(), look=self.look_id),
            terms=Terms(lease_s=self.settings.lease_s, patience=patience),
            stopping=self._stopping,
            signs_long=self.signer is not None and self.signer.takes_long,
        )
        doubts = Doubts(
            database=self.database,
            transports=self.transports,
            patience=patience,
            write=self.letters.write,
            look=self.look_id,
            writer=self.replayer.writer,
        )
        return Dispatch(courier, doubts)

    @functools.cached_property
    def notifier(self) -> Notifier:
        """What tells the newspaper's own endpoints of its readers."""
        from worker.notifying.run import Notifier  # noqa: PLC0415  mail workers tell nobody

        holder = Holder(name=process_name(), boot=boot_id())
        return Notifier(self.database, holder, user_agent=self.user_agent, stopping=self._stopping)

    @functools.cached_property
    def feedback(self) -> Feedback:
        """What listens to providers and returned mail."""
        means = Means(hash_address=self.hash_of, unsubscribe=part, threshold=self.settings.bounce_threshold)
        keeps = timedelta(days=self.settings.keep_events_days)
        return Feedback(self.database, means, keeps=keeps, keeps_engagement=self.settings.keep_engagement)

    @functools.cached_property
    def returned_mail(self) -> ReturnedMail:
        """What understands bounces, complaints and automatic answers."""
        from worker.feedback.mail.hearing import ReturnedMail  # noqa: PLC0415  delivery workers never read returned mail

        def was_sent(message_id: str, recipient: str) -> bool:
            with self.database.read() as conn:
                return events.was_sent(conn, message_id, recipient)

        return ReturnedMail(delivery_of=self.tokens.delivery_of, was_sent=was_sent)

    def take_in_mail(self, mailbox: str = "", *, limit: int = sys.maxsize) -> TakenIn | None:
        """Take in what waits in a mailbox, by default that of the settings; None where they name none. As `visit`."""
        from worker.feedback.run_mailbox import visit  # noqa: PLC0415  see above

        given = self.settings.returned_mail
        where = mailbox or (given.get_secret_value() if given else "")
        means = (self.returned_mail, self.feedback, self.database)
        return visit(where, *means, left=self.home / "returned-mail", limit=limit) if where else None

    @functools.cached_property
    def webhook_keys(self) -> Mapping[str, tuple[str, ...]]:
        """The keys that prove webhooks, by provider."""
        from worker.adapters.events.build import read_keys  # noqa: PLC0415  only the pages' process checks signatures

        given = self.settings.webhook_keys
        return read_keys(given.get_secret_value() if given else "")

    @functools.cached_property
    def event_parsers(self) -> Mapping[str, EventParser]:
        """The providers whose webhooks can be listened to, by name."""
        from worker.adapters.events.build import build_parsers  # noqa: PLC0415  as above

        return build_parsers(self.webhook_keys)

    @functools.cached_property
    def event_readers(self) -> Mapping[str, Reader]:
        """What translates kept events, by the provider's name."""
        from worker.adapters.events.build import build_readers  # noqa: PLC0415  as above

        return {**build_readers(), self.returned_mail.name: self.returned_mail}

    @functools.cached_property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The words that may end a webhook's address, newest first; none on PostgreSQL, until some are set."""
        if given := self.settings.webhook_secrets:
            return tuple(given.get_secret_value().split())
        return (keep_key(self.home, "webhooks"),) if self.database_of_any_version().is_sqlite else ()

    def is_webhook_secret(self, word: str) -> bool:
        """Tell whether a word ends a webhook's address, in constant time."""
        return any(hmac.compare_digest(word.encode(), known.encode()) for known in self.webhook_secrets)

    @functools.cached_property
    def matcher(self) -> Matcher:
        """The compiled topics of this process. Delivery workers never ask for it, and so never load the engine."""
        from worker.matching.run import Matcher  # noqa: PLC0415  see above

        gather = timedelta(seconds=self.settings.gather_s)
        return Matcher(self.database, gather=gather, cache=self.home / "cache")

    @functools.cached_property
    def intake(self) -> Intake:
        """What judges articles and stores them."""
        from worker.intake.run import Intake  # noqa: PLC0415  delivery workers need no feed parser

        return Intake(self.database, age_limit=timedelta(seconds=self.settings.alert_age_limit_s))

    @property
    def alert_mails(self) -> AlertMails | None:
        """The mailbox of Google Alerts; None where the settings name none."""
        from worker.intake.run_alert_mails import AlertMails  # noqa: PLC0415  as above

        given = self.settings.alerts_mailbox
        left = self.home / "alert-mails"
        return AlertMails(self.database, self.intake, given.get_secret_value(), left=left) if given else None

    @functools.cached_property
    def hubs(self) -> Hubs:
        """The WebSub hubs that push to us, or are to."""
        from worker.intake.run_hubs import Hubs  # noqa: PLC0415  as above

        terms = policies.hub_terms(self.settings, base_url=self.base_url, user_agent=self.user_agent)
        return Hubs(self.database, self.intake, tokens=lambda: self.tokens, terms=terms, stopping=self._stopping)

    @functools.cached_property
    def poller(self) -> Poller:
        """What fetches feeds."""
        from worker.intake.pace import Pace  # noqa: PLC0415  as above
        from worker.intake.run_polling import Poller  # noqa: PLC0415  as above

        given = self.settings
        return Poller(
            self.database,
            self.intake,
            user_agent=self.polling_agent,
            pace=Pace(usual_s=given.poll_s, floor_s=given.poll_floor_s, ceiling_s=given.poll_ceiling_s),
            allow_private=given.allow_private,
            at_once=given.fetches,
            lock=self.home / "polling.lock",
            stopping=self._stopping,
            signs=self.hubs.signs,
        )

    @functools.cached_property
    def planning_policy(self) -> Policy:
        """What the settings say about planning."""
        return policies.planning_policy(self.settings, domain=self.newsroom.from_address.rpartition("@")[2])

    @functools.cached_property
    def rehearsal(self) -> Rehearsal:
        """What looks over mail before its readers get it."""
        from worker.rehearsal import Rehearsal  # noqa: PLC0415  mail workers look over nothing

        named = {"base_url": self.base_url, "user_agent": self.user_agent, "dkim_domain": self.dkim_domain}
        terms = policies.rehearsal_terms(self.settings, **named)
        letters, sender = (lambda: self.letters), (lambda: self.sender)
        return Rehearsal(self.database, letters=letters, sender=sender, asker=self.asker, terms=terms)

    @property
    def canary_limits(self) -> Limits:
        """How well an edition's first share must do for the rest to follow."""
        return policies.canary_limits(self.settings)

    def add_article(self, article: ParsedArticle) -> Added:
        """Take an article in that was pushed by the newsroom's own systems. Raises `InputError`."""
        from worker.adapters.sources.api_json import tidied  # noqa: PLC0415  delivery workers are handed no article

        return self.intake.add(tidied(article), kind="push", outlet=self.newsroom.name)

    def mail_html(self, delivery_id: DeliveryId) -> str | None:
        """Return a sent mail as a page: None after its reader's erasure, empty when all its stories were stopped."""
        return self.shown_letters.html(self.database, delivery_id)

    def api_holder(self, key: str) -> KeyHolder | None:
        """Return who holds an API key, None when it is no key. TOCSIN_API_KEY may do everything."""
        given = self.settings.api_key
        if given and hmac.compare_digest(given.get_secret_value().encode(), key.encode()):
            return KeyHolder(name="TOCSIN_API_KEY", scopes=ALL_SCOPES)
        with self.database.read() as conn:
            return house_table.holder_of(conn, key)

    def ring(self, task: str, *arguments: int) -> None:
        """Wake a worker for a task, once what it is about has been committed; never fails."""
        from worker import celery_app  # noqa: PLC0415  most commands wake nobody

        self.point_celery()
        celery_app.ring(task, *arguments)

    def point_celery(self) -> None:
        """Tell Celery of this installation's broker."""
        from worker import celery_app  # noqa: PLC0415  as above

        celery_app.configure(broker_url=self.broker_url, sweep_s=self.settings.sweep_s)

    def close(self) -> None:
        """End what this process has opened: connections to relays, to the database."""
        for name in ("poller", "hubs", "dispatch", "notifier", "purse"):
            if name in self.__dict__:
                getattr(self, name).close()
        self.close_meter()
        if "database" in self.__dict__:
            self.database.close()


def house(*, stopping: Callable[[], bool] = lambda: False, **overrides: object) -> House:
    """Read the settings and return the installation. Raises `ConfigurationError` with every problem at once."""
    return House(settings_module.load(**overrides), stopping=stopping)


def unknown_variables() -> list[str]:
    """Return a line for every `TOCSIN_*` variable that is no setting."""
    return settings_module.strangers()
