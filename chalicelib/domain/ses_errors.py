"""From what SES answered to SendEmail to what becomes of the message. Total: any answer has an outcome.

The call has no idempotency token. Only a clear no, an error that SES names, says that the message was not
taken; what a load balancer says in its stead (a bare 500, 503 or page of HTML) says nothing. A name that is
not listed here is mostly trouble of the whole account: it lets the line wait and burns no contact.
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from chalicelib.domain.advised_reason import advised
from chalicelib.domain.delivery import Refused, Scope, TryLater, Unknown
from chalicelib.domain.reply_words import own_words
from chalicelib.domain.ses_advice import ADVICE
from chalicelib.domain.smtp_replies import READ_LIMIT

QUOTA_WAIT = timedelta(hours=1)  # the quota is that of the last 24 hours: some of it comes back all the time

CONTACT, CONTENT, LINE, RATE = Scope.CONTACT, Scope.CONTENT, Scope.LINE, Scope.RATE


@dataclass(frozen=True, slots=True)
class Rule:
    """Fits an error by its code, and by its own words where a row has them. ``passing``: worth a retry."""

    reason: str
    scope: Scope
    codes: Collection[str]
    words: str = ""
    passing: bool = False
    after: timedelta | None = None

    def fits(self, code: str, words: str) -> bool:
        """Whether this row speaks of the error."""
        return code in self.codes and re.search(self.words, words, re.IGNORECASE) is not None


_THROTTLED = {
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_REJECTED = {"MessageRejected", "MessageRejectedException"}
_BAD = {"BadRequestException", "ValidationException", "InvalidParameterValue"}
_LATE = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed"}
_DENIED = _LATE | {
    "AccessDenied",
    "AccessDeniedException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}

RULES: tuple[Rule, ...] = (
    Rule("sending_quota_used_up", LINE, _THROTTLED, r"\bdaily\b|\bquota\b", passing=True, after=QUOTA_WAIT),
    Rule("sending_quota_used_up", LINE, {"LimitExceededException"}, passing=True, after=QUOTA_WAIT),
    Rule("sending_too_fast", RATE, _THROTTLED, passing=True),
    Rule("ses_paused", LINE, {"SendingPausedException", "AccountSendingPausedException"}),
    Rule("ses_line_paused", LINE, {"ConfigurationSetSendingPausedException"}),
    Rule("ses_suspended", LINE, {"AccountSuspendedException"}),
    Rule("mail_from_not_verified", LINE, {"MailFromDomainNotVerifiedException"}),
    Rule("ses_misconfigured", LINE, {"NotFoundException", "ConfigurationSetDoesNotExistException"}),
    Rule("ses_not_allowed", LINE, _LATE, passing=True),  # credentials are renewed, and a clock is set
    Rule("ses_not_allowed", LINE, _DENIED, r"\bsignature (expired|not yet current)", passing=True),
    Rule("ses_not_allowed", LINE, _DENIED),
    Rule("ses_line_paused", LINE, _REJECTED | _BAD, r"\b(sending|tenant)\b.{0,60}\b(paused|disabled)\b"),
    Rule(
        "message_too_large",
        CONTENT,
        _REJECTED | _BAD,
        r"\b(length|size|large)\b.{0,60}\b(exceed|limit|max)|too large",
    ),
    Rule("content_refused", CONTENT, _REJECTED),
    Rule("smtputf8_not_supported", CONTACT, _BAD, r"non-ascii|local part"),
    Rule("ses_misconfigured", LINE, _BAD, r"\bconfiguration set\b|\btenant\b"),
    Rule("message_refused", CONTACT, _BAD),
)

_NOT_VERIFIED = re.compile(r"not verified", re.IGNORECASE)
_CLIENT_ERRORS = frozenset(range(400, 500)) - {408}  # a time-out is no answer
_TOO_MANY = 429


def classify(code: str, status: int, text: str, recipient: str) -> TryLater | Refused | Unknown:
    """The outcome of an error answer. ``status`` is HTTP's, ``code`` the error's name, ``recipient`` the bare
    address that SES was told.

    In SES's sandbox the identities that "failed the check" may be the recipient's and not ours.
    """
    said = f"{code}: {text}" if text else code
    if code in _REJECTED and _NOT_VERIFIED.search(text):
        if _names(text.lower().partition("failed the check")[2], recipient):
            return Refused(reason("recipient_not_verified", said), Scope.CONTACT)
        return Refused(reason("from_not_verified", said), Scope.LINE)
    words = own_words(text[:READ_LIMIT], recipient)
    for rule in RULES:
        if rule.fits(code, words):
            why = reason(rule.reason, said)
            return TryLater(why, rule.scope, rule.after) if rule.passing else Refused(why, rule.scope)
    if status in _CLIENT_ERRORS and code.isidentifier():
        return _unlisted(status, text, recipient, said)
    return unknown(said)


def _unlisted(status: int, text: str, recipient: str, said: str) -> TryLater:
    """A clear no under a name that nobody has met yet."""
    if status == _TOO_MANY:
        return TryLater(reason("sending_too_fast", said), RATE)
    return TryLater(reason("message_put_off", said), CONTACT if _names(text, recipient) else LINE)


def _names(text: str, recipient: str) -> bool:
    """Whether the address stands in the text, and not only within a longer one."""
    return re.search(rf"(?<![\w.+-]){re.escape(recipient)}(?![\w.-]*\w)", text, re.IGNORECASE) is not None


def identity_trouble(code: str, status: int, text: str) -> TryLater | Refused:
    """The same for the calls that manage identities: they change no message, so nothing is ever in doubt."""
    said = f"{code}: {text}" if text else code
    if code in _DENIED:
        return TryLater(reason("ses_not_allowed", said), LINE)
    if code == "LimitExceededException":
        return Refused(reason("ses_limit_reached", said), LINE)
    if code in _BAD:
        return Refused(reason("identity_refused", said), LINE)
    if code == "NotFoundException":
        return TryLater(reason("ses_misconfigured", said), LINE)
    if code in _THROTTLED or status in _CLIENT_ERRORS:  # or somebody else is changing it right now
        return TryLater(reason("ses_busy", said), RATE)
    return TryLater(reason("ses_unreachable", said), LINE)


def unknown(said: str = "") -> Unknown:
    """Nobody can know whether SES took the message."""
    return Unknown(reason("outcome_unknown", said))


reason = partial(advised, ADVICE)
