"""Which parts of a web address only say how a reader came: data for `canonical`, nothing else.

A name is listed only where no newspaper is known to tell articles apart by it: a wrong entry here makes two articles
one, a missing one merely lets an article through twice.
"""

from __future__ import annotations

from typing import Final

PREFIXES: Final = (
    "utm_",
    "at_",
    "pk_",
    "piwik_",
    "matomo_",
    "mtm_",
    "hsa_",
    "guce_",
    "__twitter_",
    "vero_",
    "oly_",
    "_hs",
)
NAMES: Final = frozenset(
    name
    for line in (
        "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid li_fat_id igshid igsh mibextid",
        "mc_cid mc_eid mkt_tok _ga _gl ml_subscriber ml_subscriber_hash ck_subscriber_id",
        "fb_action_ids fb_action_types fb_source fb_ref wt_mc wt.mc_id xtor s_cid icid ncid ocid cmpid cmp ito ftag",
        "ns_campaign ns_mchannel ns_source ns_linkname ns_fee smid smtyp sref srnd taid maca traffic_source guccounter",
    )
    for name in line.split()
)
FROM_FEED: Final = frozenset({"ref", "source", "src", "from", "partner", "emc", "campaign", "medium"})
"""Names that are tracking when their value is "rss" or "feed", and may mean something otherwise."""

AMP_VALUES: Final = {"amp": frozenset({"", "1", "true"}), "outputtype": frozenset({"amp"})}

SAME_HOST: Final = {
    "amp.theguardian.com": "www.theguardian.com",
    "mobile.nytimes.com": "www.nytimes.com",
    "mobile.reuters.com": "www.reuters.com",
    "m.bbc.co.uk": "www.bbc.co.uk",
    "m.yna.co.kr": "www.yna.co.kr",
    "m.dw.com": "www.dw.com",
}
"""Hosts that serve another's articles under the same paths. Only those known to: "m." alone proves nothing."""
