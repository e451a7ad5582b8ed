"""How a campaign of 20,000 contacts is released by one tick: `python -m bench.release`.

A visit of the dispatcher and the pieces it hands out run as the Lambdas run them, against the emulator's
tables and send queue; only the senders are switched off. What is shown are calls: how many one tick makes,
how they divide over pieces that run side by side, and what that comes to at an assumed time a call.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tqdm import tqdm

from bench.requests import connected_line, counted, environment, running_campaign
from chalicelib import wiring
from chalicelib.adapters.dynamodb.contacts import DynamoContactStore
from chalicelib.adapters.sqs import SqsSendQueue
from chalicelib.domain.address import contact_id
from chalicelib.domain.contact import ContactStatus, Person
from chalicelib.domain.content import Content
from chalicelib.domain.ids import new_id
from chalicelib.flow.dispatch import DispatchPorts, release_contacts, visit_campaign
from chalicelib.ports import NewContact, Release
from local.stack import Stack, start

CONTACTS = 20_000
SECONDS_A_CALL = 0.02  # assumed, for AWS; the emulator's own times say nothing
SIDE_BY_SIDE = 10  # dispatchers at once, as infra/merge.yaml has it


class PiecesInMemory:
    """Port ``DispatchQueue``: keeps the pieces that a visit hands out."""

    def __init__(self) -> None:
        self.pieces: list[list[Release]] = []

    def put(self, message: Mapping[str, str], after: timedelta = timedelta(0)) -> None:
        """A visit nobody waits for here."""

    def put_visit(self, account_id: str, campaign_id: str, after: timedelta, follow_ups: int) -> None:
        """A later visit nobody waits for here."""

    def put_releases(
        self,
        account_id: str,  # noqa: ARG002
        campaign_id: str,  # noqa: ARG002
        releases: Sequence[Release],
    ) -> None:
        """Keep a piece."""
        self.pieces.append(list(releases))


def main() -> None:
    """Release the campaign and print the calls; the last line is JSON."""
    with start(None) as stack:
        _switch_senders_off(stack)
        os.environ.update(environment(stack))
        wiring.settings()
        account_id, campaign_id = _campaign_with_contacts()
        queue = PiecesInMemory()
        ports = _ports(stack, queue)
        with counted() as visit:
            visit_campaign(account_id, campaign_id, ports)
        calls = []
        for piece in tqdm(queue.pieces, desc="Releasing", unit=" pieces", file=sys.stderr, disable=None):
            with counted() as tally:
                release_contacts(account_id, campaign_id, piece, ports)
            calls.append(tally.requests.total())
        released = DynamoContactStore().totals(account_id, campaign_id).by_status[ContactStatus.PENDING]
        _show(released, visit.requests.total(), calls)


def _show(released: int, visit_calls: int, calls: list[int]) -> None:
    print(f"{released:,} contacts released by one tick, in {len(calls)} pieces")
    print(f"  the visit      {visit_calls:5} calls")
    print(f"  each piece     {max(calls):5} calls at most, {sum(calls) / len(calls):.1f} on average")
    rounds = -(-len(calls) // SIDE_BY_SIDE)
    how = f"at {SECONDS_A_CALL * 1000:.0f} ms a call and {SIDE_BY_SIDE} side by side"
    seconds = (visit_calls + rounds * max(calls)) * SECONDS_A_CALL
    print(f"  {how}: {seconds:.0f} s of the minute")
    print(
        json.dumps(
            {
                "released": released,
                "pieces": len(calls),
                "calls_a_contact": round((visit_calls + sum(calls)) / released, 3),
                "assumed_seconds": round(seconds, 1),
            }
        )
    )


def _switch_senders_off(stack: Stack) -> None:
    functions = stack.client("lambda")
    name = stack.resource("SendEmails")
    for source in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)


def _campaign_with_contacts() -> tuple[str, str]:
    now = datetime.now(UTC)
    account_id, campaign = new_id(now), running_campaign()
    wiring.lines().add(account_id, connected_line())
    wiring.campaigns().add(account_id, campaign, Content("", ""))
    addresses = [f"person{number}@example.com" for number in range(CONTACTS)]
    added = now - timedelta(hours=1)
    people = [
        NewContact(contact_id(campaign.campaign_id, address), Person(address), added, number)
        for number, address in enumerate(addresses)
    ]
    print(f"Adding {CONTACTS:,} contacts …", file=sys.stderr)
    DynamoContactStore().add(account_id, campaign.campaign_id, people)
    return account_id, campaign.campaign_id


def _ports(stack: Stack, queue: PiecesInMemory) -> DispatchPorts:
    usual = wiring.dispatch_ports()
    send_queue = SqsSendQueue(stack.resource("SendQueue"))
    return replace(usual, dispatch_queue=queue, send_queue=send_queue)


if __name__ == "__main__":
    main()
