"""How a bounce is known that is no report: by who writes it, what it is called, and what it says.

Decides whether a mail is a bounce, and whether it is the last word; whom it is about is `bounce_text`'s business. Pure.
"""

from __future__ import annotations

import re
from typing import Final

from worker.feedback.mail.addresses import addresses, is_machine
from worker.feedback.mail.auto_reply import subject_says_so
from worker.feedback.mail.bounce_text import spoken
from worker.feedback.mail.phrases import reason_in
from worker.feedback.mail.reading import Letter
from worker.feedback.mail.verdict import LASTING, Reason

_SENDER: Final = re.compile(
    r"mailer[-_ .]?daemon|post_?master|mail[- ](?:delivery|deliver|administrat|router|system|daemon)|"
    r"delivery (?:sub)?system|mdaemon|"
    r"system administrator|administrator@|microsoft exchange|mail delivery|content-filter at|internet mail|"
    r"mailsystem|mail server|mmdf|smtp (?:server|gateway)|returned mail|systemadministrator|daemon@",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"undeliver|non[- ]?deliver|not (?:be )?delivered|(?:mail|message|e-?mail) (?:could )?not|returned (?:mail|"
    r"to sender|message)|return(?:ed)? to sender|processing error|"
    r"deliver\w* (?:\w+ ){0,3}(?:fail|error|problem|status|report|notif|delay|incomplete)|fail(?:ure|ed|"
    r"ing)? (?:\w+ ){0,3}(?:notice|deliver|mail|message)|"
    r"(?:mail|message|delivery)[- :](?:\w+ ){0,2}(?:fail|error|bounce|delay|warning|rejected|status|problem)|"
    r"^\W*(?:warning|notice)\W.*(?:mail|messag|deliver)|bounce|nondeliverable|"
    r"(?:cannot|can't|couldn't|unable to) (?:be )?(?:deliver|send)|user unknown|unknown (?:address|user|recipient)|"
    r"rejected|mail quota|(?:mailbox|quota).{0,20}(?:full|exceed)|"
    r"unzustellbar|nicht zugestellt|zustell|unzustellbarkeit|fehlgeschlagen|rückmeldung|mail nicht|non[ _](?:remis|"
    r"distribu)|échec|echec|non remise|retour à l'expéditeur|"
    r"no se (?:puede|ha podido|pudo) (?:entregar|enviar)|no entregad|devuelto|error de entrega|fallo|"
    r"não (?:foi )?(?:entregue|é possível)|falha (?:na|de) entrega|"
    r"non recapit|mancata consegna|impossibile (?:recapitare|consegnare)|onbestelbaar|niet bezorg|mislukt|"
    r"kan inte levereras|ej levererat|kunne ikke leveres|"
    r"nie (?:dostarczono|można dostarczyć)|niedostarcz|zwrot|nedoručit|не (?:доставлен|удалось доставить|"
    r"может быть доставлено)|недоставлен|ошибка доставки|"
    r"returned mail|退信|无法投递|無法傳遞|未送达|投递失败|系统退信|未達|配信(?:不能|できません|エラー)|"
    r"送信(?:できません|エラー|失敗)|エラー|届きません|"
    r"반송|배달.{0,8}(?:실패|되지|못)|전송.{0,6}실패|메일.{0,10}(?:실패|오류)|teslim edilemedi|kézbesíthetetlen|"
    r"nelivrat",
    re.IGNORECASE,
)
_DAEMON: Final = re.compile(r"mailer[-_]?daemon@|mail delivery (?:sub)?system|mail-?daemon@", re.IGNORECASE)
_FAILED: Final = re.compile(
    r"(?:could|can|was|were|is|been|be|has) ?(?:not|n't) (?:be |been )?(?:deliver|sent|reach|forward|process)|"
    r"undeliver|unable to (?:deliver|send)|deliver\w* (?:to .{0,80} )?(?:has )?fail|"
    r"(?:has been|was|is) (?:returned|rejected|bounced|undeliver)|did not reach|not delivered|failed to deliver|"
    r"could not deliver|non remis|n'a pas (?:pu|été)|pas pu [eê]tre|nicht (?:zugestellt|ausgeliefert|erreich)|"
    r"no se (?:puede|pudo|ha podido)|no pudo ser entregad|non è stato possibile|não pôde ser|nie mo(?:gła|"
    r"że) (?:zostać|być)|не (?:может|удалось|было) (?:быть )?доставл|не удалось доставить|"
    r"送信できません|配信できません|届けることができません|送れません|无法|無法|投递|배달되지|전송하지 못|"
    r"보낼 수 없|반송",
    re.IGNORECASE,
)
_OF_WORDS: Final = frozenset(Reason) - {Reason.UNDEFINED, Reason.POLICY, Reason.SYSTEM}
_PERMANENT: Final = LASTING - {Reason.UNDEFINED}
_DELAYED: Final = re.compile(
    r"\bwarning\b|\bdelay|still (?:being )?(?:try|retr)|will (?:be |keep |continue to )(?:try|re|attempt)|"
    r"attempts (?:to deliver )?will continue|do not need to resend|verzögert|"
    r"no action is required|отложен|задерж|遅延|retardad|retardé|지연",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(
    r"permanent|gave up|given up|giving up|failed permanently|fatal error|returned to sender|has been returned",
    re.IGNORECASE,
)


def is_bounce(letter: Letter, *, answered: bool) -> bool:
    """Tell a bounce by who wrote it, what it is called and what it says; two of them must agree."""
    headers = letter.headers
    if "x-failed-recipients" in headers:
        return True
    if answered and subject_says_so(letter):
        return False
    text, original = spoken(letter)
    sender = headers.text("from") or headers.text("return-path")
    by_machine = (
        bool(_SENDER.search(sender) or is_machine(next(addresses(sender), "")))
        or headers.text("return-path").strip() == "<>"
    )
    called_so = bool(_SUBJECT.search(headers.text("subject"))) or letter.is_report
    said_so = (
        bool(_FAILED.search(text)) or reason_in(text) in _OF_WORDS or reason_in(headers.text("subject")) in _OF_WORDS
    )
    if answered and sender.strip() != "<>" and not (by_machine and (called_so or _FAILED.search(text))):
        return False
    return (
        bool(_DAEMON.search(sender) or sender.strip() == "<>")
        or by_machine + called_so + (said_so or bool(letter.returned or original)) >= 2
    )


def is_delayed(letter: Letter) -> bool:
    """Tell a warning, while the server still tries, from the end of its attempts."""
    subject = letter.headers.text("subject")
    text, _ = spoken(letter)
    said = f"{subject}\n{text}"
    return bool(_DELAYED.search(said)) and not (_FINAL.search(said) or reason_in(text) in _PERMANENT)
