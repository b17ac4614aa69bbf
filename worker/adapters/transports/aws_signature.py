"""AWS Signature Version 4, as much of it as one POST without a query needs.

Pure. docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, as of 2026-11-28. `ses.py`
calls it; a library would bring a client of its own and 90 MB.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit


def signed(
    url: str, headers: Mapping[str, str], body: bytes, *, key_id: str, secret: str, scope: tuple[str, str], at: datetime
) -> dict[str, str]:
    """Return the headers together with those that sign the POST. `scope` is region and service, `at` aware UTC."""
    parts = urlsplit(url)
    moment, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    told = {"host": parts.netloc, "x-amz-date": moment, **{name.lower(): value for name, value in headers.items()}}
    names = ";".join(sorted(told))
    lines = "".join(f"{name}:{told[name].strip()}\n" for name in sorted(told))
    digest = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n{quote(parts.path or '/')}\n\n{lines}\n{names}\n{digest}"
    credential = "/".join((day, *scope, "aws4_request"))
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    signature = _derived(secret, credential, f"AWS4-HMAC-SHA256\n{moment}\n{credential}\n{hashed}")
    stamp = f"AWS4-HMAC-SHA256 Credential={key_id}/{credential}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "X-Amz-Date": moment, "Authorization": stamp}


def _derived(secret: str, credential: str, text: str) -> str:
    """Sign a text with the key that belongs to this day, region and service."""
    key = f"AWS4{secret}".encode()
    for word in credential.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
