"""The suppression list binds the sender: who is on it is not written to, nor is who can't be asked about."""

from collections.abc import Iterable, Mapping

import pytest

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import SUPPRESSED, ContactStatus, Person
from chalicelib.domain.delivery import Reason, Refused, Scope, TryLater
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.flow.clearance import FRESH
from chalicelib.flow.resend import resend_errors
from chalicelib.ports import NewContact, SendOrder
from tests.fakes.suppressions import FakeSuppressionStore
from tests.fakes.world import ACCOUNT, STRANGER, World

NOT_SENT, SENT, ERROR = ContactStatus.NOT_SENT, ContactStatus.SENT, ContactStatus.ERROR
FULL = Refused(Reason("mailbox_full", "The mailbox is full."), Scope.CONTACT)
BUSY = TryLater(Reason("greylisted", "Busy."), Scope.CONTACT)
ANN = "c0@mail.example"


class Unreadable(FakeSuppressionStore):
    """Fails from the given read on."""

    def __init__(self, works: int = 0) -> None:
        super().__init__()
        self._works = works
        self.reads = 0

    def find(self, account_id: str, keys: Iterable[str]) -> Mapping[str, Suppression]:
        self.reads += 1
        if self.reads > self._works:
            raise TimeoutError("no answer")
        return super().find(account_id, keys)


def ordered(world: World) -> tuple[str, SendOrder]:
    one = world.running()
    (order,) = world.visit(one)
    return one, order


def send(world: World, order: SendOrder) -> None:
    world.sender().send(order, world.stop_at())


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (SuppressionReason.UNSUBSCRIBED, "The recipient unsubscribed on 2026-"),
        (SuppressionReason.BOUNCED, "Mail to this address bounced for good on 2026-"),
        (SuppressionReason.COMPLAINED, "The recipient reported mail as spam on 2026-"),
        (SuppressionReason.ADDED, "The address was put on the suppression list on 2026-"),
    ],
)
def test_who_is_on_the_list_is_an_error_that_says_why(reason: SuppressionReason, words: str) -> None:
    world = World()
    one, order = ordered(world)
    world.suppress(ANN, reason)
    send(world, order)
    contact = world.only(one)
    assert contact.reason is not None
    assert (contact.status, contact.reason.code, contact.sent_at) == (ERROR, SUPPRESSED, None)
    assert contact.reason.text.startswith(words)
    assert world.channel.accepted == []
    totals = world.contacts.totals(ACCOUNT, one)
    assert (totals.by_status[ERROR], totals.suppressed, totals.unknown) == (1, 1, 0)


def test_an_address_is_found_however_it_is_written() -> None:
    world = World()
    one = world.running()
    world.add_people(one, "Ann@Bücher.example")
    world.suppress("ann@xn--bcher-kva.example")
    for order in world.visit(one):
        send(world, order)
    assert world.channel.recipients() == [ANN]
    assert world.contacts.totals(ACCOUNT, one).suppressed == 1


def test_another_accounts_list_does_not_bind() -> None:
    world = World()
    one, order = ordered(world)
    entry = Suppression(ANN, ANN, SuppressionReason.BOUNCED, world.clock.now())
    world.suppressions.add(STRANGER, [entry])
    send(world, order)
    assert world.only(one).status is SENT


def test_who_came_off_the_list_is_written_to() -> None:
    world = World()
    world.suppress(ANN)
    world.suppressions.remove(ACCOUNT, ANN)
    one, order = ordered(world)
    send(world, order)
    assert world.only(one).status is SENT


def test_it_binds_a_retry() -> None:
    world = World()
    one, order = ordered(world)
    world.channel.outcomes[ANN] = [BUSY]
    send(world, order)
    world.suppress(ANN)
    world.clock.wait(minutes=10)
    (again,) = world.visit(one)
    send(world, again)
    assert (world.only(one).suppressed, world.channel.accepted) == (True, [])


def test_a_slow_server_does_not_make_the_look_at_the_list_old() -> None:
    """MAIL and RCPT may take minutes; who unsubscribes meanwhile is not written to."""
    world = World()
    one, order = ordered(world)

    def meanwhile() -> None:
        world.suppress(ANN)
        world.clock.wait(seconds=FRESH.total_seconds() + 1)

    world.channel.before_data = meanwhile
    send(world, order)
    assert (world.only(one).suppressed, world.channel.accepted) == (True, [])


def test_one_read_is_enough_for_a_quick_server() -> None:
    world = World()
    one, order = ordered(world)
    world.suppressions = listed = Unreadable(works=1)
    world.channel.before_data = lambda: world.clock.wait(seconds=FRESH.total_seconds())
    send(world, order)
    assert (world.only(one).status, listed.reads) == (SENT, 1)


@pytest.mark.parametrize("works", [0, 1])
def test_when_the_list_can_not_be_read_nothing_leaves_and_the_contact_goes_back(works: int) -> None:
    world = World()
    one, order = ordered(world)
    world.suppressions = Unreadable(works)
    world.channel.before_data = lambda: world.clock.wait(seconds=FRESH.total_seconds() + 1)
    with pytest.raises(TimeoutError):
        send(world, order)
    contact = world.only(one)
    assert (contact.status, contact.claim, contact.failures) == (NOT_SENT, None, 0)
    assert world.channel.accepted == []
    world.suppressions = FakeSuppressionStore()
    world.channel.before_data = lambda: None
    world.clock.wait(seconds=10)
    (again,) = world.visit(one)
    send(world, again)
    assert world.channel.recipients() == [ANN]


def test_a_pause_just_before_the_hand_over_still_gives_the_contact_back() -> None:
    world = World()
    one, order = ordered(world)

    def meanwhile() -> None:
        world.campaigns.move(
            ACCOUNT, one, [CampaignStatus.IN_PROGRESS], CampaignStatus.PAUSED, world.clock.now()
        )
        world.clock.wait(seconds=FRESH.total_seconds() + 1)

    world.channel.before_data = meanwhile
    send(world, order)
    assert world.only(one).status is NOT_SENT


def test_an_address_that_is_not_one_is_not_written_to() -> None:
    """The list can't be asked about it, so it can't be known to be allowed."""
    world = World()
    one = world.running()
    world.contacts.purge(ACCOUNT, one)
    world.contacts.add(ACCOUNT, one, [NewContact("some-id", Person("no address"), world.clock.now(), 0)])
    (order,) = world.visit(one)
    send(world, order)
    contact = world.only(one)
    assert contact.reason is not None
    assert (contact.status, contact.reason.code) == (ERROR, "address_invalid")
    assert world.channel.accepted == []


class TestResend:
    def test_who_is_on_the_list_is_left_out_and_keeps_the_servers_words(self) -> None:
        world = World()
        one = world.running(3)
        for number in range(2):
            world.channel.outcomes[f"c{number}@mail.example"] = [FULL]
        world.suppress("c2@mail.example")
        self.send_all(world, one)
        world.clock.wait(minutes=1)
        world.suppress("c1@mail.example", SuppressionReason.BOUNCED)
        resend_errors(ACCOUNT, one, True, None, world.campaign_ports)
        self.send_all(world, one)
        rows = {row.person.email[:2]: row for row in world.all_contacts(one)}
        assert [rows[name].generation for name in ("c0", "c1", "c2")] == [2, 1, 1]
        assert rows["c1"].reason == FULL.reason
        assert world.channel.recipients() == ["c0@mail.example"]
        assert world.contacts.totals(ACCOUNT, one).suppressed == 1
        assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.FINISHED

    def test_who_came_off_the_list_is_sent_to_and_counted_so(self) -> None:
        world = World()
        one = world.running()
        world.suppress(ANN)
        self.send_all(world, one)
        world.clock.wait(minutes=1)
        world.suppressions.remove(ACCOUNT, ANN)
        resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
        self.send_all(world, one)
        assert world.only(one).status is SENT
        assert world.contacts.totals(ACCOUNT, one).suppressed == 0

    def test_it_binds_a_new_generation(self) -> None:
        world = World()
        one = world.running()
        world.channel.outcomes[ANN] = [FULL]
        self.send_all(world, one)
        world.clock.wait(minutes=1)
        resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
        (order,) = world.visit(one)
        world.suppress(ANN)
        send(world, order)
        contact = world.only(one)
        assert (contact.generation, contact.suppressed, world.channel.accepted) == (2, True, [])

    @staticmethod
    def send_all(world: World, one: str) -> None:
        for order in world.visit(one):
            world.clock.set(max(world.clock.now(), order.slot_at))
            send(world, order)
        world.clock.wait(seconds=6)
        world.visit(one)
