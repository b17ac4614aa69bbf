"""The names under which our own words travel with a provider and come back in its events.

Transports write them, event parsers read them. They keep to the strictest alphabets and lengths: Resend's tags take
letters, digits, `_` and `-`; a key of Postmark's metadata has at most 20 characters.
"""

from __future__ import annotations

from typing import Final

DELIVERY_ARGUMENT: Final = "tocsin_delivery"
"""Its value is the delivery's id in decimal digits."""

MESSAGE_ARGUMENT: Final = "tocsin_message"
"""Its value is our Message-ID without angle brackets, for providers that write a Message-ID of their own."""
