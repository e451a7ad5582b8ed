"""Composed: what the messages of one line share, made once and finished for each person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.delivery import LongMessage, Message, Reason, SharedEnd, time_to_carry
from chalicelib.domain.dkim import DkimKey, signed
from chalicelib.domain.email import CompiledMessage
from chalicelib.domain.line import Line, SmtpChannel
from chalicelib.domain.mail_providers import replaced_by
from chalicelib.domain.sending_domain import domain_of
from chalicelib.flow.attached_files import AttachedFiles
from chalicelib.ports import DkimSigner

ADDRESSING = timedelta(seconds=45)  # what may pass between the claim and the last look
HAND_OVER = timedelta(seconds=150)  # what a hand-over may take: less time than this is not enough to begin
PART_MISSING = Reason(
    "part_missing", "The content, or a file of it, can't be found. Save the content again, with its files."
)


@dataclass(frozen=True, slots=True)
class Composed:
    """What is the same for all recipients: the message, the files at its end, and what it is signed with.

    ``unsigned`` are header fields that the line's server writes anew.
    """

    message: CompiledMessage
    end: SharedEnd | None = None
    key: DkimKey | None = None
    unsigned: frozenset[str] = frozenset()

    def finish(self, own: bytes, at: datetime) -> Message:
        """The message for one person with its end and its signature."""
        message = own if self.end is None else LongMessage(own, self.end)
        return message if self.key is None else signed(message, self.key, at, self.unsigned)

    @property
    def hand_over(self) -> timedelta:
        """What the hand-over of one may take: less time than this is not enough to begin."""
        return HAND_OVER + time_to_carry(len(self.end) if self.end else 0)


def complete(
    account_id: str,
    campaign_id: str,
    message: CompiledMessage,
    line: Line,
    attached: AttachedFiles,
    signer: DkimSigner | None,
) -> Composed:
    """Add the files at hand and, for SMTP, the key of the line's domain; SES signs by itself.

    Raises NotFound when a file is gone (see PART_MISSING), and SecretUnreadable.
    """
    end = attached.end(account_id, campaign_id, message.end) if message.end else None
    if signer is None or not isinstance(line.channel, SmtpChannel):
        return Composed(message, end)
    key = signer.key(account_id, domain_of(line.from_address))
    return Composed(message, end, key, replaced_by(line.channel.host))
