"""What a bounce quotes is neither a code nor a word of the server that wrote it."""

import pytest

from chalicelib.domain.bounce_verdict import failed
from chalicelib.domain.delivery_event import BounceType
from chalicelib.domain.ses_bounces import bounce

PERMANENT, TRANSIENT = BounceType.PERMANENT, BounceType.TRANSIENT
UNKNOWN = "Recipient address rejected: User unknown"


@pytest.mark.parametrize(
    ("recipient", "text"),
    [
        ("relay@acme.example", "550 5.1.1 <{}>: " + UNKNOWN),
        ("dmarc@acme.example", "550 5.1.1 <{}>: " + UNKNOWN),
        ("bob@blacklist.example", "550 <{}>: " + UNKNOWN),
        ("greylist@acme.example", "550 {}: " + UNKNOWN),
        ("overquota@acme.example", "550 {}: user unknown"),
        ("unreachable@acme.example", "{}: no such user"),
        ("sales-450@acme.example", "<{}>: no such user"),
        ("bob@4.1.1.example", "host mx.4.1.1.example: 550 no such user"),
        ("dmarc@acme.example", "550 dmarc: user unknown"),
        ("relay@acme.example", 'unknown user: "relay"'),
    ],
)
def test_an_address_changes_no_verdict(recipient: str, text: str) -> None:
    said = text.format(recipient)
    verdict = failed(None, said, recipient)
    assert (verdict.reason.code, verdict.bounce_type, verdict.suppress) == (
        "mailbox_unknown",
        PERMANENT,
        True,
    )
    assert verdict.reason.reply_text == said


def test_what_the_server_says_of_the_sender_still_counts() -> None:
    verdict = failed(
        "5.7.26", "550 5.7.26 <bob@acme.example>: unauthenticated, see DMARC", "bob@acme.example"
    )
    assert (verdict.reason.code, verdict.suppress) == ("sender_refused_there", False)


@pytest.mark.parametrize(
    ("recipient", "diagnostic"),
    [
        ("dmarc@acme.example", "smtp; 550 5.1.1 <dmarc@acme.example>: " + UNKNOWN),
        ("relay@acme.example", "smtp; 550 relay: user unknown"),
    ],
)
def test_an_address_is_no_reason_of_a_bounce_that_ses_reports(recipient: str, diagnostic: str) -> None:
    found = bounce("Permanent", "General", None, diagnostic, recipient)
    assert (found.reason.code, found.suppress) == ("mailbox_unknown", True)
    assert found.reason.reply_text == diagnostic.partition("550 ")[2]
