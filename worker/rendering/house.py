"""The house as mails print it: its name, its postal address and its home page, whatever an operator wrote there.

Pure. `compile` makes it once; how its mailbox is written is the business of `fields`.
"""

from __future__ import annotations

from typing import Final

from worker.content import Newsroom
from worker.rendering.cards import name
from worker.rendering.prose import one_line, shorten, web_address

_POSTAL_ADDRESS_CHARS: Final = 250


def printed(newsroom: Newsroom) -> Newsroom:
    r"""Make what a house says of itself fit to print: single lines that are not too long, and a link to the web.

    >>> house = Newsroom(name="The\nCourier", base_url="https://c.example", from_name="", from_address="a@c.example",
    ...                  postal_address=" 1 Quay Street\n Port Ellery", home_url="javascript:alert(1)")
    >>> printed(house).name, printed(house).postal_address, printed(house).home_url
    ('The Courier', '1 Quay Street Port Ellery', '')
    """
    clean = {
        "name": name(newsroom.name),
        "postal_address": shorten(one_line(newsroom.postal_address), _POSTAL_ADDRESS_CHARS),
        "home_url": web_address(newsroom.home_url),
    }
    return newsroom.model_copy(update=clean)
