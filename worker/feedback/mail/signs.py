"""How a bounce is known that is no report: by who writes it, what it is called, and what it says.

Decides whether a mail is a bounce, and whether it is the last word; whom it is about is `bounce_text`'s business. Pure.
"""

from __future__ import annotations

import re
from typing import Final

from worker.feedback.mail.auto_reply import subject_says_so
from worker.feedback.mail.bounce_text import names_somebody, spoken
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
    r"undeliver|non[- ]?deliver|error (?:sending|delivering)|not (?:be )?delivered|(?:mail|message|"
    r"e-?mail) (?:could )?not|returned (?:mail|"
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
_DAEMON: Final = re.compile(r"mailer[-_]?daemon|mail delivery (?:sub)?system|mail-?daemon@", re.IGNORECASE)
_FAILED: Final = re.compile(
    r"(?:could|can|was|were|is|been|be|has) ?(?:not|n't) (?:be |been )?(?:deliver|sent|reach|forward|process)|"
    r"undeliver|unable to (?:deliver|send)|deliver\w* (?:to .{0,80} )?(?:has )?fail|"
    r"(?:has been|was|is) (?:returned|rejected|bounced|undeliver)|did not reach|not delivered|failed to deliver|"
    r"(?:trouble|problems?|errors?) (?:sending|delivering|while|in delivering)|permanent (?:fatal )?errors?|"
    r"delivery (?:problems|errors)|could not deliver|non remis|n'a pas (?:pu|été)|pas pu [eê]tre|"
    r"nicht (?:zugestellt|ausgeliefert|erreich)|"
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
    """Tell a bounce by who wrote it, what it is called, what it says, and whether it names somebody or quotes us.

    The less a mail server shows itself, the more the rest must say: people write about mail that did not arrive, too.
    `answered`: it has the marks of an automatic answer, which many bounces have as well.
    """
    if "x-failed-recipients" in letter.headers:
        return True
    if answered and subject_says_so(letter):
        return False
    text, original = spoken(letter)
    failed = bool(_FAILED.search(text))
    says_so = failed or reason_in(text) in _OF_WORDS or reason_in(letter.headers.text("subject")) in _OF_WORDS
    called_so = bool(_SUBJECT.search(letter.headers.text("subject"))) or letter.is_report
    quotes_us = bool(letter.returned or original)
    if by_daemon(letter):
        return not answered or called_so or says_so
    if _by_machine(letter):
        return called_so or (failed if answered else says_so and (quotes_us or names_somebody(letter)))
    if called_so and is_from_nobody(letter):
        return failed or (not answered and (says_so or quotes_us))
    if answered or "in-reply-to" in letter.headers:
        return False
    return (called_so and says_so and names_somebody(letter)) or (is_from_nobody(letter) and failed and quotes_us)


def by_daemon(letter: Letter) -> bool:
    """Tell a mail that a mail server has signed with its own name."""
    sender = _sender(letter)
    return bool(_DAEMON.search(sender)) or sender == "<>"


def is_from_nobody(letter: Letter) -> bool:
    """Tell a mail without a return path: a machine has written it, and wants no answer (RFC 3834, RFC 5321)."""
    return letter.headers.text("return-path").strip() == "<>"


def _by_machine(letter: Letter) -> bool:
    return bool(_SENDER.search(_sender(letter)))


def _sender(letter: Letter) -> str:
    return (letter.headers.text("from") or letter.headers.text("return-path")).strip()


def is_delayed(letter: Letter) -> bool:
    """Tell a warning, while the server still tries, from the end of its attempts."""
    subject = letter.headers.text("subject")
    text, _ = spoken(letter)
    said = f"{subject}\n{text}"
    return bool(_DELAYED.search(said)) and not (_FINAL.search(said) or reason_in(text) in _PERMANENT)
