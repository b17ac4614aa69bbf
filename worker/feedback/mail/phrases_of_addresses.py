"""What mail servers say of an address, in their own words and languages.

Patterns for one line of lower-case text, none of which can backtrack far. `phrases` puts them in order.
"""

from __future__ import annotations

from typing import Final

from worker.feedback.mail.clauses import near

MAILBOX_FULL: Final = (
    near(
        (
            r"mail ?box|inbox|account|user|recipient|mail ?folder|mail ?dir|folder|storage|disk|disc|mail file|"
            r"userdisk|domaindisk|boite|boîte|quota|space"
        ),
        (
            r"\bfull\b|over ?(the |its |their )?(disk |mail |storage )?(quota|limit|allowed)|quota (exceeded|exceed|"
            r"full|"
            r"limit|usage exceeded)|exceed\w* (its|the|their|allowed|storage|maximum|local|mailbox|disk|quota|"
            r"limit)|pleine|\b(used up|is out of storage)"
        ),
        within=60,
    ),
    r"over ?quota|quota (was |has been )?(exceed|violation|issues|limit|full)|quota-issues",
    r"exceed\w* (mailbox |storage |its |his |the |disk )?(quota|storage)|\bfull mail ?box",
    r"mailbox[^.;]{0,30} full|insufficient (disk |storage |system storage)|not enough (storage )?(space|room)",
    r"out of (storage|disk) space|too (many messages|much mail data)",
    r"(number of messages|size)[^.]{0,40}mailbox[^.]{0,20}exceeded|does not have enough space",
    r"exceeded storage allocation|no space left|overquota|mailboxfull",
    r"would exceed (the )?(maximum|mailbox|quota)",
    # Chinese
    r"(已|邮箱|信箱|空间|容量).{0,6}[满滿]|空间不足|超出.{0,6}容量",
    # Dutch
    r"mailbox vol\b|postbus[^.]{0,20}vol\b",
    # German
    r"postfach[^.]{0,30}(voll|überfüllt|überschritten)|speicherplatz",
    # Italian
    r"casella[^.]{0,40}piena",
    # Japanese
    r"いっぱい|容量(が|を)?.{0,12}(超|不足|オーバー)",
    # Korean
    r"(용량|메일함|편지함|사서함).{0,20}(초과|가득|부족|꽉)",
    # Portuguese
    r"caixa[^.]{0,40}(cheia|lotada)",
    # Russian, Ukrainian
    r"переполнен|превышен[^.]{0,30}(квот|лимит|размер ящик)",
    # Spanish
    r"buz[oó]n[^.]{0,40}(lleno|llena)",
    # Others
    r"skrzynk[^.]{0,40}(pełna|przepełn)",
)

HOST_UNKNOWN: Final = (
    (
        r"\b(host|domain|domain name|name server|dns|mx)\b[^.;:()\[\]<>{}]{0,40}(unknown|do(es)? ?n[o']t exist|"
        r"not (be )?found(?!, try)|non[- ]?exist|nxdomain|is not reachable|couldn'?t be found|invalid)"
    ),
    (
        r"(unknown|no such|invalid|bad|illegal|non-?existent|unrouteable|unroutable) (mail )?(host|domain|"
        r"destination (host|system|domain))"
    ),
    r"host(name)? lookup failed|name or service not known|nxdomain|unrout(e)?able address|no (valid )?mx",
    r"nonexistentdomain|null ?mx|does not accept mail|no smtp service|all relevant mx records|bad-domain",
    r"host address lookups failed permanently|domain must exist|could ?n[o']t find (any|a) (host|mx|mail)",
    r"no route for (current|domain)|not a valid domain|no such domain",
    # Chinese
    r"域名.{0,12}(不存在|无效|错误|找不到|解析)",
    # French
    r"domaine[^.]{0,30}(inconnu|n'existe)",
    # German
    r"domäne[^.]{0,30}(nicht|unbekannt)",
    # Italian
    r"dominio[^.]{0,30}(desconocid|no existe|sconosciut|non esiste|no se)",
    # Japanese
    r"ドメイン.{0,16}(見つか|存在|不明)",
    # Korean
    r"도메인.{0,16}(존재하지|없|찾을 수|잘못)",
    # Russian, Ukrainian
    r"домен[^.]{0,30}не",
)

USER_UNKNOWN: Final = (
    near(
        (
            r"user|recipient|address\w*|addressee|mailbox|mail box|account|local[- ]part|person|e-?mail address|"
            r"subscriber|alias|member|(?:user|screen|recipient|e-?mail) ?name"
        ),
        (
            r"\bunknown|do(es)? ?n[o']t exist|not (be )?(found|known|exist\w*|recogni[sz]ed|valid|present|"
            r"registered)|(was|were) ?n'?[o']?t found|non[- ]?exist|no longer (exists?|valid|available|in use|"
            r"active|on|at|with)|is invalid|\binvalid\b|isn'?t valid|couldn'?t be found|could not be (found|"
            r"resolved)|has been (removed|deleted|closed)|is (closed|gone)|is not (a |an )?(known|active|valid|"
            r"local|listed|our)|not listed"
        ),
        within=50,
    ),
    (
        r"(no|not (a|an)|unknown|invalid|non-?existent|bad|illegal|unresolvable) (such |valid |known |local |"
        r"active |destination |virtual |final delivery )*(user|recipient|address|addressee|mail ?box|person|"
        r"account|local[- ]part|local user|userid|username|alias|e-?mail address|e-?mail account|subscriber|"
        r"destination mailbox)"
    ),
    r"\b(5\.1\.1 )?bad (destination )?(mailbox )?address|unknownuser|userunknown|recipnotfound|exrecipnotfound",
    r"user unknown|badrcptto|validrcptto|(doesn'?t|does not|do not) have an? [^.]{0,40}account",
    (
        r"no (mail ?box|account|user|one|body|person)[^.;]{0,20} (here|by that name|at this|with that name|found|"
        r"available)"
    ),
    r"(does not|doesn'?t|don'?t) exist",
    (
        r"not (listed )?in (the )?(domino|name|public name|address|directory|name and address|"
        r"user)[^.]{0,20}(directory|book|list)?"
    ),
    r"no (such|matching) (user|name|entry|recipient|mailbox|address|directory)",
    r"recipient address rejected: (user|undeliverable|unverified|mailbox|no |access denied)",
    r"cannot find (your|the|this)? ?(user|recipient|mailbox)|unable to find (the )?(recipient|user|mailbox)",
    r"undeliverable address|addressee unknown|recipient (is )?(un|not )known|not known at this",
    r"archived recipient|not our customer|not a customer|dest(ination)? address(es)? (was|were)|bad[-_ ]mailbox",
    r"bad[-_ ]recipient|unknown[- ]recipient|can'?t accept user|user missing home",
    r"mailbox is (unavailable|inactive)|address no longer accepts|there is no one|delivery_failed_user",
    r"no valid recipients|resolver\.adr\.|000c05a6|mmssmtp unknown|unable to deliver to this address",
    r"unknown or illegal alias",
    # Chinese
    r"不存在|找不到|無此|无此|没有(找到|这个)|查無|未找到|无效",
    # Dutch
    near(r"gebruiker|geadresseerde|adres|ontvanger", r"onbekend|bestaat niet|niet gevonden|ongeldig", within=40),
    r"onbekende gebruiker",
    # French
    near(
        r"utilisateur|destinataire|adresse|compte|boîte",
        r"inconnu|n'existe (pas|plus)|introuvable|invalide|non trouv",
        within=40,
    ),
    # German
    near(
        r"empfänger|benutzer|adresse|postfach|konto",
        r"unbekannt|existiert nicht|nicht gefunden|nicht vorhanden|ungültig|nicht erreichbar|nicht verfügbar",
        within=40,
    ),
    r"unbekannte[rn]? (benutzer|empfänger|adresse)",
    # Italian
    near(
        r"utente|destinatario|indirizzo|casella",
        r"sconosciut|non esiste|inesistente|non trovat|non valid",
        within=40,
    ),
    r"nessun utente",
    # Japanese
    r"存在しません|存在しない|見つかりません|見つかりませんでした|宛先(不明|が見つ|に誤り)|あて先不明",
    r"登録されていません",
    # Korean
    r"(存在|해당|수신자|사용자|계정|주소|메일).{0,16}(존재하지 않|찾을 수 없)|없는 (사용자|계정|주소|메일)",
    r"존재하지 않",
    # Portuguese
    near(
        r"usu[aá]rio|destinat[aá]rio|endere[cç]o|caixa",
        r"desconhecid|n[aã]o existe|inexistente|n[aã]o (foi )?encontrad|inv[aá]lid",
        within=40,
    ),
    # Russian, Ukrainian
    r"не существует|нет такого|не найден|неизвестный|несуществующ|не зарегистрирован|неверн\w+ адрес|не існує",
    r"не знайдено",
    # Spanish
    near(
        r"usuario|destinatario|direcci[oó]n|cuenta|buz[oó]n",
        r"desconocid|no existe|inexistente|no se encontr|no encontrad|no v[aá]lid",
        within=40,
    ),
    r"no existe",
    # Others
    r"(nie istnieje|nieznany|nie znaleziono|brak (konta|takiego|użytkownika))|finns inte|hittades inte",
    r"findes ikke|ikke fundet|finnes ikke|ei löydy|ei löytynyt|neexistuje|nenalezen|nem létezik|nem található",
    r"bulunamadı",
)

SUSPENDED: Final = (
    r"inactivity|(account|mail ?box) (has )?expired",
    near(
        r"account|mail ?box|user|recipient|address|service",
        (
            r"suspended|disabled|deactivated|de-activated|inactive|locked|frozen|expired account|discontinued|"
            r"dormant|temporarily inactive|not active|been closed"
        ),
        within=50,
    ),
    (
        r"(disabled|inactive|suspended|deactivated|frozen|dormant|locked|expired) (user|account|mail ?box|"
        r"recipient|address)"
    ),
    r"inactive-mailbox|user suspended|mailbox disabled|account that you tried to reach is (disabled|inactive)",
    r"(account|mailbox|compte)[^.;]{0,30} (is blocked|est bloqu)",
    # Chinese
    r"停用|冻结|禁用|休止|利用停止",
    # French
    r"archiv[eé]e|désactivé|suspendu",
    # German
    r"gesperrt|deaktiviert|stillgelegt",
    # Italian
    r"disattivat",
    # Korean
    r"휴면|정지|이용.{0,6}중지|해지",
    # Portuguese
    r"bloquead[ao] (a|la) (conta|cuenta)|desativad",
    # Russian, Ukrainian
    r"деактивирован|заблокирован|отключен|неактивн",
    # Spanish
    r"deshabilitad|suspendid",
)

MOVED: Final = (
    r"has moved to",
    r"(address|recipient|user|mailbox|account)[^.;]{0,30}(has |have )?(moved|changed|been replaced)",
    r"has been replaced by|new (e-?mail )?address (is|for)|please update your (address|records)",
)

FILTERED: Final = (
    near(
        r"recipient|user|they are",
        (
            r"refuse|prefer|only accept|(does|is|do|are) not accept|privacy|restrict|not accepting mail from|"
            r"allow ?list|white ?list|rejects? your|does not want|blocked you"
        ),
        within=60,
    ),
    r"user rules|recipient'?s? preferences|blocked by the recipient|protected by|is not accepting any mail",
    r"restricted|domain restriction|senders to accept",
    # Chinese
    r"(受信|着信).{0,6}拒否|拒收|拒绝",
    # Japanese
    r"拒否されました",
    # Korean
    r"수신.{0,6}거부",
    # Russian, Ukrainian
    r"отклон\w+ получател",
)

USER_REFUSED: Final = (
    r"mailbox (is )?(currently )?unavailable|mailbox (\S+ )?(unavailable|not available)",
    r"recipient (address )?(was )?(rejected|not accepted|denied|refused)",
    r"address(es)? (was |were )?(rejected|denied|invalid)|recipient[^.;]{0,20}(not ok|rejected|denied)",
    r"invalid recipient|not accepted|does not like recipient|undeliverable to|unknown (address|to)",
    r"all recipients (rejected|were)|recipients? (was|were|is) undeliverable|no valid recipient",
    r"unable to accept|cannot accept|mailbox name|destination mailbox|destination server rejected",
)
