"""The keys of this installation, and what providers tell it.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator

from worker.settings.kinds import Part

_SECRET_WORD: Final = re.compile(r"[A-Za-z0-9_-]{16,}")


class Secrets(Part):
    """Keys, and where bounces and providers' events come in."""

    secret_keys: SecretStr | None = Field(
        None, description="keys that sign links, newest first; default: made in the home"
    )
    suppression_key: SecretStr | None = Field(
        None, description="key of the suppression hashes, never rotated; default: made in the home"
    )
    api_key: SecretStr | None = Field(None, description="one administrator's API key, for a first start")

    returned_mail: SecretStr | None = Field(
        None, description="where bounces come in: a Maildir, or imaps://user:password@host/INBOX; see returned-mail.md"
    )
    alerts_mailbox: SecretStr | None = Field(
        None, description="where mails of Google Alerts come in, named like returned_mail's; see intake.md"
    )
    webhook_secrets: SecretStr | None = Field(
        None, description="words that end the webhooks' addresses, newest first; default: made in the home"
    )
    webhook_keys: SecretStr | None = Field(
        None, description="keys that providers sign with, as provider=key, two during a rotation; see feedback.md"
    )
    bounce_threshold: Annotated[float, Field(gt=0, le=100)] = Field(
        3, description="score at which an address is suppressed: a day of soft bounces counts 0.5, of hard ones 1"
    )
    keep_events_days: Annotated[int, Field(ge=31, le=3650)] = Field(
        180, description="for so many days events of providers and returned mail are kept; suppressions stay for ever"
    )
    keep_engagement: bool = Field(False, description="are providers' events of opened and clicked mails kept")

    @field_validator("secret_keys", "suppression_key", "api_key", "webhook_secrets", "webhook_keys")
    @classmethod
    def _is_not_blank(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().strip():
            raise ValueError("is blank")
        return value

    @field_validator("webhook_secrets")
    @classmethod
    def _are_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not all(_SECRET_WORD.fullmatch(word) for word in value.get_secret_value().split()):
            raise ValueError("must be words of 16 or more letters, digits, - and _, separated by spaces")
        return value

    @field_validator("returned_mail", "alerts_mailbox")
    @classmethod
    def _is_mailbox_place(cls, value: SecretStr | None) -> SecretStr | None:
        where = value.get_secret_value() if value else ""
        if "://" in where and not where.startswith(("imaps://", "imap://")):
            raise ValueError("must be the path of a Maildir, or begin with imaps:// or imap://")
        return value
