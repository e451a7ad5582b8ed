"""What the contract tests of the stores put into them."""

import uuid
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.campaign import Campaign, CampaignStatus, Resend
from chalicelib.domain.contact import Contact, ContactStatus, Person, Totals
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import Reason
from chalicelib.domain.job import ImportJob, JobState
from chalicelib.domain.line import Line, Security, SmtpChannel
from chalicelib.ports import NewContact, Release, SendOrder, Settlement
from tests.contract.conftest import Stores
from tests.fakes.clock import MONDAY_NOON as NOON
from tests.fakes.world import ALWAYS, CONTENT

LEASE_END = NOON + timedelta(minutes=35)
UNKNOWN = Reason("outcome_unknown", "Nobody knows.")
BUSY = Reason("greylisted", "Busy.", reply_code=451, enhanced="4.7.1", reply_text="try later")


def new_id() -> str:
    return uuid.uuid4().hex[:22]


def campaign(status: CampaignStatus = CampaignStatus.DRAFT, **changes: object) -> Campaign:
    made = Campaign(new_id(), "Spring", ("line1",), ALWAYS, 1, status, 1, NOON)
    return replace(made, **changes)  # type: ignore[arg-type]


def add_campaign(stores: Stores, status: CampaignStatus = CampaignStatus.IN_PROGRESS) -> str:
    """The id of a stored campaign."""
    made = campaign(status)
    stores.campaigns.add(stores.account, made, CONTENT)
    return made.campaign_id


def content(subject: str) -> Content:
    return Content(subject, "<p>Hello</p>", "Hello")


def line(line_id: str = "", name: str = "Shop") -> Line:
    channel = SmtpChannel("smtp.shop.example", 587, Security.STARTTLS, "news")
    return Line(
        line_id or new_id(), name, channel, "news@shop.example", password=b"\x00sealed", created_at=NOON
    )


def people(*names: str) -> list[NewContact]:
    """Contacts whose ids are the names."""
    return [
        NewContact(name, Person(f"{name}@mail.example", first_name=name), NOON - timedelta(hours=1), number)
        for number, name in enumerate(names)
    ]


def import_job(campaign_id: str, **changes: object) -> ImportJob:
    made = ImportJob(new_id(), campaign_id, "people.csv", JobState.WAITING, NOON)
    return replace(made, **changes)  # type: ignore[arg-type]


def wish(stores: Stores, campaign_id: str, token: str = "wish") -> None:
    """Ask a running campaign for a resend."""
    running, wished = CampaignStatus.IN_PROGRESS, Resend(token, include_unknown=True)
    assert stores.campaigns.move(stores.account, campaign_id, [running], running, NOON, resend=wished)


def release(contact: str, *, generation: int = 1, attempt: int = 0) -> Release:
    return Release(contact, generation, attempt, "line1", NOON, LEASE_END)


def order(
    stores: Stores, campaign_id: str, contact: str, *, generation: int = 1, attempt: int = 1
) -> SendOrder:
    return SendOrder(stores.account, campaign_id, contact, "line1", generation, attempt, NOON)


def pending(stores: Stores, *names: str) -> str:
    """The id of a running campaign whose contacts have just been released."""
    campaign_id = add_campaign(stores)
    stores.contacts.add(stores.account, campaign_id, people(*names))
    released = stores.contacts.release(stores.account, campaign_id, [release(name) for name in names])
    assert len(released) == len(names)
    return campaign_id


def sent() -> Settlement:
    return Settlement(ContactStatus.SENT, NOON)


def unknown() -> Settlement:
    return Settlement(ContactStatus.ERROR, NOON, UNKNOWN)


def listed() -> Settlement:
    """Not sent to because of the suppression list."""
    return Settlement(ContactStatus.ERROR, NOON, Reason("suppressed", "Unsubscribed."))


def back(minutes: int = 0, failures: int | None = None) -> Settlement:
    return Settlement(ContactStatus.NOT_SENT, NOON, BUSY, NOON + timedelta(minutes=minutes), failures)


def rows(stores: Stores, campaign_id: str) -> list[Contact]:
    return list(stores.contacts.page(stores.account, campaign_id, None, 10_000).items)


def counted(stores: Stores, campaign_id: str) -> Totals:
    """The totals, found by counting the rows."""
    totals = Totals()
    for contact in rows(stores, campaign_id):
        totals.count(contact)
    return totals


def assert_totals_are_rows(stores: Stores, campaign_id: str) -> Totals:
    totals = stores.contacts.totals(stores.account, campaign_id)
    assert totals == counted(stores, campaign_id)
    return totals
