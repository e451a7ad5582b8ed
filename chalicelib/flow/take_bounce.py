"""What a message that came back changes: it becomes an event of the message that it is about.

Anybody can write such mail. Which message it is about is said only by what we sealed ourselves, and only that
message's contact is touched: whoever got it knows its token, and can say no more than that it didn't arrive.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chalicelib.domain.address import Rejection, contact_id, parse_address
from chalicelib.domain.bounce import Report, ReportKind, read_report
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.delivery_event import DeliveryEvent, EventType
from chalicelib.domain.link_tokens import TokenKind, TokenRing
from chalicelib.domain.mime_reading import SIZE_LIMIT
from chalicelib.domain.return_path import account_in, campaign_prefix, read_mark
from chalicelib.ports import CampaignStore, Clock, FileStore

_EVENTS = {
    ReportKind.FAILURE: EventType.BOUNCE,
    ReportKind.DELAY: EventType.DELIVERY_DELAY,
    ReportKind.DELIVERED: EventType.DELIVERY,
    ReportKind.COMPLAINT: EventType.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class BouncePorts:
    """What bounces need. ``track`` applies an event to its contact, as ``flow/track.py`` does."""

    campaigns: CampaignStore
    tokens: TokenRing
    track: Callable[[DeliveryEvent], object]
    clock: Clock


@dataclass(frozen=True, slots=True)
class TakenBounce:
    """What a message was understood as, and which of our messages it is about, if any."""

    report: Report
    tags: MessageTags | None


def take_bounce(raw: bytes, account_id: str, ports: BouncePorts) -> TakenBounce:
    """Apply what a message says to this account's contact that it is about. Any number of times.

    What ``track`` raises goes to the caller, who asks again later.
    """
    report = read_report(raw)
    own = (tags for tags in _by_token(report, ports) if tags.account_id == account_id)
    return _applied(report, next(own, None) or _by_mark(report, [account_id], ports), ports)


def take_inbound(key: str, domain: str, files: FileStore, ports: BouncePorts) -> TakenBounce:
    """Apply a message that Amazon SES received for ``domain`` and put into a file; raises NotFound.

    The account is the one that sealed the token; for a mark, the one whose address the message came to.
    """
    report = read_report(files.beginning(key, SIZE_LIMIT))
    accounts = dict.fromkeys(filter(None, (account_in(address, domain) for address in report.sent_to)))
    return _applied(report, next(_by_token(report, ports), None) or _by_mark(report, accounts, ports), ports)


def _by_token(report: Report, ports: BouncePorts) -> Iterator[MessageTags]:
    read = (ports.tokens.read(TokenKind.RETURN, token) for token in report.tokens)
    return (tags for tags in read if tags is not None)


def _by_mark(report: Report, accounts: Iterable[str], ports: BouncePorts) -> MessageTags | None:
    for account_id in accounts:
        for mark in report.marks:
            campaign_id = ports.campaigns.find(account_id, campaign_prefix(mark))
            tags = campaign_id and read_mark(ports.tokens, mark, account_id, campaign_id)
            if tags:
                return tags
    return None


def _applied(report: Report, tags: MessageTags | None, ports: BouncePorts) -> TakenBounce:
    kind = _EVENTS.get(report.kind)
    if kind is None or tags is None:
        return TakenBounce(report, None)
    verdict = report.verdict
    ports.track(
        DeliveryEvent(
            kind,
            tags,
            ports.clock.now(),  # when it was read: the dates of a message are whatever its writer says
            reason=verdict.reason if verdict else None,
            bounce_type=verdict.bounce_type if verdict else None,
            suppress=verdict is not None and verdict.suppress,
            recipient=_own_address(report.recipient, tags),
        )
    )
    return TakenBounce(report, tags)


def _own_address(named: str | None, tags: MessageTags) -> str | None:
    """The address that a report names, if it is the contact's: nobody has another one suppressed."""
    address = parse_address(named) if named else None
    if address is None or isinstance(address, Rejection):
        return None
    return address.text if contact_id(tags.campaign_id, address.key) == tags.contact_id else None
