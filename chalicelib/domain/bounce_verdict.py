# ruff: noqa: E501 (a sentence is read as a whole)
"""From what a bounce quotes of the receiving server to our reason, and whether the address is to be left alone.

The codes mean what they mean in a dialogue (``smtp_replies``). Two things differ: the server that refused is not
the line's, so nothing is tried again by itself; and the words of a bounce are read where it gives no code.
"""

import re
from dataclasses import dataclass, replace

from chalicelib.domain.delivery import Reason, Stage
from chalicelib.domain.delivery_event import BounceType
from chalicelib.domain.reply_words import own_words
from chalicelib.domain.smtp_advice import ADVICE
from chalicelib.domain.smtp_replies import printable, refusal

_PERMANENT, _TRANSIENT = 5, 4
_REPLY = re.compile(r"(?<![\w.])([45]\d\d)(?![\w.])", re.ASCII)
_ENHANCED = re.compile(r"(?<![\w.])([45]\.\d{1,3}\.\d{1,3})(?![\w.]*\w)", re.ASCII)
_CONTINUED = re.compile(r"(?<=\s)([45]\d\d)[- ](?:[45]\.\d{1,3}\.\d{1,3}[ -]+)?", re.ASCII)
_VAGUE = re.compile(r"[45]\.(?:0\.0|[35]\.0|7\.0|1\.0)")
SEARCHED = 4_000  # characters

# Reasons that say the same of a receiving server as of the line's own.
_OF_RECEIVERS = frozenset(
    {
        *("mailbox_unknown", "mailbox_disabled", "mailbox_full", "address_invalid", "domain_unknown"),
        *("domain_accepts_no_mail", "recipient_refused", "message_too_large", "content_refused"),
        *("message_refused", "smtputf8_not_supported"),
    }
)
_OF_SENDERS = frozenset({"sender_blocked", "domain_not_authenticated"})
_NO_SUCH_ADDRESS = frozenset(
    {"mailbox_unknown", "mailbox_disabled", "address_invalid", "domain_unknown", "domain_accepts_no_mail"}
)

_SENTENCES = {
    "bounced": "The message came back; the text below says why.",
    "delivery_given_up": "The message could not be delivered for a long time and was given up; write again later.",
    "delivery_delayed": "The message has not arrived yet; the server keeps trying.",
    "sender_refused_there": "The receiving server does not take mail from this sender; the text below says why.",
    "complained": "The recipient marked the message as unwanted; the address is not written to again.",
}

# What servers say without a code that tells it, and the code that would; the first that fits decides.
_WORDS = tuple(
    (re.compile(words, re.IGNORECASE), enhanced)
    for words, enhanced in (
        (
            r"mailbox.{0,30}\b(full|quota)|\bover ?quota|quota exceeded|exceeded.{0,40}\bquota|storage limit",
            "5.2.2",
        ),
        (r"переполнен|превышен.{0,20}квот|postfach.{0,20}voll|buzón.{0,20}lleno", "5.2.2"),
        (
            r"account.{0,30}(disabled|suspended|inactive|deactivated)|mailbox.{0,20}(disabled|inactive)",
            "5.2.1",
        ),
        (r"no mailbox here by that name|no such (user|recipient|mailbox|account|person|address)", "5.1.1"),
        (r"recipientnotfound|not found by smtp address lookup|not listed in .{0,30}directory", "5.1.1"),
        (
            r"(user|recipient|mailbox|account|addressee|address)\b.{0,60}\b(unknown|not found|does(n.t| not) exist)",
            "5.1.1",
        ),
        (
            r"unknown (user|recipient|account|local.part)|invalid (mailbox|recipient|user)|user doesn.t have",
            "5.1.1",
        ),
        (
            r"does(n.t| not) have an? .{0,40}account|e-mail account does not exist|no longer (here|valid|works)",
            "5.1.1",
        ),
        (r"пользователь не (найден|существует)|адрес.{0,30}не существует|utilisateur inconnu", "5.1.1"),
        (r"empfänger.{0,30}(unbekannt|existiert nicht)|usuario desconocido|utente sconosciuto", "5.1.1"),
        (
            r"host (or domain name )?(name )?not found|unrouteable (mail )?(domain|address)|no such (host|domain)",
            "5.1.2",
        ),
        (r"domain.{0,40}(not found|does(n.t| not) exist|unknown)|can.t find any host named", "5.1.2"),
        (
            r"retry time(out)? (not reached|exceeded)|(conversation|connection|operation).{0,30}timed? ?out",
            "4.4.7",
        ),
        (r"(delivery|queue) time.{0,20}expired|message expired|too long in (the )?queue", "4.4.7"),
        (r"wasn.t able to establish an smtp connection|connection refused|unreachable", "4.4.1"),
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why, whether another try could work (None for what is no bounce), and whether the address is no good."""

    reason: Reason
    bounce_type: BounceType | None = None
    suppress: bool = False


def failed(status: str | None, text: str, recipient: str | None = None) -> Verdict:
    """A message that was given up: ``status`` is the report's enhanced code, ``text`` what the server said.

    What the text quotes, such as the ``recipient``, is neither a code nor a word of it.
    """
    code, enhanced, said = _evidence(status, text, recipient)
    if enhanced is None and code is None:
        return Verdict(_reason("bounced", None, None, said), BounceType.UNDETERMINED)
    digit = int((enhanced or str(code))[0])
    basic = code if code is not None and code // 100 == digit else digit * 100 + 50
    name = refusal(Stage.DOT, basic, enhanced, said, recipient or "").reason.code
    final = digit == _PERMANENT
    if final and name in _NO_SUCH_ADDRESS:
        return Verdict(_reason(name, code, enhanced, said), BounceType.PERMANENT, suppress=True)
    if name in _OF_SENDERS:
        return Verdict(_reason("sender_refused_there", code, enhanced, said), BounceType.TRANSIENT)
    if name in {"mailbox_full", "message_too_large", "content_refused"}:
        return Verdict(_reason(name, code, enhanced, said), BounceType.TRANSIENT)
    if not final:
        return Verdict(_reason("delivery_given_up", code, enhanced, said), BounceType.TRANSIENT)
    kept = name if name in _OF_RECEIVERS else "bounced"
    return Verdict(_reason(kept, code, enhanced, said), BounceType.PERMANENT)


def delayed(status: str | None, text: str, recipient: str | None = None) -> Verdict:
    """A message that is still being tried."""
    code, enhanced, said = _evidence(status, text, recipient)
    return Verdict(_reason("delivery_delayed", code, enhanced, said))


def complaint(feedback_type: str) -> Verdict:
    """A recipient who called the message unwanted."""
    return Verdict(_reason("complained", None, None, feedback_type), suppress=True)


def _evidence(status: str | None, text: str, recipient: str | None) -> tuple[int | None, str | None, str]:
    """Basic code, enhanced code, and the text; of two enhanced codes the one that says more."""
    text = text[:SEARCHED]
    own = own_words(text, recipient or "")
    reply, quoted = _REPLY.search(own), _ENHANCED.search(own)
    code, enhanced = (int(reply[1]) if reply else None), status
    if quoted and (enhanced is None or _VAGUE.fullmatch(enhanced)):
        enhanced = quoted[1]
    words = next((meant for pattern, meant in _WORDS if pattern.search(own)), None)
    if words and (enhanced is None or _VAGUE.fullmatch(enhanced) or enhanced in {"5.1.10", "5.4.1"}):
        enhanced = _as_grave(words, enhanced, code)
    if enhanced and not enhanced.startswith(("4", "5")):
        enhanced = None
    return code, enhanced, printable(_without_repeats(text, reply))


def _without_repeats(text: str, reply: re.Match[str] | None) -> str:
    """Without the codes that begin each further line of a reply."""
    if reply is None:
        return text
    return text[: reply.end()] + _CONTINUED.sub(
        lambda found: "" if found[1] == reply[1] else found[0], text[reply.end() :]
    )


def _as_grave(words: str, enhanced: str | None, code: int | None) -> str:
    """What the words mean, with the class that a code gave: a server knows best whether it is for good."""
    given = enhanced[0] if enhanced else str(code)[0] if code else words[0]
    return given + words[1:]


def _reason(code: str, reply_code: int | None, enhanced: str | None, text: str) -> Reason:
    sentence = _SENTENCES.get(code) or ADVICE[code]
    return replace(Reason(code, sentence, None, reply_code, enhanced), reply_text=text or None)
