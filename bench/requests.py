"""AWS requests and DynamoDB write units per contact, counted on the emulator; `python -m bench.requests`.

The product's own steps send a campaign (import, release, claim, record) against real tables, with a queue and
a mail server that cost nothing. Beside it, in the same run, the alternative of docs/adr/0002: single writes
for the rows, and totals counted from the table's stream; and by itself what brakes add (docs/adr/0018).
Then each contact is told what events tell, one kind after the other. What leaves the process is counted on
the wire.

Write units follow DynamoDB's rules for items below 1 KB: one a write, two in a transaction; an entry of a
secondary index costs one to make or drop and two to move. A stream's batches carry 100 records. Both ways ask
the suppression list, which is a consistent read: one read unit for each address, found or not.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from unittest.mock import patch

from botocore.httpsession import URLLib3Session

from chalicelib import wiring
from chalicelib.adapters.dynamodb.contact_rows import keys
from chalicelib.adapters.dynamodb.contacts import DynamoContactStore
from chalicelib.adapters.dynamodb.suppressions import DynamoSuppressionStore
from chalicelib.adapters.dynamodb.tables import ContactRow, TotalsRow
from chalicelib.domain.address import contact_id
from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import MessageTags, Reason
from chalicelib.domain.delivery_event import BounceType, DeliveryEvent, EventType, Opener
from chalicelib.domain.ids import new_id
from chalicelib.domain.line import Connection, ConnectionState, Line, LinePlan, Security, SmtpChannel
from chalicelib.domain.timetable import Timetable, Weekday
from chalicelib.flow.brake import AcceptedTally, note_trouble
from chalicelib.flow.clearance import Clearance, suppressed_among
from chalicelib.flow.track import track
from chalicelib.ports import NewContact, Release, SendOrder, Settlement
from local.emulator import ROOT
from local.stack import Stack, start

CONTACTS = 500
STREAM_BATCH = 100
SEND_BATCH = 10  # messages that one run of the sender gets from its queue at most
BOUNCES = CONTACTS // 25  # 4 %: below what pulls the brake, above what nearly all customers have
_NOW = datetime.now(UTC)
_RESOURCES = dict(
    re.findall(
        r"((?:TABLE|QUEUE)_\w+): !Ref (\w+)", (ROOT / "infra" / "merge.yaml").read_text(encoding="utf-8")
    )
)
_WRITES = {"PutItem", "UpdateItem", "DeleteItem"}


@dataclass
class Tally:
    """What one way of sending cost."""

    requests: Counter[str] = field(default_factory=Counter)
    units: int = 0
    read_units: int = 0

    def add(self, operation: str, body: dict[str, Any]) -> None:
        """Count one request to DynamoDB."""
        self.requests[operation] += 1
        if operation in _WRITES:
            self.units += 1 + _index_units(operation, body)
        for table in body.get("RequestItems", {}).values():
            self.read_units += len(table["Keys"])
        for item in body.get("TransactItems", []):
            for kind, one in item.items():
                self.units += 2 + (_index_units(kind, one) if kind != "ConditionCheck" else 0)


def _index_units(kind: str, body: dict[str, Any]) -> int:
    """What the work index costs: an entry made or dropped is one unit, an entry moved is two."""
    if "contacttable" not in body["TableName"].lower():
        return 0
    if kind in {"PutItem", "Put", "DeleteItem", "Delete"}:
        return 1
    names = body.get("ExpressionAttributeNames", {})
    placeholder = next((short for short, name in names.items() if name == "work"), None)
    if placeholder is None:
        return 0
    removed = placeholder in body["UpdateExpression"].partition("REMOVE")[2]
    return 1 if removed else 2


@contextmanager
def counted() -> Iterator[Tally]:
    """Count the DynamoDB requests that leave the process within the block."""
    tally = Tally()
    send = URLLib3Session.send

    def count(session: URLLib3Session, request: Any) -> Any:
        target = request.headers.get("X-Amz-Target", b"")
        target = target.decode() if isinstance(target, bytes) else target
        if target.startswith(("DynamoDB", "AmazonSQS")):
            tally.add(target.partition(".")[2], json.loads(request.body))
        return send(session, request)

    with patch.object(URLLib3Session, "send", count):
        yield tally


def product(account: str, campaign: str) -> None:
    """The product's stores, as importer, dispatcher and sender use them."""
    store, suppressions = DynamoContactStore(), DynamoSuppressionStore()
    people = _people(campaign)
    for start_at in range(0, CONTACTS, 90):
        piece = people[start_at : start_at + 90]
        suppressed_among(account, (new.person.email for new in piece), suppressions)
        store.add(account, campaign, piece)
    waiting = store.waiting(account, campaign, _NOW, CONTACTS)
    releases = [Release(c.contact_id, c.generation, c.attempt, "line", _NOW, _lease()) for c in waiting]
    for release in store.release(account, campaign, releases):
        order = SendOrder(account, campaign, release.contact_id, "line", 1, 1, _NOW)
        contact = store.claim(account, order, "token", 1, _NOW)
        if contact and Clearance(account, contact, suppressions, wiring.clock).holds():
            store.settle(account, order, "token", Settlement(ContactStatus.SENT, _NOW))


# What a message that was accepted is told of, in this order, and what each kind costs.
_EVENTS: dict[str, Callable[[MessageTags], DeliveryEvent]] = {
    "sent": lambda tags: DeliveryEvent(EventType.SEND, tags, _NOW),
    "delivered": lambda tags: DeliveryEvent(EventType.DELIVERY, tags, _later(1)),
    "again": lambda tags: DeliveryEvent(EventType.DELIVERY, tags, _later(1)),
    "earlier": lambda tags: DeliveryEvent(EventType.DELIVERY, tags, _NOW),
    "opened": lambda tags: DeliveryEvent(EventType.OPEN, tags, _later(2), opener=Opener.HUMAN),
    "bounced": lambda tags: DeliveryEvent(
        EventType.BOUNCE,
        tags,
        _later(3),
        Reason("mailbox_unknown", "No such mailbox.", None, 550, "5.1.1", "user unknown"),
        BounceType.PERMANENT,
        suppress=True,
    ),
}


def events(account: str, campaign: str) -> Iterator[tuple[str, Tally]]:
    """Tell every contact of a campaign that was sent one kind of event after the other."""
    ports = wiring.track_ports()
    for name, make in _EVENTS.items():
        with counted() as tally:
            for new in _people(campaign):
                track(make(MessageTags(account, campaign, new.contact_id, 1, 1)), ports)
        yield name, tally


def stream(account: str, campaign: str) -> None:
    """The alternative: each row by itself, and the totals from batches of the table's stream."""
    changes = 0
    suppressions, people = DynamoSuppressionStore(), _people(campaign)
    for start_at in range(0, CONTACTS, 90):
        suppressed_among(
            account, (new.person.email for new in people[start_at : start_at + 90]), suppressions
        )
    for new in people:
        row = keys(account, campaign, new.contact_id)
        row.email, row.status, row.generation, row.attempt, row.failures = (
            new.person.email,
            "not_sent",
            1,
            0,
            0,
        )
        row.work, row.work_at = "waiting", "now"
        row.save(ContactRow.contact_id.does_not_exist())
        row.update([ContactRow.status.set("pending"), ContactRow.work.set("in_flight")])
        row.update([ContactRow.claim.set("token")])
        suppressed_among(account, [new.person.email], suppressions)
        row.update([ContactRow.status.set("sent"), ContactRow.work.remove(), ContactRow.work_at.remove()])
        changes += 4
    for shard in range(-(-changes // STREAM_BATCH)):
        TotalsRow(f"{account}#{campaign}", shard % 8).update([TotalsRow.sent.add(STREAM_BATCH)])


def brakes(account: str, campaign: str) -> None:
    """What brakes cost beside that: the accepted counted after each batch, and each trouble looked at."""
    ports = wiring.brake_ports()
    tally = AcceptedTally(ports.brakes, ports.campaigns)
    for number in range(1, CONTACTS + 1):
        tally.add(account, campaign, "line", _NOW)
        if number % SEND_BATCH == 0:
            tally.flush()
    for new in _people(campaign)[:BOUNCES]:
        contact = Contact(new.contact_id, new.person, line_id="line", sent_at=_NOW)
        tags = MessageTags(account, campaign, new.contact_id, 1, 1)
        note_trouble(DeliveryEvent(EventType.BOUNCE, tags, _NOW), contact, ports)


def _people(campaign: str) -> list[NewContact]:
    addresses = [f"person{number}@example.com" for number in range(CONTACTS)]
    return [
        NewContact(
            contact_id(campaign, address), Person(address, "Ann", "Doe"), _NOW - timedelta(hours=1), number
        )
        for number, address in enumerate(addresses)
    ]


def _lease() -> datetime:
    return _later(35)


def _later(minutes: int) -> datetime:
    return _NOW + timedelta(minutes=minutes)


def running_campaign() -> Campaign:
    """A campaign in progress that may send at any time, as fast as its line allows."""
    every_day = Timetable(
        frozenset(Weekday), date(2020, 1, 1), date(2090, 1, 1), time(0), time(0), "UTC", gap_min=0, gap_max=0
    )
    status = CampaignStatus.IN_PROGRESS
    return Campaign(new_id(_NOW), "bench", ("line",), every_day, 1, status, 1, _NOW)


def connected_line() -> Line:
    """The line that campaign sends through."""
    return Line(
        line_id="line",
        name="line",
        channel=SmtpChannel("smtp.example.com", 587, Security.STARTTLS, "user"),
        from_address="news@example.com",
        plan=LinePlan.PURCHASED,
        connection=Connection(ConnectionState.CONNECTED),
        password=b"sealed",
        created_at=_NOW,
    )


def measure(way: Callable[[str, str], None]) -> tuple[Tally, str, str]:
    """Run one way for a campaign of its own and count; also whose campaign it was."""
    account, campaign = new_id(_NOW), running_campaign()
    wiring.lines().add(account, connected_line())
    wiring.campaigns().add(account, campaign, Content("", ""))
    print(f"{way.__name__}: {CONTACTS} contacts …", file=sys.stderr)
    with counted() as tally:
        way(account, campaign.campaign_id)
    return tally, account, campaign.campaign_id


def environment(stack: Stack) -> Mapping[str, str]:
    """What a process needs to reach the stack's tables and queues as the emulator's root user."""
    credentials: Any = stack.session.get_credentials()
    resources = {name: stack.resource(logical) for name, logical in _RESOURCES.items()}
    return resources | {
        "AWS_ENDPOINT_URL": stack.emulator.endpoint,
        "AWS_DEFAULT_REGION": str(stack.session.region_name),
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
    }


def show(tallies: Mapping[str, Tally]) -> None:
    """A table with a bar for the write units, and the same as JSON on the last line."""
    for name, tally in tallies.items():
        units = tally.units / CONTACTS
        print(f"{name:10} {units:6.2f} write units a contact  {'█' * round(units * 2)}")
        print(f"           {tally.read_units / CONTACTS:6.2f} read units a contact for the suppression list")
        for operation, count in sorted(tally.requests.items()):
            print(f"           {count / CONTACTS:6.2f} {operation}")
    figures = {
        name: {
            "write_units": round(tally.units / CONTACTS, 2),
            "read_units": round(tally.read_units / CONTACTS, 2),
            "requests": round(tally.requests.total() / CONTACTS, 2),
        }
        for name, tally in tallies.items()
    }
    print(json.dumps(figures))


def main() -> None:
    """Count both ways on one emulator, and the events of the first."""
    with start(None) as stack:
        os.environ.update(environment(stack))
        wiring.settings()
        exact, *whose = measure(product)
        show(
            {
                "exact": exact,
                **dict(events(*whose)),
                "brakes": measure(brakes)[0],
                "stream": measure(stream)[0],
            }
        )


if __name__ == "__main__":
    main()
