"""From what an SMTP server said, and when, to what becomes of the message. Total: any bytes have an answer.

Three questions in this order. *When*: before the final dot nothing was accepted, so silence is worth a
retry; after it, silence is a doubt that no retry may resolve. *What class*: 4xx waits, 5xx ends; where the
enhanced code (RFC 3463) contradicts the basic one, the milder wins. *Whom it concerns*: the rules say, which
read the server's own words and never what it quotes.
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from chalicelib.domain.delivery import Accepted, Reason, Refused, Scope, Stage, TryLater, Unknown
from chalicelib.domain.reply_words import own_words
from chalicelib.domain.smtp_advice import ADVICE
from chalicelib.domain.smtp_rules import FALLBACKS, RULES, Rule, names_the_recipient

TEXT_LIMIT = 500  # characters of a reply that are kept
READ_LIMIT = 4_000  # characters of it that are read
LONGEST_WAIT = timedelta(hours=1)  # a server may wish for more; a campaign has an end date

_POSITIVE, _TRANSIENT, _PERMANENT = 2, 4, 5  # RFC 5321, 4.2.1: the first digit
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")
_WAIT = re.compile(
    r"(?<!per )(?<!last )(?<!past )(?<!every )(?<![\d.:])(\d{1,6}) ?"
    r"(?:(s|secs?|seconds?)|(m|mins?|minutes?)|(h|hrs?|hours?))\b",
    re.IGNORECASE | re.ASCII,
)
_QUEUE_IDS = (
    r"queued as <?([\w.-]+)",  # Postfix and its kin
    r"\bid=([\w.-]+)",  # Exim, OpenSMTPD
    r"^ok:? ([0-9a-f]{8}[0-9a-f-]{12,})$",  # Amazon SES
    r"^([\w.]+) message accepted for delivery",  # Sendmail
)


def classify(
    stage: Stage, code: int | None, enhanced: str | None, text: str, recipient: str = ""
) -> Accepted | TryLater | Refused | Unknown:
    """The outcome of a reply that was not (yet) what the stage hoped for, or of the final one.

    ``code`` is None when nothing readable came. ``enhanced`` and ``text`` come from `split_reply`.
    ``recipient`` is the bare address that the reply may quote, as far as it is known.
    """
    if stage is Stage.DOT:
        return _final(code, enhanced, text, recipient)
    return refusal(stage, code, enhanced, text, recipient)


def _final(
    code: int | None, enhanced: str | None, text: str, recipient: str
) -> Accepted | TryLater | Refused | Unknown:
    answer = None if code is None else code // 100
    if answer == _POSITIVE:
        said = printable(text)
        return Accepted(remote_id=_queue_id(said), reply_text=said or None)
    if answer in (_TRANSIENT, _PERMANENT):
        return refusal(Stage.DOT, code, enhanced, text, recipient)
    return Unknown(reason("outcome_unknown", Stage.DOT, code, enhanced, text))


def refusal(
    stage: Stage, code: int | None, enhanced: str | None, text: str, recipient: str = ""
) -> TryLater | Refused:
    """The same where an acceptance is out of the question: before the final dot, or at a clear no after it.

    Raises ValueError for anything else at the dot: that would call a doubt a failure.
    """
    if stage is Stage.DOT and (code is None or code // 100 not in (_TRANSIENT, _PERMANENT)):
        raise ValueError("after the final dot only a 4xx or 5xx reply is a refusal")
    enhanced = enhanced if enhanced and _ENHANCED.fullmatch(enhanced) else None
    if code is None:
        return TryLater(reason(FALLBACKS[stage].silence, stage), FALLBACKS[stage].scope)
    if code // 100 not in (_TRANSIENT, _PERMANENT):
        return unreadable(stage)
    words = printable(own_words(text[:READ_LIMIT], recipient))
    rule = _rule(stage, code, enhanced, words)
    why = reason(rule.reason, stage, code, enhanced, text)
    if _final_word(code, enhanced) and not rule.passing:
        return Refused(why, rule.scope)
    return TryLater(why, rule.scope, after=_wish(rule, words))


def unreadable(stage: Stage) -> TryLater:
    """The server said something, but it was no reply, or none that fits. Its text is never shown (SSRF)."""
    code = "not_an_smtp_server" if stage is Stage.BANNER else "unreadable_reply"
    return TryLater(reason(code, stage), FALLBACKS[stage].scope)


def reason(
    code: str, stage: Stage, reply_code: int | None = None, enhanced: str | None = None, text: str = ""
) -> Reason:
    """Our reason ``code`` with its sentence, and what the server said, made safe to show."""
    return Reason(code, ADVICE[code], stage, reply_code, enhanced, printable(text) or None)


def split_reply(lines: Iterable[str]) -> tuple[str | None, str]:
    """The enhanced code (RFC 2034: repeated on every line) and the text without it, on one line."""
    enhanced, texts = None, []
    for line in lines:
        found = _ENHANCED.match(line)
        enhanced = enhanced or (found[1] if found else None)
        texts.append(line[found.end() :] if found else line)
    return enhanced, " ".join(texts)


def printable(text: str) -> str:
    """At most 500 characters of it, white space made single blanks, everything that doesn't print removed."""
    kept = "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text)
    return " ".join(kept.split())[:TEXT_LIMIT]


def wait_hint(text: str) -> timedelta | None:
    """The time the server asks for ("in 300 seconds", "5 minutes"), at most one hour; None for none."""
    found = _WAIT.search(text)
    if found is None or int(found[1]) == 0:
        return None
    seconds = int(found[1]) * (1 if found[2] else 60 if found[3] else 3600)
    return min(timedelta(seconds=seconds), LONGEST_WAIT)


def _rule(stage: Stage, code: int, enhanced: str | None, words: str) -> Rule:
    # A code that names the recipient says more than any word: it speaks for no line and no content.
    of_others = "" if names_the_recipient(stage, enhanced) else words
    for rule in RULES:
        if rule.fits(stage, code, enhanced, words if rule.scope is Scope.CONTACT else of_others):
            return rule
    fallback = FALLBACKS[stage]
    return Rule(fallback.refused if _final_word(code, enhanced) else fallback.put_off, fallback.scope)


def _final_word(code: int, enhanced: str | None) -> bool:
    return code // 100 == _PERMANENT and (enhanced is None or enhanced.startswith("5"))


def _wish(rule: Rule, words: str) -> timedelta | None:
    # A quota lasts for hours: asking more often than the longest wait would only annoy.
    longest = LONGEST_WAIT if rule.reason == "sending_quota_used_up" and rule.scope is Scope.LINE else None
    return wait_hint(words) or longest


def _queue_id(text: str) -> str | None:
    for pattern in _QUEUE_IDS:
        if found := re.search(pattern, text, re.IGNORECASE | re.ASCII):
            return found[1].rstrip(".")
    return None
