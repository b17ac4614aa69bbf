"""Writes one reader's copy: the content that all readers of it share, with this reader's name, links and identifiers.

Decides nothing about who gets it. `wiring` makes one; delivery calls `write`, the pages call `html`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from worker.content import AnyContent, LetterContent, Newsroom, Personal, StoryCard, card_numbers, thaw, without
from worker.errors import AddressError, InputError
from worker.letter_links import LINK_OF, good_for
from worker.measures import MEASURED_KINDS, TRAP, Measure
from worker.model import DeliveryId, EditionKind, Form, OutgoingMessage
from worker.rendering.compile import Renderer
from worker.rendering.counted import UNCOUNTED, Counted
from worker.rendering.headers import feedback_id
from worker.rendering.mail import CompiledMail
from worker.rendering.prose import web_address
from worker.store import copies, withdrawals
from worker.store.copies import DueDelivery
from worker.store.database import Database
from worker.tokens import Purpose, Tokens

CONFIRM_WITHIN = timedelta(days=3)
_KEPT: Final = 64  # compiled mails; some 200 KB each
_CARDS_KEPT: Final = 4096  # what the mails of a run have in common


class Preview(NamedTuple):
    """A mail that nobody gets: its subject and faces, and the whole message."""

    subject: str
    html: str
    text: str
    message: bytes


class Letters:
    """Makes messages of due deliveries: same delivery, same bytes. `measures` is what is counted of them."""

    def __init__(
        self, *, renderer: Renderer, tokens: Tokens, newsroom: Newsroom, measures: Collection[Measure] = ()
    ) -> None:
        self._renderer, self._tokens, self._newsroom = renderer, tokens, newsroom
        self._measures = frozenset(measures)
        self._domain = newsroom.from_address.rpartition("@")[2]
        self._kept: dict[tuple[int, int], tuple[str, CompiledMail]] = {}
        self._cards: dict[str, StoryCard] = {}
        self._compiling = Lock()

    def write(self, due: DueDelivery, form: Form = Form.MIME) -> OutgoingMessage:
        """Return the finished message of one delivery, in the form that its transport takes.

        Raises `AddressError` when the recipient is no address, and as `Renderer.compile` does for what is our fault.
        """
        mail = self._compiled(due)
        personal = self._personal(due, mail)
        try:
            data = mail.fill(personal) if form is Form.MIME else b""
            parts = mail.parts(personal) if form is Form.PARTS else None
        except InputError as error:  # our own addresses have been read before, for all readers
            raise AddressError(error.message) from error
        return OutgoingMessage(
            delivery_id=due.id,
            envelope_from=self._tokens.return_path(due.id, domain=self._domain),
            recipient=due.recipient,
            message_id=due.message_id,
            data=data,
            parts=parts,
            is_clean=True,
            is_ascii=mail.is_ascii and due.recipient.isascii(),
        )

    def html(self, database: Database, delivery_id: DeliveryId) -> str | None:
        """Return a delivery's HTML for a browser, without stories that an editor has stopped since.

        None when there is none any more, after erasure; empty when nothing is left to tell.
        """
        with database.read() as conn:
            due = copies.one(conn, delivery_id)
            stopped = withdrawals.stopped_among(conn, due.content_id) if due else set()
        if due is None:
            return None
        if stopped:
            left = without(self._thaw(due), stopped)
            if left is None:
                return ""
            due = due._replace(content=left.model_dump_json(), cards={})
        mail = self._compiled(due)
        return mail.html(self._personal(due, mail))

    def preview(self, content: AnyContent, *, at: datetime) -> Preview:
        """Return a content's mail as a reader would get it whose links lead nowhere."""
        mail = self._renderer.compile(content)
        nobody = f"nobody@{self._domain}"
        personal = Personal(
            recipient=nobody,
            name="",
            message_id=f"preview.{int(at.timestamp())}@{self._domain}",
            sent_at=at,
            preferences="preview",
            unsubscribe="preview",
            view="preview",
            confirm="preview",
            my="preview",
            feedback_id=feedback_id(campaign=0, kind=mail.kind, domain=self._domain),
            list_id=f"{mail.list_slug or mail.kind}.{self._domain}",
            list_name=mail.list_name or self._newsroom.name,
        )
        return Preview(mail.subject(personal), mail.mailed_html(personal), mail.text(personal), mail.fill(personal))

    def _compiled(self, due: DueDelivery) -> CompiledMail:
        # What is counted is counted by edition, so that editions of one content have mails of their own.
        is_counted = bool(self._measures) and due.edition_kind in MEASURED_KINDS
        key = due.content_id, due.edition_id if is_counted else 0
        kept = self._kept.get(key)
        # An id may be given anew after an erasure, and nobody may read on in what somebody else's content was.
        if kept and kept[0] == due.content:
            return kept[1]
        with self._compiling:
            content = self._thaw(due)
            mail = self._renderer.compile(content, self._counted(due, content) if is_counted else UNCOUNTED)
            self._kept.pop(key, None)
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]  # the one that came first
            self._kept[key] = due.content, mail
        return mail

    def _counted(self, due: DueDelivery, content: AnyContent) -> Counted:
        """Return an edition's addresses: nothing in them is a reader's."""
        base, sign, edition = self._newsroom.base_url, self._tokens.sign, due.edition_id
        pixel = f"{base}/o/{sign(Purpose.OPEN, edition)}.gif" if Measure.OPENS in self._measures else ""
        if Measure.CLICKS not in self._measures:
            return Counted(pixel=pixel)

        def link(article_id: int) -> str:
            return f"{base}/c/{sign(Purpose.CLICK, edition, article_id)}"

        cards = reversed(content.all_cards())  # of several with one address the first one's clicks are counted
        links = {address: link(card.article_id) for card in cards if (address := web_address(card.url))}
        return Counted(links=links, pixel=pixel, trap=link(TRAP) if links else "")

    def _thaw(self, due: DueDelivery) -> AnyContent:
        """Read a content; its cards are read once for all contents that show them."""
        return thaw(due.content, {number: self._card(due.cards[number]) for number in card_numbers(due.content)})

    def _card(self, body: str) -> StoryCard:
        card = self._cards.get(body)
        if card is None:
            if len(self._cards) >= _CARDS_KEPT:
                self._cards.clear()
            card = self._cards[body] = StoryCard.model_validate_json(body)
        return card

    def _personal(self, due: DueDelivery, mail: CompiledMail) -> Personal:
        sign, reader = self._tokens.sign, due.subscriber_id
        asks = due.edition_kind is EditionKind.CONFIRMATION
        expires_at = due.planned_at + CONFIRM_WITHIN if asks else None
        return Personal(
            recipient=due.recipient,
            name=due.name,
            message_id=due.message_id,
            in_reply_to=due.in_reply_to,
            sent_at=due.planned_at,
            preferences=sign(Purpose.PREFERENCES, reader),
            unsubscribe=sign(Purpose.UNSUBSCRIBE, reader, due.id),
            view=sign(Purpose.VIEW, due.id),
            confirm=sign(Purpose.CONFIRM, reader, due.confirmations, expires_at=expires_at) if asks else "",
            my=self._own_link(due) if due.edition_kind is EditionKind.SYSTEM else "",
            feedback_id=feedback_id(campaign=due.edition_id, kind=due.edition_kind, domain=self._domain),
            list_id=f"{mail.list_slug or due.edition_kind}.{self._domain}",
            list_name=mail.list_name or self._newsroom.name,
        )

    def _own_link(self, due: DueDelivery) -> str:
        content = self._thaw(due)
        if not isinstance(content, LetterContent) or content.about not in LINK_OF:
            return ""  # an editor's test of an issue, or a letter that there is nothing to be done about
        expires_at = due.planned_at + good_for(content.about)
        return self._tokens.sign(LINK_OF[content.about], due.subscriber_id, content.letter, expires_at=expires_at)
