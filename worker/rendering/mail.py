"""A compiled mail: everything that the readers of one content share, and how one reader's copy is made of it.

What it takes to fill is a join over texts that are written, encoded and folded already, with a dozen values between
them. Never touches the database, the settings or the clock. `compile` makes it; letters and previews fill it.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

from worker.content import Newsroom, Personal
from worker.model import Composition, EditionKind, MessageParts, Pieces
from worker.rendering.blank import Blank
from worker.rendering.fields import addr_spec, date, display_name, list_id, mailbox, unfolded, unstructured
from worker.rendering.headers import ID_CHARS, TOKEN_CHARS, Line, header_lines
from worker.rendering.holes import Hole, joined
from worker.rendering.prose import one_line
from worker.rendering.signing import Seal, Signer
from worker.rendering.skeleton import body, head, quoted

# A token stands as it is, in a line of its own, which no dot may begin.
_TOKEN: Final = rf"[\w-][\w.-]{{0,{TOKEN_CHARS - 1}}}"
_ID: Final = "[!-;=?-~]"  # an angle bracket would end a Message-ID
_FIT: Final = re.compile(
    rf"{_TOKEN} {_TOKEN} {_TOKEN} (?:{_TOKEN})? (?:{_TOKEN})? "
    rf"{_ID}{{1,{ID_CHARS}}} {_ID}{{1,{ID_CHARS}}} {_ID}{{0,{ID_CHARS}}}",
    re.ASCII,
)
_LINE_HOLES: Final[tuple[str, ...]] = (
    Hole.TO, Hole.DATE, Hole.MESSAGE_ID, Hole.IN_REPLY_TO, Hole.LIST_ID, Hole.FEEDBACK_ID,
    Hole.PREFERENCES, Hole.UNSUBSCRIBE, Hole.VIEW, Hole.CONFIRM, Hole.MY,
)  # fmt: skip  # as `_line_values` has them
_NAMELESS: Final = frozenset({EditionKind.CONFIRMATION, EditionKind.SYSTEM})
# The fields that every provider asks for by name of their own, or writes itself.
_OWN_FIELDS: Final = frozenset(
    {"From", "Reply-To", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledMail:
    """A content in one language, ready for any number of readers. `page` is its HTML for browsers, with all stories."""

    kind: EditionKind
    language: str
    newsroom: Newsroom
    composition: Composition
    page: Pieces
    lines: tuple[Line, ...]
    sheets: tuple[Blank, ...]  # the message; where it is signed, its head and its body
    shows_recipient: bool
    is_ascii: bool  # all of it, but perhaps for the local part of a reader's address (RFC 6531)
    seal: Seal | None
    list_slug: str = ""  # of a newsletter: a list of its own; "" for the house's list of the mail's kind
    list_name: str = ""

    @classmethod
    def of(
        cls,
        *,
        kind: EditionKind,
        language: str,
        newsroom: Newsroom,
        composition: Composition,
        sent: tuple[Pieces, Pieces],
        page: Pieces,
        is_answer: bool = False,
        is_listed: bool = True,
        list_slug: str = "",
        list_name: str = "",
        signer: Signer | None = None,
    ) -> CompiledMail:
        """Write all that readers share. `sent` has the text and the HTML as they travel (`skeleton.travelling`).

        `is_answer`: each copy answers an earlier mail; `is_listed`: it can be left.

        Raises `InputError` when the newsroom's own address is none.
        """
        boundary = f"=_{composition.key[:24]}"
        lines = tuple(
            header_lines(
                newsroom=newsroom,
                kind=kind,
                language=language,
                subject=composition.subject,
                boundary=boundary,
                is_answer=is_answer,
                is_listed=is_listed,
                list_slug=list_slug,
            )
        )
        above, below = head(lines), body(*sent, boundary=boundary)
        seal = signer.seal(lines, opening=below.literals[0].encode()) if signer else None
        return cls(
            kind=kind,
            language=language,
            newsroom=newsroom,
            composition=composition,
            page=page,
            lines=lines,
            sheets=(Blank(above), Blank(below)) if seal else (Blank(joined([above, below])),),
            is_ascii=all(text.isascii() for text in (*above.literals, *below.literals)),
            shows_recipient=Hole.RECIPIENT in {*composition.text.holes, *composition.html.holes},
            seal=seal,
            list_slug=list_slug,
            list_name=list_name,
        )

    def fill(self, personal: Personal) -> bytes:
        """Return one reader's whole message, signed where keys are set; the same for the same values.

        CRLF throughout, and no line begins with a dot. Raises `InputError` when the recipient is no address: then no
        retry helps.
        """
        values = self._line_values(personal)
        if self.shows_recipient:
            values[Hole.RECIPIENT_TEXT] = quoted(personal.recipient)
            values[Hole.RECIPIENT_HTML] = quoted(html.escape(personal.recipient))
        if self.seal is None:
            return self.sheets[0].fill(values).encode()
        above, below = self.sheets
        written = below.fill(values).encode()
        signatures = self.seal.sign(values, body=written, at=personal.sent_at)
        return b"".join((signatures, above.fill(values).encode(), written))

    def parts(self, personal: Personal) -> MessageParts:
        """Return one reader's copy for a provider that writes MIME itself. Raises as `fill` does."""
        values = self._line_values(personal)
        return MessageParts(
            composition=self.composition,
            values=_values(personal),
            html_values=_html_values(personal),
            from_name=display_name(self.newsroom.from_name),
            from_address=addr_spec(self.newsroom.from_address),
            reply_to=addr_spec(self.newsroom.reply_to) if self.newsroom.reply_to else "",
            to_name=display_name(self._addressee(personal)),
            headers=tuple(
                (name, unfolded(value.fill(values))) for name, value in self.lines if name not in _OWN_FIELDS
            ),
        )

    def subject(self, personal: Personal) -> str:
        """Return the subject as people read it: one line, not encoded."""
        return one_line(self.composition.subject.fill(_values(personal)))

    def html(self, personal: Personal) -> str:
        """Return the HTML for a browser: all stories, also those that the mail itself had no room for."""
        return self.page.fill(_html_values(personal))

    def text(self, personal: Personal) -> str:
        """Return the text part, as mailed."""
        return self.composition.text.fill(_values(personal))

    def mailed_html(self, personal: Personal) -> str:
        """Return the HTML part, as mailed."""
        return self.composition.html.fill(_html_values(personal))

    def _line_values(self, personal: Personal) -> dict[str, str]:
        _demand_fit(personal)
        values = dict(
            zip(
                _LINE_HOLES,
                (
                    mailbox("To", self._addressee(personal), personal.recipient),
                    date(personal.sent_at),
                    personal.message_id,
                    personal.in_reply_to or personal.message_id,  # itself, rather than an empty <>
                    list_id(personal.list_name, personal.list_id),
                    personal.feedback_id,
                    personal.preferences,
                    personal.unsubscribe,
                    personal.view,
                    personal.confirm,
                    personal.my,
                ),
                strict=True,
            )
        )
        if self.composition.subject.holes:
            values[Hole.SUBJECT] = unstructured("Subject", self.subject(personal))
        return values

    def _addressee(self, personal: Personal) -> str:
        # Before the owner of the address has said yes, the name is a stranger's words: none of it goes into a mail. And
        # a letter may go to an address that is not the reader's, whom nobody there is told about.
        return "" if self.kind in _NAMELESS else personal.name


def _values(personal: Personal) -> dict[str, str]:
    return {
        Hole.RECIPIENT: one_line(personal.recipient),
        Hole.PREFERENCES: personal.preferences,
        Hole.UNSUBSCRIBE: personal.unsubscribe,
        Hole.VIEW: personal.view,
        Hole.CONFIRM: personal.confirm,
        Hole.MY: personal.my,
    }


def _html_values(personal: Personal) -> dict[str, str]:
    return {**_values(personal), Hole.RECIPIENT: html.escape(one_line(personal.recipient))}  # tokens need no escaping


def _demand_fit(personal: Personal) -> None:
    """Refuse what only a defect of ours can have made: a token or an identifier that would not stand in its line."""
    p = personal
    links = f"{p.preferences} {p.unsubscribe} {p.view} {p.confirm} {p.my}"
    values = f"{links} {p.message_id} {p.feedback_id} {p.in_reply_to}"
    if not _FIT.fullmatch(values):
        raise ValueError(
            f"a link's token has at most {TOKEN_CHARS} letters, digits, - and _, and dots within; "
            f"a Message-ID, In-Reply-To or Feedback-ID at most {ID_CHARS} printable ASCII characters, no < or >"
        )
