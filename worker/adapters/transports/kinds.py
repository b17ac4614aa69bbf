"""The kinds of transport there are: what `dsn.py` must know to read a DSN, and `build.py` to build one.

Pure: a provider's own module is imported only when one is built. docs/adding-a-provider.md says how to add one. How
many messages a request may hold is each provider's own limit; what the provider's module says of its page holds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from worker.adapters.transports.spec import Credentials, Kind, OwnOption, Scheme, Tls

_WEBHOOK: Final = {"keys_s": OwnOption(pattern=r"\d{1,7}", example="keys_s=86400")}
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
        scheme="ses",
        example="ses://KEY_ID:SECRET@eu-west-1?configuration_set=news",
        made_by="ses:SesTransport",
        credentials=Credentials.LOGIN,
        place=r"[a-z]{2}(-[a-z]+)+-\d",
        endpoints={"": "https://email.{place}.amazonaws.com"},
        connections=20,
        own={"configuration_set": OwnOption(pattern=r"[\w-]{1,64}", example="configuration_set=news")},
    ),
    Kind(
        scheme="sendgrid",
        example="sendgrid://KEY@default",
        made_by="sendgrid:SendGridTransport",
        place="default",
        endpoints={"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"},
        most=300,
        connections=4,
    ),
    Kind(
        scheme="mailgun",
        example="mailgun://KEY@news.example.org?region=eu",
        made_by="mailgun:MailgunTransport",
        place=_DOMAIN,
        endpoints={"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"},
        most=1000,
        connections=4,
    ),
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
    Kind(
        scheme="brevo",
        example="brevo://KEY@default",
        made_by="brevo:BrevoTransport",
        place="default",
        endpoints={"": "https://api.brevo.com"},
        connections=20,
    ),
    Kind(
        scheme="webhook+https",
        example="webhook+https://whsec_c2VjcmV0@mail.example.org/send",
        made_by="webhook:WebhookTransport",
        most=500,
        connections=4,
        own=_WEBHOOK,
    ),
    Kind(
        scheme="webhook+http",
        example="webhook+http://whsec_c2VjcmV0@127.0.0.1:8080/send",
        made_by="webhook:WebhookTransport",
        port=80,
        local_only=True,
        most=500,
        connections=4,
        own=_WEBHOOK,
    ),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({str(kind.scheme): kind for kind in (*_SMTP, *_PROVIDERS)})
