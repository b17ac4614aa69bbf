"""What mail servers say of a message, of us who send it, and of themselves, in their own words and languages.

Patterns for one line of lower-case text, none of which can backtrack far. `phrases` puts them in order.
"""

from __future__ import annotations

from typing import Final

from worker.feedback.mail.clauses import near

SENDER_REFUSED: Final = (
    r"sender (address )?(was )?(rejected|verif|unknown|not allowed|denied|invalid)|from: ?domain is invalid",
    r"provide a valid from|(domain of|unrouteable|unroutable|invalid|unknown|unresolvable|forged) sender",
    (
        r"sender'?s? (domain|address|email).{0,60}(not exist|invalid|unknown|could not|not found|reject|denied|"
        r"blacklist)"
    ),
    r"mail from .{0,60}(reject|denied|not exist|invalid|unresolv)",
    (
        r"(no relaying|relay(ing)? (access |mail )?(is )?(denied|not)|unable to relay|not permitted to relay|"
        r"relay not permitted|not allowed to relay|not an open relay|not a gateway)"
    ),
    r"empty envelope sender|null sender|batv|backscatter|only (list )?members|members[- ]only",
    r"not (a )?(member|subscribed)|non-member|not allowed to post|allowed to post",
    r"google ?(groups|グループ|그룹)|resolver\.rst\.notauthorized|delivery not authorized",
    r"isn'?t in my list of allowed rcpthosts|not in my list of allowed|rcpthosts",
)

OUR_NAME: Final = (
    r"helo (command )?reject|cannot find your (reverse )?host ?name|reverse (host ?name|dns)|\bptr\b|\brdns\b",
    r"(client|your) host ?name|unresolvable relay host",
)

GREYLISTED: Final = (
    r"gr[ea]y[- ]?list|postgrey|try again (in|after) \d+ (s|m)|come back later",
    r"temporarily (deferred|rejected)[^.]{0,20}greyl",
)

TOO_BIG: Final = (
    near(
        r"message|mail|size|letter|attachment",
        (
            r"too (big|large)|is too long|exceeds? (the )?(fixed |maximum|max|size|limit|administrative|inbound|"
            r"allowed)|size limit|larger than"
        ),
        within=40,
    ),
    r"too (big|large)( for| message)|(message|max\w*) size (exceed|limit)",
    r"exceed\w* (the )?(maximum |max )?(inbound )?(message )?size|size limit exceeded|line limit exceeded",
    r"message ?too ?(big|large)|recipsizelimit",
    # Chinese
    r"过大|太大",
    # French
    r"taille (limite|maximale)",
    # German
    r"zu gro(ß|ss)",
    # Italian
    r"troppo grande",
    # Japanese
    r"大きすぎ|サイズ.{0,12}(超|制限)",
    # Korean
    r"크기.{0,12}초과",
    # Portuguese
    r"muito grande",
    # Russian, Ukrainian
    r"слишком больш|превышает.{0,20}размер",
    # Spanish
    r"demasiado grande",
)

RATE_LIMITED: Final = (
    r"too many (messages|connections|recipients|emails|errors|smtp|concurrent|sessions|unknown|invalid)",
    r"rate[- ]?(limit|control)|throttl|too (quickly|fast|frequent)",
    r"(hourly|daily|sending|message|connection) (limit|quota|rate)[^.]{0,30}(exceed|reached)",
    r"exceed\w* (the |your )?(rate|sending|hourly|daily|max(imum)? (number|emails))|unusual rate",
    r"unexpected volume|user complaints|slow down|per-domain connection",
    # Chinese
    r"频率|频繁",
    # French
    r"trop de connexions",
)

SPAM: Final = (
    (
        r"\b(spam\w*|junk|unsolicited|bulk (e-?)?mail|uce|ube|phish\w*|spammer|spam-related|spamassassin|uribl|"
        r"surbl)\b"
    ),
    r"content[- ]filter|spamvertis|spam(detect|bouncer|profiler)|recurrent pattern|advertising",
    r"message (content )?(was |has been )?(rejected|blocked|refused) (as|due|because|by)[^.]{0,40}content",
    r"message filtered|looked like|unacceptable content|virus or spam",
    # Chinese
    r"垃圾",
    # Japanese
    r"スパム|迷惑メール",
    # Korean
    r"스팸",
    # Russian, Ukrainian
    r"спам",
)

AUTHENTICATION: Final = (
    r"\b(dmarc|dkim|spf)\b|sender policy framework|authenticat(ion|ed)|unauthenticated|reverse dns",
    r"\b(ptr|rdns)\b|starttls|must issue|tls required|certificate|dane\b|helo command rejected|bad helo",
    r"does not resolve",
)

BLOCKED: Final = (
    r"block(ed)? (using|by|list)|blacklist|black list|block[- ]list|dnsbl|\brbl\b|spamhaus|spamcop|barracuda\w*",
    r"sorbs|abuseat|listed (at|in|on|by)|(poor|bad|low) reputation|reputation|banned",
    near(
        r"\bip|client host|host|server|network|mail server",
        r"block|refus|reject|denied|banned|not allowed|forbidden",
        within=60,
    ),
    r"(?<!they are )not accepting (mail|connections) from|requires confirmation",
    r"connections? (will )?not (be )?accept|dynamic ip|access denied|you are not allowed to connect",
    r"refused to talk to me|go away|has been blocked|is blocked|blocked|(s|pol)-p\d",
    # Chinese
    r"黑名单",
    # Japanese
    r"拒否リスト",
    # Korean
    r"차단",
    # Russian, Ukrainian
    r"заблокирован отправ",
)

CONTENT: Final = (
    r"\bvirus(es)?\b|malware|infected|(with|illegal|banned|blocked|forbidden) (\w+ ){0,3}attachment",
    r"attachments? (type|name|not|is|was|are|exten)|executable|mime (header|error|complexity|structure)",
    r"malformed(?! or unexpected name| name)|improper(ly)?|8-?bit|illegal header|header (error|size|field)",
    r"bad header|message contains|conversion|smtputf8|content (rejected|error|denied)|banned (file|content)",
    r"duplicate header|not rfc|rfc ?(2822|5322|822)|base64",
    # Chinese
    r"病毒",
    # Japanese
    r"ウイルス",
    # Korean
    r"바이러스",
    # Russian, Ukrainian
    r"вирус",
)

EXPIRED: Final = (
    near(
        r"delivery|message|queue|retry|envelope|time|mail",
        r"timed? ?out|expired|timeout|time exceeded|too long|expiration",
        within=40,
    ),
    r"timed? ?out|giv(e|ing) up|could not be delivered (for|within)|(not|n't) (be )?delivered within",
    r"(has|have) been failing|within the allowed|in the queue (too long|for)|retry time not reached",
    r"after \d+ (days|hours|attempts|tries)|for (more than )?\d+ (day|hour)|not been collected",
    r"could not be contacted|server did(n't| not) (respond|reply)|not responding|no answer",
    r"unable to deliver message after|multiple retries|(has been |was )?delayed|still being retried",
    r"will (be|keep) (retr|try)|delivery attempts|still trying",
    # Chinese
    r"时间.{0,4}(超|过)|超时",
    # French
    r"délai",
    # German
    r"abgelaufen|zeitüberschreitung",
    # Japanese
    r"時間切れ|タイムアウト",
    # Korean
    r"시간.{0,6}초과",
    # Russian, Ukrainian
    r"истек",
    # Spanish
    r"tiempo de espera",
)

NETWORK: Final = (
    r"lost connection|(unable|failed|failure) to (look ?up|resolve)|conversation with",
    r"connection (refused|failed|reset|dropped|closed|lost|error|was|to)|connect(ed)? to|network|no route",
    r"unreachable|not reachable|unable to connect|could ?n[o']t (connect|contact|reach|be reached)",
    r"dns (error|failure|lookup)|host not found, try again|too many hops|hop count",
    r"(mail|routing|forwarding) loop|loops? back|looping|loop detected|no-answer-from-host|routing-errors",
    r"unable to contact|could not find a gateway|lookup (failure|failed)|name server reply",
    r"host or domain name not found",
)

POLICY: Final = (
    r"policy|not authori[sz]ed|prohibited|denied|refused|reject|forbidden|administrative|rules?\b|not permitted",
    r"disallowed|permission|restriction|local policy",
    # Chinese
    r"政策",
    # Korean
    r"정책",
    # Russian, Ukrainian
    r"политик",
)

SYSTEM: Final = (
    r"system (error|config|not|failure)|configur|unspecified error|internal (server )?error",
    r"local (error|problem|delivery)|server error|mailer error|command (died|failed|output|not)|exit|pipe to",
    r"service (not available|unavailable|currently)|temporar(y|ily)|try (again )?later|insufficient system",
    r"protocol (error|violation)|syntax error|unexpected|transaction failed|resources|deferred|cannot open",
    r"i/o error|can'?t create|write error",
)
