"""What a mail says, frozen: the value that planning decides, the store keeps (interned by hash) and rendering reads.

`cards` has a story as a mail shows it, `choices` what a reader has chosen, `contents` one value a kind of mail,
`freezing` how they are kept and read back, `newsroom` who sends. Decides nothing and touches nothing.
"""

from worker.content.cards import Image, Reason, Section, StoryCard, UpdateNote
from worker.content.choices import Choices, Subscribed
from worker.content.contents import (
    AlertContent,
    AnyContent,
    ChangedContent,
    ConfirmationContent,
    Content,
    CorrectionContent,
    DigestContent,
    GoodbyeContent,
    LetterContent,
    NewsletterContent,
    RollingContent,
    WelcomeContent,
    edition_kind_of,
)
from worker.content.freezing import CardKey, card_numbers, freeze, frozen_digest, left_out_of, recarded, thaw, without
from worker.content.hashing import hash_of
from worker.content.newsroom import Newsroom, Personal

__all__ = [
    "AlertContent",
    "AnyContent",
    "CardKey",
    "ChangedContent",
    "Choices",
    "ConfirmationContent",
    "Content",
    "CorrectionContent",
    "DigestContent",
    "GoodbyeContent",
    "Image",
    "LetterContent",
    "NewsletterContent",
    "Newsroom",
    "Personal",
    "Reason",
    "RollingContent",
    "Section",
    "StoryCard",
    "Subscribed",
    "UpdateNote",
    "WelcomeContent",
    "card_numbers",
    "edition_kind_of",
    "freeze",
    "frozen_digest",
    "hash_of",
    "left_out_of",
    "recarded",
    "thaw",
    "without",
]
