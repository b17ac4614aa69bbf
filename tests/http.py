"""How tests ask servers of their own: over plain HTTP, so that no client reads all the world's certificates first."""

from __future__ import annotations

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What httpx is to verify with: trusts nobody. To make its own takes 20 ms, each time."""
