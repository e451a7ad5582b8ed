"""From what SES answered to SendEmail to what becomes of the message. Total: any answer has an outcome.

The call has no idempotency token. Only a clear no, an error that SES names, says that the message was not
taken; what a load balancer says in its stead (a bare 500, 503 or page of HTML) says nothing.
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.delivery import Reason, Refused, Scope, TryLater, Unknown
from chalicelib.domain.ses_advice import ADVICE
from chalicelib.domain.smtp_replies import printable

QUOTA_WAIT = timedelta(hours=1)  # the quota is that of the last 24 hours: some of it comes back all the time

CONTACT, CONTENT, LINE, RATE = Scope.CONTACT, Scope.CONTENT, Scope.LINE, Scope.RATE


@dataclass(frozen=True, slots=True)
class Rule:
    """Fits an error by its code, and by its words where a row has them. ``passing``: worth a retry."""

    reason: str
    scope: Scope
    codes: Collection[str]
    words: str = ""
    passing: bool = False
    after: timedelta | None = None

    def fits(self, code: str, text: str) -> bool:
        """Whether this row speaks of the error."""
        return code in self.codes and re.search(self.words, text, re.IGNORECASE) is not None


_THROTTLED = {"TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException"}
_REJECTED = {"MessageRejected", "MessageRejectedException"}
_BAD = {"BadRequestException", "ValidationException", "InvalidParameterValue"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
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


def classify(code: str, status: int, text: str, recipient: str) -> TryLater | Refused | Unknown:
    """The outcome of an error answer. ``status`` is HTTP's, ``code`` the error's name, ``recipient`` bare.

    In SES's sandbox the identities that "failed the check" may be the recipient's and not ours.
    """
    said = f"{code}: {text}" if text else code
    if code in _REJECTED and _NOT_VERIFIED.search(text):
        if recipient.lower() in text.lower().partition("failed the check")[2]:
            return Refused(reason("recipient_not_verified", said), Scope.CONTACT)
        return Refused(reason("from_not_verified", said), Scope.LINE)
    for rule in RULES:
        if rule.fits(code, text):
            why = reason(rule.reason, said)
            return TryLater(why, rule.scope, rule.after) if rule.passing else Refused(why, rule.scope)
    if status in _CLIENT_ERRORS and code.isidentifier():
        return Refused(reason("message_refused", said), Scope.CONTACT)
    return unknown(said)


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


def reason(code: str, said: str = "") -> Reason:
    """Our reason ``code`` with its sentence, and what SES said, made safe to show."""
    return Reason(code, ADVICE[code], reply_text=printable(said) or None)
