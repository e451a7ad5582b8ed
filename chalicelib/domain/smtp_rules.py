"""What replies of SMTP servers mean, row by row; the first row that fits decides.

Sources: RFC 5321 (4.2), RFC 3463 and the IANA registry of enhanced status codes, RFC 4954 (6), RFC 7505,
and what large providers are known to say. A row names the scope; whether it is final follows from the
reply's own class, unless the row is ``passing``.
"""

import re
from dataclasses import dataclass

from chalicelib.domain.delivery import Scope, Stage
from chalicelib.domain.reply_words import BLANK

CONTACT, CONTENT, LINE, RATE = Scope.CONTACT, Scope.CONTENT, Scope.LINE, Scope.RATE

EVERYWHERE = frozenset(Stage)
ADDRESSED = frozenset({Stage.RCPT, Stage.DATA, Stage.DOT})
TRANSACTION = ADDRESSED | {Stage.MAIL}
HANDED = frozenset({Stage.DATA, Stage.DOT})
LOGIN = frozenset({Stage.AUTH})
BEFORE_DOT = EVERYWHERE - {Stage.DOT}

# The reason of a dialogue that broke off before the final dot: closed, reset, or silent for too long.
CONNECTION_LOST = "connection_lost"


@dataclass(frozen=True, slots=True)
class Rule:
    """Fits when the stage and the code do, and the enhanced code *or* the words do (where a row has them).

    ``enhanced`` and ``words`` are regular expressions, the former for the whole ``class.subject.detail``, the
    latter for the server's own words (`reply_words`). ``passing``: worth a retry even at a 5xx.
    """

    reason: str
    scope: Scope
    stages: frozenset[Stage] = EVERYWHERE
    codes: frozenset[int] = frozenset()
    enhanced: str = ""
    words: str = ""
    passing: bool = False

    def fits(self, stage: Stage, code: int, enhanced: str | None, words: str) -> bool:
        """Whether this row speaks of the reply."""
        if stage not in self.stages or (self.codes and code not in self.codes):
            return False
        return not (self.enhanced or self.words) or self._signs(enhanced, words)

    def _signs(self, enhanced: str | None, words: str) -> bool:
        if self.enhanced and enhanced and re.fullmatch(self.enhanced, enhanced):
            return True
        return bool(self.words) and re.search(self.words, words, re.IGNORECASE) is not None


# No such mailbox or domain, not an address, null MX; switched off, full (RFC 3463, 3.2 and 3.3; RFC 7505).
# Not X.1.0: servers say it of senders, too.
_OF_THE_RECIPIENT = re.compile(r"[45]\.(?:1\.(?:[1236]|10)|2\.[12])")


def names_the_recipient(stage: Stage, enhanced: str | None) -> bool:
    """Whether the enhanced code says by itself that this recipient is the trouble."""
    return stage in ADDRESSED and enhanced is not None and bool(_OF_THE_RECIPIENT.fullmatch(enhanced))


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


RULES: tuple[Rule, ...] = (
    # Limits of size, pace and quota: their words overlap, so the narrower come first.
    Rule("smtputf8_not_supported", CONTACT, TRANSACTION, enhanced=r".\.6\.7"),
    Rule(
        "mailbox_full",
        CONTACT,
        ADDRESSED,
        enhanced=r".\.2\.2",
        words=r"\b(mailbox|recipient)\b.{0,40}\b(full|quota|storage|size)\b|\bover ?quota\b",
    ),
    Rule(
        "message_too_large",
        CONTENT,
        TRANSACTION,
        enhanced=r".\.(3\.4|2\.3)",
        words=r"\b(message|mail|content)\b.{0,20}\btoo (large|big)|\bsize\b.{0,30}(limit|exceed|maximum)"
        r"|exceed.{0,40}\bsize",
    ),
    Rule("message_too_large", CONTENT, frozenset({Stage.MAIL}), _codes(552)),
    Rule(
        "sending_too_fast",
        RATE,
        enhanced=r"4\.7\.[56]\d\d|[45]\.7\.28",
        words=r"\b(sending|submission|message) rate\b|\brate limit"
        r"|concurrent connections|too many (connections|messages)",
        passing=True,
    ),
    Rule(
        "sending_quota_used_up",
        LINE,
        enhanced=r"5\.4\.5",
        words=r"\b(daily|hourly|sending|outbound)\b.{0,40}\b(quota|limit)\b|\blimit exceeded\b",
        passing=True,
    ),
    # Policy on who sends: no contact is to blame.
    Rule(
        "domain_not_authenticated",
        LINE,
        TRANSACTION,
        enhanced=r".\.7\.2[0-7]",
        words=r"\b(spf|dkim|dmarc)\b",
    ),
    Rule("greylisted", CONTACT, ADDRESSED, words=r"gr[ea]y-? ?list", passing=True),
    Rule("server_busy", RATE, codes=_codes(421), passing=True),
    Rule("server_busy", RATE, codes=_codes(432), enhanced=r"4\.3\.2", passing=True),
    Rule("server_busy", RATE, enhanced=r"4\.3\.1|4\.5\.3", passing=True),
    Rule("server_busy", RATE, BEFORE_DOT - LOGIN, _codes(452), passing=True),
    Rule("relay_denied", LINE, ADDRESSED, words=r"\brelay(ing)?\b"),
    Rule(
        "from_not_allowed",
        LINE,
        TRANSACTION,
        enhanced=r"5\.7\.60|.\.1\.[78]",
        words=r"\bnot owned\b|\bsend ?as\b|sender address rejected|address is not verified"
        r"|\bsender\b.{0,40}\bnot (allowed|authori[sz]ed|permitted)"
        r"|not (allowed|authori[sz]ed|permitted) to send (as|from)",
    ),
    Rule(
        "sender_blocked",
        LINE,
        enhanced=r"5\.7\.7\d\d",
        words=r"\b(block|black|deny)-?list|\bblocked using\b|client host.{0,80}\b(blocked|rejected)\b"
        rf"|(?<!not )\blisted (at|by|in|on) {BLANK}",  # a list that is named by its host
    ),
    # Encryption and sign-in
    Rule("encryption_required", LINE, codes=_codes(530), words=r"\b(starttls|tls|ssl)\b"),
    Rule("encryption_required", LINE, LOGIN, _codes(530, 538)),
    Rule("login_required", LINE, codes=_codes(530)),
    Rule(
        "app_password_needed",
        LINE,
        LOGIN,
        enhanced=r"5\.7\.9",
        words=r"\bapp(lication)?[- ]?(specific )?password",
    ),
    Rule("app_password_needed", LINE, LOGIN, _codes(534)),
    Rule("credentials_rejected", LINE, LOGIN, _codes(535)),
    # Our commands, or a server that isn't one for submission. 501 is syntax: of the From, of the address.
    Rule("out_of_step", LINE, BEFORE_DOT - LOGIN, _codes(455, 500, 502, 503, 504, 555)),
    # The recipient
    Rule("greylisted", CONTACT, frozenset({Stage.RCPT}), _codes(450), r"4\.(2\.0|7\.1)"),
    Rule("address_invalid", CONTACT, ADDRESSED, enhanced=r".\.1\.3"),
    Rule("address_invalid", CONTACT, frozenset({Stage.RCPT}), _codes(501)),
    Rule("domain_accepts_no_mail", CONTACT, ADDRESSED, enhanced=r".\.1\.10"),
    Rule("domain_accepts_no_mail", CONTACT, ADDRESSED, _codes(521, 556)),
    Rule("mailbox_disabled", CONTACT, ADDRESSED, enhanced=r".\.2\.1"),
    Rule("domain_unknown", CONTACT, ADDRESSED, enhanced=r"5\.(1\.2|4\.[14])"),
    Rule(
        "mailbox_unknown",
        CONTACT,
        ADDRESSED,
        enhanced=r".\.1\.[016]",
        words=r"\b(user|recipient|mailbox|account)\b.{0,60}\b(unknown|not found|does(n.t| not) exist)"
        r"|\bunknown (user|recipient)\b|\bno such (user|recipient|mailbox|account)\b",
    ),
    Rule("mailbox_unknown", CONTACT, ADDRESSED, _codes(551)),
    Rule("mailbox_full", CONTACT, ADDRESSED, _codes(552)),
    # The content
    Rule(
        "content_refused",
        CONTENT,
        HANDED,
        enhanced=r".\.6\.\d+|5\.7\.1",
        words=r"\b(spam|virus|malware|phish\w*|line too long)\b",
    ),
)


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a reply means when no row fits, and what silence means, by stage."""

    scope: Scope
    put_off: str
    refused: str
    silence: str = CONNECTION_LOST


FALLBACKS: dict[Stage, Fallback] = {
    Stage.RESOLVE: Fallback(LINE, "host_not_found", "host_not_found", "host_not_found"),
    Stage.CONNECT: Fallback(LINE, "connect_failed", "connect_failed", "connect_failed"),
    Stage.BANNER: Fallback(LINE, "server_busy", "server_refuses_us", "no_greeting"),
    Stage.EHLO: Fallback(LINE, "server_busy", "server_refuses_us"),
    Stage.TLS: Fallback(LINE, "tls_put_off", "tls_refused", "tls_not_answered"),
    Stage.AUTH: Fallback(LINE, "login_put_off", "login_refused"),
    Stage.MAIL: Fallback(LINE, "sender_put_off", "sender_refused"),
    Stage.RCPT: Fallback(CONTACT, "recipient_put_off", "recipient_refused"),
    Stage.DATA: Fallback(CONTACT, "message_put_off", "message_refused"),
    Stage.DOT: Fallback(CONTACT, "message_put_off", "message_refused", "outcome_unknown"),
}
