# ruff: noqa: E501 (a sentence is read as a whole)
"""What SES calls a bounce, as a kind, a reason for a person, and whether the address is to blame. Total.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types
"""

import re
from dataclasses import dataclass, replace

from chalicelib.domain.delivery import Reason, Refused, Stage
from chalicelib.domain.delivery_event import BounceType
from chalicelib.domain.smtp_advice import ADVICE
from chalicelib.domain.smtp_replies import printable, refusal

ON_ACCOUNT_LIST = "OnAccountSuppressionList"

_SENTENCES = {
    "bounced": "The message came back; what the server said is below.",
    "ses_suppressed": "Amazon SES didn't try to deliver it: mail to this address has bounced lately, for us or for others.",
    "ses_unsubscribed": "Amazon SES didn't try to deliver it: the recipient has unsubscribed there.",
    "attachment_refused": "The server refused the message for an attachment; send the file as a link or in another format.",
    "not_delivered_in_time": "The receiving server didn't take the message for so long that Amazon SES gave up.",
    "mailbox_unknown": ADVICE["mailbox_unknown"],
    "mailbox_full": ADVICE["mailbox_full"],
    "message_too_large": ADVICE["message_too_large"],
    "content_refused": ADVICE["content_refused"],
}
_CODES = {
    "NoEmail": "mailbox_unknown",
    "Suppressed": "ses_suppressed",
    ON_ACCOUNT_LIST: "ses_suppressed",
    "UnsubscribedRecipient": "ses_unsubscribed",
    "MailboxFull": "mailbox_full",
    "MessageTooLarge": "message_too_large",
    "ContentRejected": "content_refused",
    "AttachmentRejected": "attachment_refused",
    "CustomTimeoutExceeded": "not_delivered_in_time",
}
_REPLY = re.compile(r"(?:smtp;\s*)?([245]\d\d)[ -](.*)", re.IGNORECASE | re.DOTALL)
# The address itself is at fault. Not: the account's list of SES, which all customers of the service share and
# another one's mail may have filled, nor what SES's own contact lists say.
_BLAMED = frozenset({"General", "NoEmail", "Suppressed"})


@dataclass(frozen=True, slots=True)
class SesBounce:
    """A bounce in our words. ``suppress``: the address must not be written to again."""

    kind: BounceType
    reason: Reason
    suppress: bool


def bounce(
    bounce_type: str, subtype: str, status: str | None, diagnostic: str | None, recipient: str | None = None
) -> SesBounce:
    """Understand a bounce; a type that SES may add later is one that nobody can tell."""
    kind = {"Permanent": BounceType.PERMANENT, "Transient": BounceType.TRANSIENT}.get(
        bounce_type, BounceType.UNDETERMINED
    )
    refused_by_policy = status is not None and status.startswith("5.7.")
    suppress = kind is BounceType.PERMANENT and subtype in _BLAMED and not refused_by_policy
    return SesBounce(
        kind, _reason(kind, _CODES.get(subtype), _said(status, diagnostic), recipient or ""), suppress
    )


def on_account_list() -> SesBounce:
    """What SES reports as a complaint though it never tried to deliver the message."""
    return bounce("Permanent", ON_ACCOUNT_LIST, None, None)


def delay(delay_type: str, status: str | None, diagnostic: str | None) -> Reason:
    """Why SES has to try again."""
    text = f"The receiving server doesn't take the message yet ({printable(delay_type)[:60]}); Amazon SES tries again by itself."
    said = _said(status, diagnostic)
    return replace(said, code="delivery_delayed", text=text)


def _reason(kind: BounceType, code: str | None, said: Reason, recipient: str) -> Reason:
    if code is not None:
        return replace(said, code=code, text=_SENTENCES[code])
    if kind is BounceType.PERMANENT and said.reply_code is not None:
        understood = refusal(Stage.RCPT, said.reply_code, said.enhanced, said.reply_text or "", recipient)
        if isinstance(understood, Refused):
            return replace(said, code=understood.reason.code, text=understood.reason.text)
    return said


def _said(status: str | None, diagnostic: str | None) -> Reason:
    """What the receiving server said, under a reason that says only that."""
    reply = _REPLY.match(diagnostic or "")
    words = printable(reply[2] if reply else diagnostic or "")[:500]
    return Reason(
        "bounced",
        _SENTENCES["bounced"],
        reply_code=int(reply[1]) if reply else None,
        enhanced=printable(status)[:20] if status else None,
        reply_text=words or None,
    )
