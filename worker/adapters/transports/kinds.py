"""The kinds of transport there are: what `dsn.py` must know to read a DSN, and `build.py` to build one.

Pure: a provider's own module is imported only when one is built. docs/adding-a-provider.md says how to add one. How
many messages a request may hold is each provider's own limit; what the provider's module says of its page holds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from worker.adapters.transports.spec import Credentials, Kind, OwnOption, Scheme, Tls

_DOMAIN: Final = r"[a-z0-9-]+(\.[a-z0-9-]+)+"

_SMTP: Final = (
    Kind(
        scheme=Scheme.SMTP,
        example="smtp://user:password@mail.example.org:587?tls=required&connections=20&name=relay",
        credentials=Credentials.OPTIONAL_LOGIN,
        port=587,
        tls=Tls.OPPORTUNISTIC,
    ),
    Kind(
        scheme=Scheme.SMTPS,
        example="smtps://user:password@mail.example.org:465",
        credentials=Credentials.OPTIONAL_LOGIN,
        port=465,
    ),
    Kind(
        scheme=Scheme.INBOX,
        example="inbox://127.0.0.1:2525?maildir=/var/lib/tocsin/inbox",
        credentials=Credentials.NONE,
        port=2525,
        tls=Tls.OFF,
        local_only=True,
    ),
)
_PROVIDERS: Final = (
    Kind(
        scheme="postmark",
        example="postmark://TOKEN@default?stream=broadcast",
        made_by="postmark:PostmarkTransport",
        place="default",
        endpoints={"": "https://api.postmarkapp.com"},
        most=500,
        connections=4,
        own={"stream": OwnOption(pattern=r"[\w-]{1,100}", example="stream=broadcast")},
    ),
    Kind(
        scheme="resend",
        example="resend://KEY@default",
        made_by="resend:ResendTransport",
        place="default",
        endpoints={"": "https://api.resend.com"},
        most=100,
        connections=2,  # two to ten requests a second is what an account may do
    ),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({str(kind.scheme): kind for kind in (*_SMTP, *_PROVIDERS)})
