"""Whatever happens, in whatever order: nobody gets two mails, nobody is lost, and the totals are the rows.

A machine plays people, queues, servers and clocks against the real steps. Messages come twice, late or
never; senders die at every point; leases run out; campaigns are paused, edited and deleted meanwhile.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from email.parser import BytesHeaderParser
from functools import lru_cache
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import Accepted, Outcome, Reason, Refused, Scope, TryLater
from chalicelib.domain.line import Connection, ConnectionState
from chalicelib.domain.timetable import Timetable, Weekday
from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.campaign import (
    delete_campaign,
    edit_campaign,
    launch_campaign,
    pause_campaign,
)
from chalicelib.flow.clearance import FRESH
from chalicelib.flow.contacts import remove_contact
from chalicelib.flow.dispatch import visit_all, visit_campaign
from chalicelib.flow.imports import import_contacts, start_import, upload_key
from chalicelib.flow.resend import resend_errors
from chalicelib.ports import SendOrder, Settlement
from tests.fakes.channel import LOST_REPLY
from tests.fakes.contacts import FakeContactStore
from tests.fakes.world import ACCOUNT, World

NOT_SENT, PENDING, SENT, ERROR = (
    ContactStatus.NOT_SENT,
    ContactStatus.PENDING,
    ContactStatus.SENT,
    ContactStatus.ERROR,
)
RUNNING, PAUSED, FINISHED = CampaignStatus.IN_PROGRESS, CampaignStatus.PAUSED, CampaignStatus.FINISHED
PACED = Timetable(frozenset(Weekday), date(2026, 1, 1), date(2027, 12, 31), time(0), time(0), "UTC", 3, 9)
WHY = Reason("some_code", "Some reason.")
OUTCOMES: tuple[Outcome, ...] = (
    Accepted(),
    Accepted(),
    LOST_REPLY,
    Refused(WHY, Scope.CONTACT),
    TryLater(WHY, Scope.CONTACT),
    TryLater(WHY, Scope.RATE),
    TryLater(WHY, Scope.LINE),
    Refused(WHY, Scope.LINE),
)
ACTIONS = (
    "launch",
    "launch",
    "mend_the_lines",
    "pause",
    "edit",
    "add_a_contact",
    "remove_a_contact",
    "import_a_file",
    "resend",
    "suppress_or_not",
    "delete",
    "remove_what_was_deleted",
)
T = TypeVar("T")


class Died(Exception):
    """The process of a sender ended here."""


class DeadlyContactStore(FakeContactStore):
    """Kills whoever writes, just before or just after it, when a test says so."""

    deadly = ""

    def claim(
        self, account_id: str, order: SendOrder, token: str, content_version: int, now: datetime
    ) -> Contact | None:
        claim = super().claim
        return self._around("claim", lambda: claim(account_id, order, token, content_version, now))

    def settle(self, account_id: str, order: SendOrder, token: str | None, settlement: Settlement) -> bool:
        settle = super().settle
        return self._around("settle", lambda: settle(account_id, order, token, settlement))

    def _around(self, step: str, write: Callable[[], T]) -> T:
        if self.deadly == f"before {step}":
            raise Died
        done = write()
        if self.deadly == f"after {step}":
            raise Died
        return done


class LifeOfACampaign(RuleBasedStateMachine):
    """One campaign of one account on two lines; ``senders`` are warm, as Lambdas are."""

    def __init__(self) -> None:
        super().__init__()
        self.world = world = World()
        self.contacts = DeadlyContactStore(world.campaigns, world.imports)
        world.contacts = self.contacts
        for line_id in ("line1", "line2"):
            world.add_line(line_id)
        self.campaign_id = world.add_campaign(3, timetable=PACED, line_ids=("line1", "line2")).campaign_id
        self.senders = [world.sender(), world.sender()]
        self.queue: list[SendOrder] = []
        self.told_to_stop: datetime | None = world.clock.now()
        self.deleted = False
        self.numbers = iter(range(100, 10_000))
        self.before: dict[str, Contact] = {}
        self.listed: dict[str, datetime] = {}
        world.channel.after_data = self._check_that_it_may_leave
        self.launch()
        self.tick(1)

    # What people do.

    @rule(action=st.sampled_from(ACTIONS), number=st.integers(0, 19))
    def a_person_does(self, action: str, number: int) -> None:
        getattr(self, action)(number)

    def launch(self, number: int = 0) -> None:
        with suppress(Conflict, NotFound):
            launch_campaign(ACCOUNT, self.campaign_id, None, self.world.campaign_ports)
            self.told_to_stop = None

    def pause(self, number: int = 0) -> None:
        with suppress(Conflict, NotFound):
            pause_campaign(ACCOUNT, self.campaign_id, None, self.world.campaign_ports)
            self.told_to_stop = self.world.clock.now()

    def edit(self, number: int) -> None:
        with suppress(Conflict, NotFound):
            edit_campaign(
                ACCOUNT,
                self.campaign_id,
                lambda seen: replace(seen, content=Content(f"News {number}", "<p>x</p>")),
                None,
                self.world.campaign_ports,
            )

    def add_a_contact(self, number: int) -> None:
        with suppress(Conflict, NotFound):
            self.world.add_people(self.campaign_id, f"c{next(self.numbers)}@mail.example")

    def remove_a_contact(self, number: int) -> None:
        rows = self._rows()
        if rows:
            chosen = rows[number % len(rows)].contact_id
            with suppress(Conflict, NotFound):
                remove_contact(ACCOUNT, self.campaign_id, chosen, self.world.contact_ports)
                self.before.pop(chosen, None)

    def import_a_file(self, number: int) -> None:
        world = self.world
        with suppress(Conflict, NotFound):
            job, _ = start_import(ACCOUNT, self.campaign_id, "f.csv", "csv", world.contact_ports)
            rows = "\n".join(f"c{who}@mail.example" for who in (0, next(self.numbers)))
            world.files.contents[upload_key(ACCOUNT, self.campaign_id, job.import_id)] = (
                f"email\n{rows}".encode()
            )
            for _ in range(1 + number % 2):
                import_contacts(ACCOUNT, job.import_id, world.import_ports, world.stop_at())

    def resend(self, number: int) -> None:
        with suppress(Conflict, NotFound):
            resend_errors(ACCOUNT, self.campaign_id, number % 2 == 0, None, self.world.campaign_ports)
            self.told_to_stop = None

    def suppress_or_not(self, number: int = 0) -> None:
        """Someone goes onto the suppression list, or comes off it."""
        email = f"c{number % 3}@mail.example"
        if self.listed.pop(email, None):
            self.world.suppressions.remove(ACCOUNT, email)
        else:
            self.listed[email] = self.world.clock.now()
            self.world.suppress(email)

    def mend_the_lines(self, number: int = 0) -> None:
        for line_id in ("line1", "line2"):
            self.world.lines.set_connection(ACCOUNT, line_id, Connection(ConnectionState.CONNECTED))
            self.world.pace.line_worked(ACCOUNT, line_id)

    def delete(self, number: int) -> None:
        """Once in a while: nothing happens after it."""
        if number == 17 and not self.deleted:
            delete_campaign(ACCOUNT, self.campaign_id, None, self.world.campaign_ports)
            self.told_to_stop, self.deleted = self.world.clock.now(), True

    def remove_what_was_deleted(self, number: int) -> None:
        self.world.purge_deleted()

    # What time and queues do.

    @rule(times=st.integers(1, 2))
    def tick(self, times: int) -> None:
        world = self.world
        visit_all(world.campaigns, world.dispatch_queue)
        for message in world.dispatch_queue.take() * times:
            visit_campaign(message["account_id"], message["campaign_id"], world.dispatch_ports)
        self.queue += world.send_queue.take()

    @rule(seconds=st.sampled_from([1, 3, 30, 120, 120, 700, 2_400]))
    def wait(self, seconds: int) -> None:
        self.world.clock.wait(seconds=seconds)

    @rule(which=st.integers(0, 9))
    def lose_a_message(self, which: int) -> None:
        if self.queue:
            del self.queue[which % len(self.queue)]

    @rule(
        which=st.integers(0, 9),
        sender=st.integers(0, 1),
        outcome=st.sampled_from(OUTCOMES),
        stays=st.booleans(),
        meanwhile=st.sampled_from(
            [
                *("", "", "", ""),
                *("pause", "pause and wait", "sleep", "tick", "again", "delete"),
                *("suppress", "suppress and wait"),
            ]
        ),
    )
    def deliver(self, which: int, sender: int, outcome: Outcome, stays: bool, meanwhile: str) -> None:
        """A message reaches a sender; it may stay in the queue and come again later."""
        order = self._next(which, stays)
        if order is not None:
            self._send(order, sender, outcome, meanwhile)

    @rule(outcome=st.sampled_from(OUTCOMES), stays=st.booleans())
    def deliver_the_next(self, outcome: Outcome, stays: bool) -> None:
        self.deliver(0, 0, outcome, stays, "")

    @rule(
        which=st.integers(0, 9),
        outcome=st.sampled_from(OUTCOMES),
        point=st.sampled_from(["before claim", "after claim", "before settle", "after settle"]),
    )
    def die(self, which: int, outcome: Outcome, point: str) -> None:
        """A sender dies on the way; its message stays in the queue."""
        order = self._next(which, stays=True)
        if order is None:
            return
        self.contacts.deadly = point
        with suppress(Died):
            self._send(order, 0, outcome, "")
        self.contacts.deadly = ""
        self.senders[0] = self.world.sender()

    def _next(self, which: int, stays: bool) -> SendOrder | None:
        """A message, not before its slot."""
        if not self.queue:
            self.tick(1)
        if not self.queue:
            return None
        order = self.queue[which % len(self.queue)]
        self.world.clock.set(max(self.world.clock.now(), order.slot_at))
        if not stays:
            self.queue.remove(order)
        return order

    def _send(self, order: SendOrder, sender: int, outcome: Outcome, meanwhile: str) -> None:
        world = self.world
        email = {row.contact_id: row.person.email for row in self._rows()}.get(order.contact_id, "")
        world.channel.outcomes[email] = [outcome]
        acts: dict[str, Callable[[], object]] = {
            "": lambda: None,
            "pause": self.pause,
            "pause and wait": lambda: (self.pause(), world.clock.wait(seconds=3)),
            "again": lambda: self._again(order),
            "sleep": lambda: world.clock.wait(minutes=40),
            "tick": lambda: self.tick(1),
            "suppress": self.suppress_or_not,
            "suppress and wait": lambda: (self.suppress_or_not(), world.clock.wait(seconds=3)),
            "delete": lambda: self.delete(17),
        }
        world.channel.before_data = acts[meanwhile]
        self.senders[sender].send(order, world.stop_at())
        world.channel.before_data = lambda: None
        world.channel.outcomes[email] = []

    def _again(self, order: SendOrder) -> None:
        """The same message reaches the other sender during the hand-over."""
        self.world.channel.before_data = lambda: None
        self.senders[1].send(order, self.world.stop_at())

    # What must be true, always.

    def _check_that_it_may_leave(self) -> None:
        """Called in the middle of each hand-over."""
        stopped = self.told_to_stop
        assert stopped is None or self.world.clock.now() - stopped <= FRESH
        listed = self.listed.get(self.world.channel.recipient)
        assert listed is None or self.world.clock.now() - listed <= FRESH

    @invariant()
    def nobody_gets_two_mails_of_one_generation(self) -> None:
        ids = Counter(_message_id(mail.text) for mail in self.world.channel.accepted)
        assert not [one for one, count in ids.items() if count > 1]

    @invariant()
    def a_second_mail_is_only_for_those_a_person_chose(self) -> None:
        mails = Counter(self.world.channel.recipients())
        for row in self._rows():
            assert mails[row.person.email] <= row.generation

    @invariant()
    def who_is_sent_or_unknown_was_handed_over_and_who_is_sent_really_was(self) -> None:
        got = set(self.world.channel.recipients())
        assert all(row.person.email in got for row in self._rows() if row.status is SENT)

    @invariant()
    def totals_are_the_rows(self) -> None:
        rows = self._rows()
        totals = self.world.contacts.totals(ACCOUNT, self.campaign_id)
        assert totals.by_status == {
            status: sum(row.status is status for row in rows) for status in ContactStatus
        }

    @invariant()
    def statuses_only_climb_and_generations_too(self) -> None:
        rows = {row.contact_id: row for row in self._rows()}
        for contact_id, old in self.before.items():
            new = rows.get(contact_id)
            assert new is not None or self.deleted, "a contact was lost"
            if new is not None and new.generation == old.generation:
                assert old.status not in (SENT, ERROR) or new.status in (old.status, _healed(old))
                assert old.sent_at is None or new.sent_at == old.sent_at
                assert new.attempt >= old.attempt
        self.before = rows

    @invariant()
    def nothing_of_a_removed_campaign_remains(self) -> None:
        if self.deleted and self.world.campaigns.status(ACCOUNT, self.campaign_id) is None:
            assert self._rows() == []
            assert not any(self.campaign_id in key for key in self.world.files.contents)

    def teardown(self) -> None:
        """When the world is calm, everybody settles."""
        if self.deleted:
            self.world.clock.wait(minutes=1)
            self.tick(1)
            self.world.purge_deleted()
            self.nothing_of_a_removed_campaign_remains()
            assert self.world.campaigns.status(ACCOUNT, self.campaign_id) is None
            return
        for _ in range(60):
            self.mend_the_lines()
            self.launch()
            self.tick(1)
            self.queue.sort(key=lambda order: order.slot_at)
            while self.queue:
                order = self.queue.pop(0)
                self.world.clock.set(max(self.world.clock.now(), order.slot_at))
                self._send(order, 1, Accepted(), "")
            if self.world.campaigns.get(ACCOUNT, self.campaign_id).status is FINISHED:
                break
            self.world.clock.wait(minutes=40)
        assert {row.status for row in self._rows()} <= {SENT, ERROR}
        self.nobody_gets_two_mails_of_one_generation()
        self.totals_are_the_rows()

    def _rows(self) -> list[Contact]:
        return self.world.all_contacts(self.campaign_id)


@lru_cache(maxsize=1_000)
def _message_id(text: bytes) -> str:
    """Read once, though it is looked at after each step."""
    return str(BytesHeaderParser().parsebytes(text)["Message-ID"])


def _healed(old: Contact) -> ContactStatus:
    """Where evidence may still move a settled contact."""
    return SENT if old.outcome_unknown else old.status


TestLifeOfACampaign = LifeOfACampaign.TestCase
TestLifeOfACampaign.settings = settings(
    max_examples=500, stateful_step_count=50, derandomize=True, deadline=None, database=None
)
