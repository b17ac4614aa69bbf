"""What a mail says, frozen: the value that planning decides, the store keeps (interned by hash) and rendering reads.

`cards` has a story as a mail shows it, `contents` one value a kind of mail, `freezing` how they are kept and read back,
`newsroom` who sends. Decides nothing and touches nothing.
"""

from worker.content.cards import Image, Reason, Section, StoryCard, UpdateNote
from worker.content.contents import (
    AlertContent,
    AnyContent,
    ConfirmationContent,
    Content,
    CorrectionContent,
    DigestContent,
    LetterContent,
    NewsletterContent,
    RollingContent,
)
from worker.content.freezing import CardKey, card_numbers, freeze, frozen_digest, left_out_of, recarded, thaw, without
from worker.content.hashing import hash_of
from worker.content.newsroom import Newsroom, Personal

__all__ = [
    "AlertContent",
    "AnyContent",
    "CardKey",
    "ConfirmationContent",
    "Content",
    "CorrectionContent",
    "DigestContent",
    "Image",
    "LetterContent",
    "NewsletterContent",
    "Newsroom",
    "Personal",
    "Reason",
    "RollingContent",
    "Section",
    "StoryCard",
    "UpdateNote",
    "card_numbers",
    "freeze",
    "frozen_digest",
    "hash_of",
    "left_out_of",
    "recarded",
    "thaw",
    "without",
]
