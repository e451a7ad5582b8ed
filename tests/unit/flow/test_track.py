"""Track: one event, its contact, the totals and the suppression list."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.contact import Contact, ContactStatus, Totals
from chalicelib.domain.delivery import Accepted, MessageTags, Outcome, Reason, Refused, Scope, TryLater
from chalicelib.domain.delivery_event import DeliveryEvent, EventType
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.flow.campaign import pause_campaign
from chalicelib.flow.resend import resend_errors
from chalicelib.flow.track import YOUNG, Tracked, track
from chalicelib.ports import Settlement
from tests.fakes.channel import LOST_REPLY
from tests.fakes.contacts import FakeContactStore
from tests.fakes.world import ACCOUNT, STRANGER, World
from tests.unit.domain.event_builders import at, event, hard_bounce, opened, soft_bounce

NOT_SENT, PENDING, SENT, DELIVERED, OPENED, ERROR = ContactStatus
SECOND = timedelta(seconds=1)
ADDRESS = "c0@mail.example"


class OneContact:
    """A running campaign of one contact, and its order in the send queue."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.world = World()
        self.campaign_id = self.world.running()
        (self.order,) = self.world.visit(self.campaign_id)
        self.tags = MessageTags(ACCOUNT, self.campaign_id, self.order.contact_id, 1, 1)
        if outcome:
            self.world.channel.outcomes[ADDRESS] = [outcome]
            self.send()

    def send(self) -> Outcome | None:
        return self.world.sender().send(self.order, self.world.stop_at())

    def tell(self, *events: DeliveryEvent) -> list[Tracked]:
        return [track(one, self.world.track_ports) for one in events]

    @property
    def contact(self) -> Contact:
        return self.world.only(self.campaign_id)

    @property
    def totals(self) -> Totals:
        return self.world.contacts.totals(ACCOUNT, self.campaign_id)

    @property
    def listed(self) -> list[Suppression]:
        return list(self.world.suppressions.page(ACCOUNT, None, 10).items)


class TestOneEvent:
    def test_it_changes_the_contact_and_its_totals_once(self) -> None:
        one = OneContact(Accepted())
        delivery = event(EventType.DELIVERY, 1, one.tags)
        assert one.tell(delivery, delivery) == [Tracked.APPLIED, Tracked.NOTHING_NEW]
        assert (one.contact.status, one.contact.delivered_at) == (DELIVERED, at(1))
        assert one.totals.by_status[DELIVERED] == one.totals.contacts == 1

    def test_a_send_event_after_the_senders_own_word_says_nothing_new(self) -> None:
        one = OneContact(Accepted())
        assert one.tell(event(EventType.SEND, 0, one.tags)) == [Tracked.NOTHING_NEW]

    def test_an_unknown_outcome_heals(self) -> None:
        one = OneContact(LOST_REPLY)
        assert (one.contact.outcome_unknown, one.totals.unknown) == (True, 1)
        one.tell(event(EventType.SEND, 1, one.tags))
        assert (one.contact.status, one.totals.unknown) == (SENT, 0)

    def test_what_healed_is_not_sent_again_though_a_person_asked_before(self) -> None:
        one = OneContact(LOST_REPLY)
        pause_campaign(ACCOUNT, one.campaign_id, None, one.world.campaign_ports)
        resend_errors(ACCOUNT, one.campaign_id, True, None, one.world.campaign_ports)
        one.tell(event(EventType.DELIVERY, 1, one.tags))
        one.world.clock.wait(minutes=1)
        assert one.world.visit(one.campaign_id) == []
        assert one.contact.status is DELIVERED


class TestEarlyEvents:
    """The event overtakes what the sender writes."""

    @pytest.mark.parametrize(
        "outcome",
        [
            Accepted(),
            LOST_REPLY,
            Refused(Reason("spam", "No."), Scope.CONTACT),
            TryLater(Reason("busy", "Later."), Scope.CONTACT),
            TryLater(Reason("busy", "Later."), Scope.LINE),
        ],
    )
    def test_the_senders_later_word_does_not_undo_it(self, outcome: Outcome) -> None:
        one = OneContact()
        one.world.channel.outcomes[ADDRESS] = [outcome]
        one.world.channel.after_data = lambda: one.tell(opened(1, one.tags))
        one.send()
        assert (one.contact.status, one.contact.reason) == (OPENED, None)
        assert one.totals.by_status[OPENED] == one.totals.contacts == 1
        one.world.clock.wait(days=1)
        assert one.world.visit(one.campaign_id) == []
        assert one.contact.status is OPENED

    def test_a_contact_of_which_there_is_evidence_is_not_claimed(self) -> None:
        one = OneContact()
        one.tell(event(EventType.SEND, 1, one.tags))
        assert one.send() is None
        assert one.world.channel.accepted == []
        assert one.contact.status is SENT

    def test_one_that_waits_for_another_try_is_not_tried_again(self) -> None:
        one = OneContact(TryLater(Reason("busy", "Later."), Scope.CONTACT))
        assert one.contact.status is NOT_SENT
        one.tell(event(EventType.DELIVERY, 1, one.tags))
        one.world.clock.wait(days=1)
        assert one.world.visit(one.campaign_id) == []
        assert (one.contact.status, one.world.channel.accepted) == (DELIVERED, [])


class TestOtherContacts:
    @pytest.mark.parametrize("change", [{"generation": 0}, {"generation": 2}, {"attempt": 2}])
    def test_a_message_of_another_release_changes_nothing(self, change: dict[str, int]) -> None:
        one = OneContact(Accepted())
        before = one.contact
        foreign = replace(one.tags, **change)  # type: ignore[arg-type]
        assert one.tell(opened(1, foreign), hard_bounce(2, foreign)) == [Tracked.OLDER_GENERATION] * 2
        assert one.contact == before
        assert [entry.reason for entry in one.listed] == [SuppressionReason.BOUNCED]

    def test_an_event_of_before_a_resend_leaves_the_new_generation_alone(self) -> None:
        one = OneContact(Refused(Reason("spam", "No."), Scope.CONTACT))
        pause_campaign(ACCOUNT, one.campaign_id, None, one.world.campaign_ports)
        resend_errors(ACCOUNT, one.campaign_id, False, None, one.world.campaign_ports)
        one.world.clock.wait(minutes=1)
        (again,) = one.world.visit(one.campaign_id)
        assert one.tell(event(EventType.DELIVERY, 1, one.tags)) == [Tracked.OLDER_GENERATION]
        one.world.sender().send(again, one.world.stop_at())
        assert one.contact.status is SENT

    def test_an_unknown_contact_is_tried_again_while_the_event_is_young(self) -> None:
        one = OneContact()
        nobody = replace(one.tags, contact_id="nobody")
        delivery = event(EventType.DELIVERY, 0, nobody)
        one.world.clock.set(at(0) + YOUNG - SECOND)
        assert one.tell(delivery) == [Tracked.UNKNOWN_YOUNG]
        one.world.clock.wait(seconds=1)
        assert one.tell(delivery) == [Tracked.UNKNOWN_OLD]
        assert one.totals.contacts == 1

    def test_nobody_else_is_reached_by_the_tags_of_another_account(self) -> None:
        one = OneContact(Accepted())
        before = one.contact
        one.tell(hard_bounce(1, replace(one.tags, account_id=STRANGER)))
        assert (one.contact, one.listed) == (before, [])


class TestSuppression:
    @pytest.mark.parametrize(
        ("one_event", "reason"),
        [
            (hard_bounce(1), SuppressionReason.BOUNCED),
            (event(EventType.COMPLAINT, 1), SuppressionReason.COMPLAINED),
            (event(EventType.UNSUBSCRIBE, 1), SuppressionReason.UNSUBSCRIBED),
            (replace(soft_bounce(1), suppress=True), SuppressionReason.BOUNCED),
        ],
    )
    def test_who_must_not_be_written_to_is_listed_under_the_contacts_address(
        self, one_event: DeliveryEvent, reason: SuppressionReason
    ) -> None:
        one = OneContact(Accepted())
        mine = replace(one_event, tags=one.tags, recipient="postmaster@mail.example")
        one.tell(mine, mine)
        assert one.listed == [Suppression(ADDRESS, ADDRESS, reason, at(1), one.campaign_id)]

    @pytest.mark.parametrize("one_event", [hard_bounce(1, suppress=False), soft_bounce(1), opened(1)])
    def test_anybody_else_is_not(self, one_event: DeliveryEvent) -> None:
        one = OneContact(Accepted())
        one.tell(replace(one_event, tags=one.tags))
        assert one.listed == []

    def test_the_address_of_a_contact_that_is_gone_is_the_one_that_was_reported(self) -> None:
        one = OneContact()
        gone = replace(one.tags, contact_id="gone")
        complaint = replace(event(EventType.COMPLAINT, 1, gone), recipient="Gone@Mail.Example")
        one.tell(complaint, replace(complaint, recipient=None), replace(complaint, recipient="not one"))
        assert [(entry.key, entry.address) for entry in one.listed] == [
            ("gone@mail.example", "Gone@Mail.Example")
        ]

    @pytest.mark.parametrize("write", ["contacts", "suppressions"])
    def test_what_a_crash_between_the_writes_left_out_is_made_up_for(self, write: str) -> None:
        one = OneContact(Accepted())
        ports = one.world.track_ports
        crashing = replace(ports, **{write: Crashing(getattr(ports, write))})  # type: ignore[arg-type]
        bounce = hard_bounce(1, one.tags)
        with pytest.raises(ConnectionError):
            track(bounce, crashing)
        assert track(bounce, ports) in (Tracked.APPLIED, Tracked.NOTHING_NEW)
        assert (one.contact.status, len(one.listed)) == (ERROR, 1)
        assert one.totals.bounced == one.totals.by_status[ERROR] == 1


class Crashing:
    """A store whose writes are done and never answered."""

    def __init__(self, store: object) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        def call(*args: object) -> object:
            answer = getattr(self._store, name)(*args)
            if name in ("record", "add"):
                raise ConnectionError
            return answer

        return call


class Racing(FakeContactStore):
    """A store in which somebody else is quicker, the first so many times."""

    def __init__(self, store: FakeContactStore, first: list[DeliveryEvent], one: OneContact) -> None:
        self.__dict__ = store.__dict__
        self._others, self._one, self.tries = first, one, 0

    def record(self, account_id: str, campaign_id: str, seen: Contact, known: Contact) -> bool:
        self.tries += 1
        if self._others:
            self._one.tell(self._others.pop(0))
        return super().record(account_id, campaign_id, seen, known)


class TestTwoAtOnce:
    def test_who_loses_reads_again(self) -> None:
        one = OneContact(Accepted())
        racing = Racing(one.world.contacts, [opened(2, one.tags)], one)
        assert track(event(EventType.DELIVERY, 1, one.tags), replace(one.world.track_ports, contacts=racing))
        assert (one.contact.status, one.contact.delivered_at, one.contact.opened_at) == (OPENED, at(1), at(2))
        assert racing.tries == 2

    def test_the_sender_is_one_of_them(self) -> None:
        one = OneContact()
        token = one.world.contacts.claim(ACCOUNT, one.order, "t", 1, one.world.clock.now())
        assert token is not None

        class Settling(FakeContactStore):
            def __init__(self) -> None:
                self.__dict__ = one.world.contacts.__dict__

            def record(self, account_id: str, campaign_id: str, seen: Contact, known: Contact) -> bool:
                self.settle(account_id, one.order, "t", Settlement(SENT, at(0.5)))
                return super().record(account_id, campaign_id, seen, known)

        track(event(EventType.DELIVERY, 1, one.tags), replace(one.world.track_ports, contacts=Settling()))
        assert (one.contact.status, one.contact.sent_at) == (DELIVERED, at(0.5))

    def test_the_race_ends(self) -> None:
        one = OneContact(Accepted())
        others = [opened(30 - number, one.tags) for number in range(20)]
        racing = Racing(one.world.contacts, others, one)
        with pytest.raises(TimeoutError):
            track(event(EventType.DELIVERY, 1, one.tags), replace(one.world.track_ports, contacts=racing))
        assert racing.tries < 20


class TestTrouble:
    def test_it_is_told_once_for_each_message_and_kind(self) -> None:
        one = OneContact(Accepted())
        bounce, complaint = hard_bounce(1, one.tags), event(EventType.COMPLAINT, 2, one.tags)
        one.tell(bounce, complaint, bounce, complaint, hard_bounce(3, one.tags), hard_bounce(0.5, one.tags))
        one.tell(soft_bounce(1, one.tags), opened(3, one.tags))
        assert one.world.troubles == [
            (EventType.BOUNCE, one.contact.contact_id),
            (EventType.COMPLAINT, one.contact.contact_id),
        ]

    def test_parts_leave_the_totals_with_their_generation(self) -> None:
        one = OneContact(Accepted())
        one.tell(hard_bounce(1, one.tags), event(EventType.COMPLAINT, 2, one.tags))
        assert (one.totals.bounced, one.totals.complained) == (1, 1)
        pause_campaign(ACCOUNT, one.campaign_id, None, one.world.campaign_ports)
        one.world.suppressions.remove(ACCOUNT, ADDRESS)  # a person takes it off: else nobody is written to
        resend_errors(ACCOUNT, one.campaign_id, False, None, one.world.campaign_ports)
        one.world.visit(one.campaign_id)
        assert (one.contact.generation, one.contact.bounced_at) == (2, None)
        assert (one.totals.bounced, one.totals.complained) == (0, 0)
