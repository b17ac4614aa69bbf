"""Which dialect of RSS or Atom a feed is written in, by its root element alone.

Pure. feedparser goes by whatever namespace it meets first, so that an RSS 1.0 feed with one link of Atom's is Atom to
it. `feed_xml` calls this.
"""

from __future__ import annotations

import re
from typing import Final

_VERSION: Final = re.compile(r"""\sversion\s*=\s*["']\s*([^"'\s]*)""", re.IGNORECASE)
_RSS: Final = {
    "0.90": "rss090",
    "0.91": "rss091",
    "0.92": "rss092",
    "0.93": "rss093",
    "0.94": "rss094",
}
_RDF: Final = {"my.netscape.com/rdf/simple/0.9": "rss090", "purl.org/rss/1.0/": "rss10"}
_ATOM: Final = {"0.1": "atom01", "0.2": "atom02", "0.3": "atom03"}
_ATOM_NAMESPACES: Final = {"www.w3.org/2005/atom": "atom10", "purl.org/atom/ns#": "atom03"}


def format_of(root: str) -> str:
    """Return "rss090" to "rss094", "rss10", "rss20", "rss" (of no version), "atom03", "atom10", "atom", or "".

    `root` is the start tag of the document's root element. "" is for RDF that may be about anything.

    >>> format_of('<rss version="0.92">'), format_of('<feed xmlns="http://www.w3.org/2005/Atom">')
    ('rss092', 'atom10')
    >>> format_of('<rdf:RDF xmlns:a="http://www.w3.org/2005/Atom" xmlns="http://purl.org/rss/1.0/">')
    'rss10'
    """
    tag = root.lower()
    name = re.split(r"[\s>/]", tag.removeprefix("<"), maxsplit=1)[0].rpartition(":")[2]
    found = _VERSION.search(root)
    version = found.group(1) if found else ""
    if name == "rss":
        return "rss20" if version.startswith("2.") else _RSS.get(version, "rss")
    if name == "rdf":
        return _by_namespace(tag, _RDF)
    if name == "feed":
        return _ATOM.get(version) or _by_namespace(tag, _ATOM_NAMESPACES) or "atom"
    return ""


def _by_namespace(tag: str, formats: dict[str, str]) -> str:
    return next((name for namespace, name in formats.items() if namespace in tag), "")
