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
    "itm_",
)
NAMES: Final = frozenset(
    name
    for line in (
        "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid li_fat_id igshid igsh mibextid",
        "mc_cid mc_eid mkt_tok _ga _gl ml_subscriber ml_subscriber_hash ck_subscriber_id",
        "fb_action_ids fb_action_types fb_source fb_ref wt_mc wt.mc_id xtor s_cid icid ncid ocid cmpid cmp ito ftag",
        "wickedid rb_clickid s_kwcid ef_id epik irclickid sms_click sms_source sms_uniqueid mkcid mkevt mkrid campid",
        "guce_referrer guce_referrer_sig tpcc mbid bxid cndid esrc soc_src soc_trk ns_linkname cm_ven cm_cat cm_pla",
        "cm_ite cm_mmc elqtrackid elqtrack elqaid elqat elqcampaignid hsctatracking sfmc_id sfmc_sub sk_source",
        "xtref fromrss",
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
    "mobile.twitter.com": "twitter.com",
    "m.facebook.com": "www.facebook.com",
    "m.youtube.com": "www.youtube.com",
    "m.washingtontimes.com": "www.washingtontimes.com",
    "mobile.lemonde.fr": "www.lemonde.fr",
    "m.spiegel.de": "www.spiegel.de",
    "m.faz.net": "www.faz.net",
    "m.hani.co.kr": "www.hani.co.kr",
    "m.koreaherald.com": "www.koreaherald.com",
    "en.m.wikipedia.org": "en.wikipedia.org",
    "ko.m.wikipedia.org": "ko.wikipedia.org",
}
"""Hosts that serve another's articles under the same paths. Only those known to: "m." alone proves nothing."""

REDIRECTORS: Final = {
    "www.google.com/url": ("url", "q"),
    "google.com/url": ("url", "q"),
    "news.google.com/news/url": ("url",),
    "www.bing.com/news/apiclick.aspx": ("url",),
    "l.facebook.com/l.php": ("u",),
    "lm.facebook.com/l.php": ("u",),
    "out.reddit.com/": ("url",),
    "t.umblr.com/redirect": ("z",),
    "www.youtube.com/redirect": ("q",),
    "go.redirectingat.com/": ("url",),
    "exit.sc/": ("url",),
}
"""Addresses that lead on to another, which stands in one of these parameters. Short ones that hide it (articles of
news.google.com, apple.news, feedproxy, t.co) are left as they are: what they hold only their own servers know."""
