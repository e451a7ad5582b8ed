"""What comes back becomes an event of the message that it is about, and of no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.domain.bounce import ReportKind
from chalicelib.domain.delivery_event import BounceType, EventType
from chalicelib.domain.link_tokens import TokenKind
from chalicelib.domain.return_path import inbound_pattern, mark
from chalicelib.flow.take_bounce import take_bounce, take_inbound
from tests.fakes.world import ACCOUNT, STRANGER, World
from tests.unit.flow.bounce_builders import Sent, sent

CORPUS = Path(__file__).parents[2] / "bounces"
DOMAIN = "in.example"
OWNER = "01hx5k9zz0123456789abc"
"""An account whose id has the form of ours, as an address of its own needs it."""


def took(message: Sent, raw: bytes, account_id: str = ACCOUNT) -> bool:
    """Whether it was about a message of the account; then there is one event more, of this message."""
    before = len(message.events)
    taken = take_bounce(raw, account_id, message.ports)
    assert [event.tags for event in message.events[before:]] == ([taken.tags] if taken.tags else [])
    assert taken.tags in {None, message.tags}
    return taken.tags is not None


def test_the_message_is_found_by_our_field_by_the_envelope_id_and_by_the_return_path() -> None:
    message = sent()
    assert took(message, message.report(token=message.token))
    assert took(message, message.report(envelope_id=message.envelope_id))
    assert took(message, message.report(to=message.sender))
    assert not took(message, message.report())


def test_a_failure_tells_why_and_whether_the_address_is_any_good() -> None:
    message = sent()
    take_bounce(message.report(token=message.token), ACCOUNT, message.ports)
    (event,) = message.events
    assert (event.type, event.bounce_type, event.suppress) == (EventType.BOUNCE, BounceType.PERMANENT, True)
    assert (event.recipient, event.at) == ("c0@mail.example", message.world.clock.now())
    assert event.reason is not None
    assert (event.reason.code, event.reason.enhanced) == ("mailbox_unknown", "5.1.1")


@pytest.mark.parametrize(
    ("action", "status", "kind", "bounce_type"),
    [
        ("failed", "5.2.2", EventType.BOUNCE, BounceType.TRANSIENT),
        ("delayed", "4.4.1", EventType.DELIVERY_DELAY, None),
        ("delivered", "2.0.0", EventType.DELIVERY, None),
    ],
)
def test_other_reports_are_events_too(
    action: str, status: str, kind: EventType, bounce_type: BounceType | None
) -> None:
    message = sent()
    assert took(message, message.report(token=message.token, action=action, status=status))
    (event,) = message.events
    assert (event.type, event.bounce_type, event.suppress) == (kind, bounce_type, False)


def test_a_complaint_is_one_even_if_it_hides_the_address() -> None:
    message = sent()
    raw = (CORPUS / "arf-redacted.eml").read_bytes()
    token = next(line for line in raw.splitlines() if b"y3dh531126860Z6xw" in line).split()[-1]
    assert took(message, raw.replace(token, message.token.encode()))
    (event,) = message.events
    assert (event.type, event.suppress, event.recipient) == (EventType.COMPLAINT, True, None)


@pytest.mark.parametrize("name", ["vacation-from-postmaster", "human-forwards-report", "read-receipt"])
def test_a_persons_or_a_robots_mail_does_nothing_though_it_names_the_message(name: str) -> None:
    message = sent()
    raw = (CORPUS / f"{name}.eml").read_bytes()
    assert not took(message, raw + f"\nX-Postline-Return: {message.token}\n".encode())
    assert not took(message, f"Delivered-To: {message.sender}\n".encode() + raw)


def test_another_account_can_do_nothing_with_what_names_the_message() -> None:
    message = sent()
    for raw in (
        message.report(token=message.token),
        message.report(envelope_id=message.envelope_id),
        message.report(to=message.sender),
    ):
        assert not took(message, raw, STRANGER)


def test_what_was_sealed_for_another_purpose_or_by_nobody_names_nothing() -> None:
    message = sent()
    unsubscribe = message.world.ring.seal(TokenKind.UNSUBSCRIBE, message.tags)
    assert not took(message, message.report(token=unsubscribe))
    assert not took(message, message.report(token=message.token[:-1] + "7"))
    assert not took(message, message.report(envelope_id=mark(message.tags, "made up")))


def test_a_forged_report_has_nobody_else_suppressed() -> None:
    message = sent()
    message.world.add_people(message.tags.campaign_id, "victim@mail.example")
    assert took(message, message.report(token=message.token, recipient="victim@mail.example"))
    (event,) = message.events
    assert (event.tags, event.recipient) == (message.tags, None)


def test_the_address_is_known_again_however_a_server_writes_it() -> None:
    message = sent()
    assert took(message, message.report(token=message.token, recipient="C0@MAIL.example"))
    assert message.events[0].recipient == "C0@MAIL.example"


def test_the_right_token_is_found_among_others() -> None:
    message = sent()
    other = message.world.ring.seal(TokenKind.RETURN, replace(message.tags, account_id=STRANGER))
    raw = message.report(token=f"{other}\nX-Postline-Return: {message.token}")
    assert took(message, raw)


def inbound(message: Sent, raw: bytes) -> bool:
    message.world.files.contents["inbound/1"] = raw
    return take_inbound("inbound/1", DOMAIN, message.world.files, message.ports).tags == message.tags


def test_what_ses_received_is_of_the_account_whose_address_it_came_to() -> None:
    message = sent()
    account = replace(message.tags, account_id=OWNER)
    campaign = message.world.campaigns.get(ACCOUNT, message.tags.campaign_id)
    content = message.world.campaigns.content(ACCOUNT, campaign.campaign_id, campaign.content_version)
    message.world.campaigns.add(OWNER, campaign, content)
    own = mark(account, message.world.ring.seal(TokenKind.RETURN, account)) or ""
    message.tags = account
    address = inbound_pattern(OWNER, DOMAIN).replace("{token}", own)
    assert inbound(message, message.report(to=address))
    assert inbound(message, message.report(to=address.upper()))
    assert not inbound(message, message.report(to=address.replace(OWNER, OWNER[:-1] + "d")))
    assert not inbound(message, message.report(to=address.replace(DOMAIN, "other.example")))


def test_what_ses_received_is_known_by_a_token_wherever_it_came_to() -> None:
    message = sent()
    assert inbound(message, message.report(token=message.token))
    assert not inbound(message, b"Subject: Setup Notification\n\nHello")
    assert take_bounce(b"", ACCOUNT, message.ports).report.kind is ReportKind.NOTHING


def test_what_the_tracker_raises_is_for_the_caller_to_know() -> None:
    message = sent(world=World())
    message.fails = True
    with pytest.raises(ConnectionError):
        take_bounce(message.report(token=message.token), ACCOUNT, message.ports)
