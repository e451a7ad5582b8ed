"""One sender for all lines: each channel has its own, made when the first line of its kind comes along."""

from collections.abc import Callable
from functools import cached_property

from chalicelib.domain.delivery import Connected, Envelope, Message, Outcome, Refused, TryLater
from chalicelib.domain.line import Line, SesChannel
from chalicelib.ports import EmailSender


class SenderByChannel:
    """Port ``EmailSender``, by the kind of the line's channel."""

    def __init__(self, smtp: Callable[[], EmailSender], ses: Callable[[], EmailSender]) -> None:
        self._make_smtp = smtp
        self._make_ses = ses

    @cached_property
    def _smtp(self) -> EmailSender:
        return self._make_smtp()

    @cached_property
    def _ses(self) -> EmailSender:
        return self._make_ses()

    def connect(self, line: Line, password: str) -> Connected | TryLater | Refused:
        """See the channel's sender."""
        return self._of(line).connect(line, password)

    def deliver(
        self, line: Line, envelope: Envelope, message: Message, go_ahead: Callable[[], bool]
    ) -> Outcome:
        """See the channel's sender."""
        return self._of(line).deliver(line, envelope, message, go_ahead)

    def _of(self, line: Line) -> EmailSender:
        return self._ses if isinstance(line.channel, SesChannel) else self._smtp
