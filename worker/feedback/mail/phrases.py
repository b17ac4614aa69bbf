"""What mail servers say, in their own words and languages, and which reason it is.

A table, tried from the top: what is said in stronger words stands before what is said of many things. It is asked only
where codes leave the reason open. All patterns are searched in one line of lower-case text, and none can backtrack far.
"""

from __future__ import annotations

import re
from typing import Final

from worker.feedback.mail.verdict import Reason

_LONGEST: Final = 3_000

_TABLE: Final[tuple[tuple[Reason, str], ...]] = (
    (
        Reason.POLICY,  # about us as a sender, in words that are used of unknown readers too
        (
            r"sender (address )?(was )?(rejected|verif|unknown|not allowed|denied|invalid)|"
            r"from: ?domain is invalid|provide a valid from|(domain of|unrouteable|unroutable|invalid|unknown|"
            r"unresolvable|forged) sender|"
            r"sender'?s? (domain|address|email).{0,60}(not exist|invalid|unknown|could not|not found|reject|denied|"
            r"blacklist)|"
            r"mail from .{0,60}(reject|denied|not exist|invalid|unresolv)|(no relaying|relay(ing)? (access |"
            r"mail )?(is )?(denied|not)|"
            r"unable to relay|not permitted to relay|relay not permitted|not allowed to relay|not an open relay|"
            r"not a gateway)|"
            r"empty envelope sender|null sender|batv|backscatter|only (list )?members|members[- ]only|not (a )?(member|"
            r"subscribed)|"
            r"non-member|not allowed to post|allowed to post|google ?(groups|グループ|그룹)|"
            r"resolver\.rst\.notauthorized|delivery not authorized|"
            r"isn'?t in my list of allowed rcpthosts|not in my list of allowed|rcpthosts"
        ),
    ),
    (
        Reason.GREYLISTED,
        (
            r"gr[ea]y[- ]?list|postgrey|try again (in|after) \d+ (s|m)|come back later|temporarily (deferred|"
            r"rejected)[^.]{0,20}greyl"
        ),
    ),
    (
        Reason.MAILBOX_FULL,
        (
            r"(mail ?box|inbox|account|user|recipient|mail ?folder|mail ?dir|folder|storage|disk|disc|mail file|"
            r"userdisk|domaindisk|"
            r"boite|boîte|quota|space)[^.;]{0,60}?(\bfull\b|over ?(the |its |their |disk |mail )?(quota|limit|allowed)|"
            r"quota (exceeded|exceed|full|limit|usage exceeded)|exceed\w* (its|the|their|allowed|storage|maximum|local|"
            r"mailbox|disk|quota|limit)|pleine|"
            r"\b(used up|is out of storage))|"
            r"over ?quota|quota (was |has been )?(exceed|violation|issues|limit|full)|quota-issues|exceed\w* (mailbox |"
            r"storage |its |his |the |disk )?(quota|storage)|"
            r"\bfull mail ?box|mailbox[^.;]{0,30} full|insufficient (disk |storage |system storage)|"
            r"not enough (storage )?(space|room)|"
            r"out of (storage|disk) space|too (many messages|much mail data)|(number of messages|"
            r"size)[^.]{0,40}mailbox[^.]{0,20}exceeded|"
            r"does not have enough space|exceeded storage allocation|no space left|overquota|mailboxfull|"
            r"would exceed (the )?(maximum|mailbox|quota)|"
            r"postfach[^.]{0,30}(voll|überfüllt|überschritten)|speicherplatz|buz[oó]n[^.]{0,40}(lleno|llena)|"
            r"casella[^.]{0,40}piena|"
            r"caixa[^.]{0,40}(cheia|lotada)|mailbox vol\b|postbus[^.]{0,20}vol\b|skrzynk[^.]{0,40}(pełna|przepełn)|"
            r"переполнен|превышен[^.]{0,30}(квот|лимит|размер ящик)|"
            r"いっぱい|容量(が|を)?.{0,12}(超|不足|オーバー)|满|滿|空间不足|超出.{0,6}容量|(용량|메일함|편지함|"
            r"사서함).{0,20}(초과|가득|부족|꽉)"
        ),
    ),
    (
        Reason.HOST_UNKNOWN,
        (
            r"\b(host|domain|domain name|name server|dns|mx)\b[^.;:()\[\]<>{}]{0,40}(unknown|do(es)? ?n[o']t exist|"
            r"not (be )?found(?!, try)|non[- ]?exist|nxdomain|is not reachable|couldn'?t be found|invalid)|"
            r"(unknown|no such|invalid|bad|illegal|non-?existent|unrouteable|unroutable) (mail )?(host|domain|"
            r"destination (host|system|domain))|host(name)? lookup failed|"
            r"name or service not known|nxdomain|unrout(e)?able address|no (valid )?mx|nonexistentdomain|null ?mx|"
            r"does not accept mail|no smtp service|all relevant mx records|bad-domain|"
            r"host address lookups failed permanently|domain must exist|could ?n[o']t find (any|a) (host|mx|mail)|"
            r"no route for (current|domain)|not a valid domain|no such domain|"
            r"domäne[^.]{0,30}(nicht|unbekannt)|domaine[^.]{0,30}(inconnu|n'existe)|dominio[^.]{0,30}(desconocid|"
            r"no existe|sconosciut|non esiste|no se)|домен[^.]{0,30}не|域名|ドメイン.{0,16}(見つか|存在|不明)|도메인"
        ),
    ),
    (
        Reason.USER_UNKNOWN,
        (
            r"(user|recipient|address\w*|addressee|mailbox|mail box|account|local[- ]part|person|e-?mail address|"
            r"subscriber|alias|member|(?:user|screen|recipient|e-?mail) ?name)"
            r"[^.;]{0,50}?(\bunknown|do(es)? ?n[o']t exist|not (be )?(found|known|exist\w*|recogni[sz]ed|valid|present|"
            r"registered)|"
            r"(was|were) ?n'?[o']?t found|non[- ]?exist|no longer (exists?|valid|available|in use|active|on|at|with)|"
            r"is invalid|\binvalid\b|isn'?t valid|"
            r"couldn'?t be found|could not be (found|resolved)|has been (removed|deleted|closed)|is (closed|gone)|"
            r"is not (a |an )?(known|active|valid|local|listed|our)|not listed)|"
            r"(no|not (a|an)|unknown|invalid|non-?existent|bad|illegal|unresolvable) (such |valid |known |local |"
            r"active |destination |virtual |final delivery )*"
            r"(user|recipient|address|addressee|mail ?box|person|account|local[- ]part|local user|userid|username|"
            r"alias|e-?mail address|e-?mail account|subscriber|destination mailbox)|"
            r"\b(5\.1\.1 )?bad (destination )?(mailbox )?address|unknownuser|userunknown|recipnotfound|exrecipnotfound|"
            r"user unknown|badrcptto|validrcptto|"
            r"(doesn'?t|does not|do not) have an? [^.]{0,40}account|no (mail ?box|account|user|one|body|"
            r"person)[^.;]{0,20} (here|by that name|at this|with that name|found|available)|"
            r"(does not|doesn'?t|don'?t) exist|not (listed )?in (the )?(domino|name|public name|address|directory|"
            r"name and address|user)[^.]{0,20}(directory|book|list)?|"
            r"no (such|matching) (user|name|entry|recipient|mailbox|address|directory)|"
            r"recipient address rejected: (user|undeliverable|unverified|mailbox|no |access denied)|"
            r"cannot find (your|the|this)? ?(user|recipient|mailbox)|unable to find (the )?(recipient|user|mailbox)|"
            r"undeliverable address|addressee unknown|"
            r"recipient (is )?(un|not )known|not known at this|archived recipient|not our customer|not a customer|"
            r"dest(ination)? address(es)? (was|were)|"
            r"bad[-_ ]mailbox|bad[-_ ]recipient|unknown[- ]recipient|can'?t accept user|user missing home|"
            r"mailbox is (unavailable|inactive)|address no longer accepts|"
            r"there is no one|delivery_failed_user|no valid recipients|resolver\.adr\.|000c05a6|mmssmtp unknown|"
            r"unable to deliver to this address|unknown or illegal alias|"
            r"(empfänger|benutzer|adresse|postfach|konto)[^.;]{0,40}(unbekannt|existiert nicht|nicht gefunden|"
            r"nicht vorhanden|ungültig|nicht erreichbar|nicht verfügbar)|unbekannte[rn]? (benutzer|empfänger|adresse)|"
            r"(utilisateur|destinataire|adresse|compte|boîte)[^.;]{0,40}(inconnu|n'existe (pas|plus)|introuvable|"
            r"invalide|non trouv)|"
            r"(usuario|destinatario|direcci[oó]n|cuenta|buz[oó]n)[^.;]{0,40}(desconocid|no existe|inexistente|"
            r"no se encontr|no encontrad|no v[aá]lid)|no existe|"
            r"(utente|destinatario|indirizzo|casella)[^.;]{0,40}(sconosciut|non esiste|inesistente|non trovat|"
            r"non valid)|nessun utente|"
            r"(usu[aá]rio|destinat[aá]rio|endere[cç]o|caixa)[^.;]{0,40}(desconhecid|n[aã]o existe|inexistente|"
            r"n[aã]o (foi )?encontrad|inv[aá]lid)|"
            r"(gebruiker|geadresseerde|adres|ontvanger)[^.;]{0,40}(onbekend|bestaat niet|niet gevonden|ongeldig)|"
            r"onbekende gebruiker|"
            r"(nie istnieje|nieznany|nie znaleziono|brak (konta|takiego|użytkownika))|finns inte|hittades inte|"
            r"findes ikke|ikke fundet|finnes ikke|ei löydy|ei löytynyt|neexistuje|nenalezen|nem létezik|nem található|"
            r"bulunamadı|"
            r"не существует|нет такого|не найден|неизвестный|несуществующ|не зарегистрирован|неверн\w+ адрес|не існує|"
            r"не знайдено|"
            r"存在しません|存在しない|見つかりません|見つかりませんでした|宛先(不明|が見つ|に誤り)|あて先不明|"
            r"登録されていません|不存在|找不到|無此|无此|没有(找到|这个)|查無|未找到|无效|(存在|해당|"
            r"수신자|사용자|계정|주소|메일).{0,16}(존재하지 않|찾을 수 없)|없는 (사용자|계정|주소|메일)|존재하지 않"
        ),
    ),
    (
        Reason.SUSPENDED,
        (
            r"(account|mail ?box|user|recipient|address|service)[^.;]{0,50}(suspended|disabled|deactivated|"
            r"de-activated|inactive|locked|frozen|expired account|discontinued|dormant|temporarily inactive|not active|"
            r"been closed)|"
            r"(disabled|inactive|suspended|deactivated|frozen|dormant|locked|expired) (user|account|mail ?box|"
            r"recipient|address)|inactive-mailbox|archiv[eé]e|user suspended|mailbox disabled|"
            r"account that you tried to reach is (disabled|inactive)|(account|mailbox|"
            r"compte)[^.;]{0,30} (is blocked|est bloqu)|"
            r"деактивирован|заблокирован|отключен|неактивн|gesperrt|deaktiviert|stillgelegt|désactivé|suspendu|"
            r"deshabilitad|suspendid|bloquead[ao] (a|la) (conta|cuenta)|desativad|disattivat|停用|冻结|禁用|休止|"
            r"利用停止|휴면|정지|"
            r"이용.{0,6}중지|해지"
        ),
    ),
    (
        Reason.MOVED,
        (
            r"has moved to|(address|recipient|user|mailbox|account)[^.;]{0,30}(has |have )?(moved|changed|"
            r"been replaced)|has been replaced by|"
            r"new (e-?mail )?address (is|for)|please update your (address|records)"
        ),
    ),
    (
        Reason.TOO_BIG,
        (
            r"(message|mail|size|letter|attachment)[^.;]{0,40}(too (big|large)|is too long|exceeds? (the )?(fixed |"
            r"maximum|max|size|limit|administrative|inbound|allowed)|size limit|larger than)|"
            r"too (big|large)( for| message)|(message|max\w*) size (exceed|limit)|exceed\w* (the )?(maximum |"
            r"max )?(inbound )?(message )?size|size limit exceeded|line limit exceeded|"
            r"message ?too ?(big|large)|recipsizelimit|taille (limite|maximale)|zu gro(ß|ss)|demasiado grande|"
            r"troppo grande|muito grande|слишком больш|превышает.{0,20}размер|大きすぎ|サイズ.{0,12}(超|制限)|过大|"
            r"太大|"
            r"크기.{0,12}초과"
        ),
    ),
    (
        Reason.RATE_LIMITED,
        (
            r"too many (messages|connections|recipients|emails|errors|smtp|concurrent|sessions|unknown|invalid)|"
            r"rate[- ]?(limit|control)|throttl|too (quickly|fast|frequent)|"
            r"(hourly|daily|sending|message|connection) (limit|quota|rate)[^.]{0,30}(exceed|reached)|exceed\w* (the |"
            r"your )?(rate|sending|hourly|daily|max(imum)? (number|emails))|unusual rate|"
            r"trop de connexions|unexpected volume|user complaints|频率|频繁|slow down|per-domain connection"
        ),
    ),
    (
        Reason.SPAM,
        (
            r"\b(spam\w*|junk|unsolicited|bulk (e-?)?mail|uce|ube|phish\w*|spammer|spam-related|spamassassin|uribl|"
            r"surbl)\b|content[- ]filter|spamvertis|spam(detect|bouncer|profiler)|"
            r"recurrent pattern|advertising|message (content )?(was |has been )?(rejected|blocked|refused) (as|due|"
            r"because|by)[^.]{0,40}content|message filtered|looked like|unacceptable content|virus or spam|垃圾|スパム|"
            r"迷惑メール|스팸|спам"
        ),
    ),
    (
        Reason.AUTHENTICATION,
        (
            r"\b(dmarc|dkim|spf)\b|sender policy framework|authenticat(ion|ed)|unauthenticated|reverse dns|\b(ptr|"
            r"rdns)\b|starttls|must issue|tls required|certificate|dane\b|helo command rejected|bad helo|"
            r"does not resolve"
        ),
    ),
    (
        Reason.BLOCKED,
        (
            r"block(ed)? (using|by|list)|blacklist|black list|block[- ]list|dnsbl|\brbl\b|spamhaus|spamcop|"
            r"barracuda\w*|sorbs|abuseat|listed (at|in|on|by)|(poor|bad|low) reputation|reputation|banned|"
            r"(\bip|client host|host|server|network|mail server)[^.;]{0,60}(block|refus|reject|denied|banned|"
            r"not allowed|forbidden)|(?<!they are )not accepting (mail|connections) from|requires confirmation|"
            r"connections? (will )?not (be )?accept|dynamic ip|"
            r"access denied|you are not allowed to connect|refused to talk to me|go away|has been blocked|is blocked|"
            r"blocked|(s|pol)-p\d|заблокирован отправ|黑名单|차단|拒否リスト"
        ),
    ),
    (
        Reason.CONTENT,
        (
            r"\bvirus(es)?\b|malware|infected|(with|illegal|banned|blocked|forbidden) (\w+ ){0,3}attachment|"
            r"attachments? (type|name|not|is|was|are|exten)|executable|mime (header|error|complexity|structure)|"
            r"malformed(?! or unexpected name| name)|improper(ly)?|8-?bit|illegal header|header (error|size|field)|"
            r"bad header|message contains|conversion|smtputf8|"
            r"content (rejected|error|denied)|banned (file|content)|duplicate header|not rfc|rfc ?(2822|5322|822)|"
            r"base64|вирус|ウイルス|病毒|바이러스"
        ),
    ),
    (
        Reason.FILTERED,
        (
            r"(recipient|user|they are)[^.;]{0,60}?(refuse|prefer|only accept|(does|is|do|are) not accept|privacy|"
            r"restrict|not accepting mail from|allow ?list|white ?list|rejects? your|does not want|blocked you)|"
            r"user rules|recipient'?s? preferences|blocked by the recipient|protected by|"
            r"is not accepting any mail|restricted|(受信|着信).{0,6}拒否|拒否されました|拒收|拒绝|수신.{0,6}거부|"
            r"отклон\w+ получател|"
            r"domain restriction|senders to accept"
        ),
    ),
    (
        Reason.EXPIRED,
        (
            r"(delivery|message|queue|retry|envelope|time|mail)[^.;]{0,40}(timed? ?out|expired|timeout|time exceeded|"
            r"too long|expiration)|timed? ?out|giv(e|ing) up|could not be delivered (for|within)|"
            r"(not|n't) (be )?delivered within|(has|have) been failing|within the allowed|in the queue (too long|for)|"
            r"retry time not reached|after \d+ (days|hours|attempts|tries)|for (more than )?\d+ (day|hour)|"
            r"not been collected|could not be contacted|"
            r"server did(n't| not) (respond|reply)|not responding|no answer|unable to deliver message after|"
            r"multiple retries|(has been |was )?delayed|still being retried|will (be|keep) (retr|try)|"
            r"delivery attempts|still trying|abgelaufen|zeitüberschreitung|délai|tiempo de espera|истек|時間切れ|"
            r"タイムアウト|时间|"
            r"超时|시간"
        ),
    ),
    (
        Reason.NETWORK,
        (
            r"connection (refused|failed|reset|dropped|closed|lost|error|was|to)|connect(ed)? to|network|no route|"
            r"unreachable|not reachable|unable to connect|could ?n[o']t (connect|contact|reach|be reached)|dns (error|"
            r"failure|lookup)|"
            r"host not found, try again|too many hops|hop count|(mail|routing|forwarding) loop|loops? back|looping|"
            r"loop detected|no-answer-from-host|routing-errors|unable to contact|could not find a gateway|"
            r"lookup (failure|failed)|name server reply|host or domain name not found"
        ),
    ),
    (
        Reason.USER_UNKNOWN,  # the words of RFC 5321 itself, said of much
        (
            r"mailbox (is )?(currently )?unavailable|mailbox (\S+ )?(unavailable|not available)|"
            r"recipient (address )?(was )?(rejected|not accepted|denied|refused)|address(es)? (was |were )?(rejected|"
            r"denied|invalid)|"
            r"recipient[^.;]{0,20}(not ok|rejected|denied)|invalid recipient|not accepted|does not like recipient|"
            r"undeliverable to|unknown (address|to)|all recipients (rejected|were)|"
            r"recipients? (was|were|is) undeliverable|no valid recipient|unable to accept|cannot accept|mailbox name|"
            r"destination mailbox|destination server rejected"
        ),
    ),
    (
        Reason.POLICY,
        (
            r"policy|not authori[sz]ed|prohibited|denied|refused|reject|forbidden|administrative|rules?\b|"
            r"not permitted|disallowed|permission|restriction|local policy|политик|政策|정책"
        ),
    ),
    (
        Reason.SYSTEM,
        (
            r"system (error|config|not|failure)|configur|unspecified error|internal (server )?error|local (error|"
            r"problem|delivery)|"
            r"server error|mailer error|command (died|failed|output|not)|exit|pipe to|service (not available|"
            r"unavailable|currently)|"
            r"temporar(y|ily)|try (again )?later|insufficient system|protocol (error|violation)|syntax error|"
            r"unexpected|transaction failed|resources|deferred|cannot open|i/o error|can'?t create|write error"
        ),
    ),
)
_PATTERNS: Final = tuple((reason, re.compile(pattern)) for reason, pattern in _TABLE)
_NAMES: Final = re.compile(r"\S*@\S*|https?://\S*|\b(?:[\w-]{1,63}\.){1,8}(?:com|net|org|jp|de|[a-z]{2,12})\b(?!\.\w)")
_CODED_NAMES: Final = re.compile(r"(resolver|queue|smtpsend|storedrv|routing)\.\S{1,60}")


def reason_in(text: str) -> Reason:
    """Return what a server's words say, `UNDEFINED` where they say nothing known.

    >>> reason_in("550 <jo@example.org>: Recipient address rejected: User unknown in local recipient table")
    <Reason.USER_UNKNOWN: 'user_unknown'>
    >>> reason_in("552 Das Postfach von jo ist voll"), reason_in("So long, and thanks")
    (<Reason.MAILBOX_FULL: 'mailbox_full'>, <Reason.UNDEFINED: 'undefined'>)
    """
    line = " ".join(text[:_LONGEST].lower().split())
    coded = " ".join(match[0] for match in _CODED_NAMES.finditer(line))
    bare = _NAMES.sub(" ", line) + " " + coded
    for reason, pattern in _PATTERNS:
        if pattern.search(line if reason is Reason.BLOCKED else bare):
            return reason
    return Reason.UNDEFINED
