"""What a template shows of a letter about a reader's own business: words for each kind of letter, and its link's label.

Says nothing of the reader: a letter may reach an address whose owner knows nothing of them. Pure. `view` makes the
views of all kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

from worker.content import LetterContent
from worker.model import LetterKind
from worker.rendering.language import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterView:
    """A letter. `button` is empty where there is nothing to do; `names_address`: it says to whose address it went."""

    subject: str
    heading: str
    told: tuple[str, ...]
    button: str
    small: tuple[str, ...]
    names_address: bool


def letter_view(content: LetterContent, language: Language, *, newsroom: str) -> LetterView:
    """Word a letter."""
    subject, heading, told, button = _words(content.about, language, newsroom)
    return LetterView(
        subject=subject,
        heading=heading,
        told=told,
        button=button,
        small=_small(content.about, language),
        names_address=content.about in {LetterKind.NEW_ADDRESS, LetterKind.TAKEN},
    )


def _words(about: LetterKind, language: Language, newsroom: str) -> tuple[str, str, tuple[str, ...], str]:
    house = {"newsroom": newsroom}
    match about:
        case LetterKind.DATA:
            told = language.gettext(
                "You asked us for all that we hold about you. The link leads to it, to read and to download."
            )
            return (
                language.gettext("Your data at %(newsroom)s") % house,
                language.gettext("Your data"),
                (told,),
                language.gettext("Show my data"),
            )
        case LetterKind.FORGET:
            told = language.gettext(
                "You asked us to forget you: your address, what you follow, and everything else that we hold about "
                "you. The link leads to a page that asks once more."
            )
            return (
                language.gettext("Please confirm that %(newsroom)s shall forget you") % house,
                language.gettext("Shall we forget you?"),
                (told,),
                language.gettext("Go on"),
            )
        case LetterKind.MOVE:
            told = language.gettext(
                "You asked us to send your mail to another address. The link leads to a page that asks for it."
            )
            subject = language.gettext("Your change of address at %(newsroom)s") % house
            return subject, language.gettext("Change your address"), (told,), language.gettext("Change my address")
        case LetterKind.NEW_ADDRESS:
            told = language.gettext("A reader of ours asked us to send their mail here from now on.")
            subject = language.gettext("Please confirm your new address for %(newsroom)s") % house
            return (
                subject,
                language.gettext("Is this your new address?"),
                (told,),
                language.gettext("Yes, send my mail here"),
            )
        case LetterKind.TAKEN:
            return _taken(language, newsroom)
        case LetterKind.MOVED:
            told = language.gettext(
                "From now on, your mail goes to the address that you gave us, and no more of it comes here."
            )
            more = language.gettext("If it was you, there is nothing left to do.")
            subject = language.gettext("Your mail from %(newsroom)s goes to another address now") % house
            return (
                subject,
                language.gettext("Your address is changed"),
                (told, more),
                language.gettext("This was not me"),
            )
        case _:
            raise ValueError(f"a letter of the kind {about} has a content of its own")


def _taken(language: Language, newsroom: str) -> tuple[str, str, tuple[str, ...], str]:
    told = language.gettext("Somebody asked us to send their mail to this address, and wrote it down as their new one.")
    more = language.gettext(
        "It has a subscription of its own already. So nothing was changed, and whoever asked was not told that we know "
        "this address."
    )
    last = language.gettext(
        "If it was you: you need not do anything to get mail here. To end the mail to your other address, use the link "
        "to unsubscribe in any mail that you get there."
    )
    subject = language.gettext("Somebody gave %(newsroom)s your address") % {"newsroom": newsroom}
    return subject, language.gettext("Nothing has changed"), (told, more, last), ""


def _small(about: LetterKind, language: Language) -> tuple[str, ...]:
    hour = language.gettext(
        "The link works for one hour. It opens a page that asks once more, so that no mail scanner can decide."
    )
    match about:
        case LetterKind.DATA | LetterKind.FORGET | LetterKind.MOVE:
            not_me = language.gettext(
                "If it was not you, do nothing: somebody to whom a mail of yours was forwarded may have asked. Without "
                "this link they get no further."
            )
            return hour, not_me
        case LetterKind.NEW_ADDRESS:
            return hour, language.gettext("If you do not know of this, do nothing: nothing changes.")
        case LetterKind.MOVED:
            back = language.gettext(
                "If it was not you, press the button within seven days: your mail comes here again."
            )
            return (back,)
        case _:
            return ()
