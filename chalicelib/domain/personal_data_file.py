"""What an export of personal data tells of each row: plain values, as JSON holds them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.domain.campaign import Campaign
from chalicelib.domain.contact import Contact, Person
from chalicelib.domain.delivery import Reason
from chalicelib.domain.dialog import Dialog
from chalicelib.domain.line import Line
from chalicelib.domain.member import Invitation, Member
from chalicelib.domain.sample import Sample
from chalicelib.domain.suppression import Suppression

_TIMES = (
    "sent_at",
    "delivered_at",
    "opened_at",
    "machine_opened_at",
    "bounced_at",
    "complained_at",
    "unsubscribed_at",
)


def contact_told(campaign: Campaign, contact: Contact) -> dict[str, Any]:
    """A contact of a campaign, and what became of its message."""
    return {
        "campaign_id": campaign.campaign_id,
        "campaign": campaign.name,
        **_person(contact.person),
        "status": contact.status.value,
        **{name: _instant(getattr(contact, name)) for name in _TIMES},
        "remote_id": contact.remote_id,
        **_reason(contact.reason),
    }


def dialog_told(line: Line, dialog: Dialog) -> dict[str, Any]:
    """A dialog of a line."""
    return {
        "line_id": line.line_id,
        "line": line.name,
        **_person(dialog.person),
        "tags": list(dialog.tags),
        "last_message_at": _instant(dialog.last_message_at),
        "created_at": _instant(dialog.created_at),
    }


def suppression_told(suppression: Suppression) -> dict[str, Any]:
    """An entry of the suppression list; of an erased one there is a keyed hash, and that it is there."""
    return {
        "email": None if suppression.erased else suppression.address,
        "erased": suppression.erased,
        "reasons": sorted(suppression.reasons),
        "since": _instant(suppression.added_at),
        "campaign_id": suppression.campaign_id,
    }


def sample_told(sample: Sample) -> dict[str, Any]:
    """A test message."""
    return {
        "test_id": sample.sample_id,
        "campaign_id": sample.campaign_id,
        "to": sample.recipient,
        "person": _person(sample.person),
        "state": sample.state.value,
        "asked_at": _instant(sample.asked_at),
        "remote_id": sample.remote_id,
        **_reason(sample.reason),
    }


def invitation_told(invitation: Invitation) -> dict[str, Any]:
    """An invitation into the account that nobody has accepted."""
    return {
        "invitation_id": invitation.invitation_id,
        "email": invitation.email,
        "role": invitation.role.value,
        "invited_at": _instant(invitation.invited_at),
        "expires_at": _instant(invitation.expires_at),
    }


def member_told(member: Member) -> dict[str, Any]:
    """A person who works in the account."""
    return {
        "member_id": member.sub,
        "email": member.email,
        "role": member.role.value,
        "joined_at": _instant(member.joined_at),
    }


def _person(person: Person) -> dict[str, Any]:
    return {**asdict(person), "extra": dict(person.extra)}


def _reason(reason: Reason | None) -> dict[str, Any]:
    return {"reason": reason.text if reason else None, "server_reply": reason.reply_text if reason else None}


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
