"""Personal data of one address: all of them are handed out, and none is left after an erasure."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import Actor, ActorKind, Role
from chalicelib.domain.address import Address, contact_id, parse_address
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import SUPPRESSED, Contact, ContactStatus, Person
from chalicelib.domain.delivery import MessageTags, Reason, Refused, Scope, TryLater
from chalicelib.domain.delivery_event import BounceType, DeliveryEvent, EventType
from chalicelib.domain.dialog import DialogChange
from chalicelib.domain.job import JobState
from chalicelib.domain.member import Member, mint_invitation
from chalicelib.domain.personal_data import ROWS, JobKind, PersonalDataJob, without_person
from chalicelib.domain.preflight import Missing, Preflight
from chalicelib.domain.sample import Sample
from chalicelib.domain.suppression import ERASED, SuppressionReason
from chalicelib.errors import Invalid, NotFound
from chalicelib.flow.campaign import launch_campaign
from chalicelib.flow.personal_data import (
    PATIENCE,
    ask_for_personal_data,
    file_key,
    read_personal_data_job,
    work_on_personal_data,
)
from chalicelib.flow.resend import resend_errors
from chalicelib.flow.suppressions import allow_address, find_suppressed
from chalicelib.flow.track import track
from tests.fakes.world import ACCOUNT, STRANGER, World

NOT_SENT, PENDING, SENT, ERROR = (
    ContactStatus.NOT_SENT,
    ContactStatus.PENDING,
    ContactStatus.SENT,
    ContactStatus.ERROR,
)
ANN = "Ann@mail.example"
KEY = "ann@mail.example"
SAID = "550 5.1.1 <ann@mail.example> is unknown here"


def ask(world: World, kind: JobKind = JobKind.ERASURE, email: str = ANN) -> str:
    return ask_for_personal_data(ACCOUNT, kind, email, world.personal_data_ports).job_id


def one_pass(world: World) -> None:
    for message in world.export_queue.take():
        work_on_personal_data(
            message["account_id"], message["personal_data_id"], world.personal_data_work_ports
        )


def work(world: World, job_id: str) -> PersonalDataJob:
    """Passes until the job is over."""
    while world.export_queue.messages:
        one_pass(world)
    return world.personal_data.get(ACCOUNT, job_id)


def erase(world: World) -> PersonalDataJob:
    job = work(world, ask(world))
    assert job.state is JobState.DONE
    return job


def running(world: World) -> str:
    """A running campaign with Ann and somebody else."""
    one = world.running(1)
    world.add_people(one, ANN)
    return one


def launched(world: World, *emails: str) -> str:
    """A running campaign with these people and nobody else."""
    world.add_line()
    one = world.add_campaign(0).campaign_id
    world.add_people(one, *emails)
    launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    return one


def ann(world: World, campaign_id: str) -> Contact:
    return world.contacts.get(ACCOUNT, campaign_id, contact_id(campaign_id, KEY))


def send_all(world: World, campaign_id: str) -> None:
    for order in world.visit(campaign_id):
        world.sender().send(order, world.stop_at())


def everything_kept(world: World) -> str:
    """All that the stores hold of the account, as text."""
    stores = (
        world.contacts,
        world.dialogs,
        world.suppressions,
        world.samples,
        world.preflights,
        world.personal_data,
        world.members,
    )
    return " ".join(repr(vars(store)) for store in stores) + repr(world.files.contents)


def test_an_export_tells_what_is_kept_of_the_address_and_of_nobody_else() -> None:
    world = World()
    one = running(world)
    send_all(world, one)
    change = DialogChange(KEY, ANN, {"first_name": "Ann"}, tags=("VIP",))
    world.dialogs.change(ACCOUNT, "line1", [change], world.clock.now())
    world.suppress(ANN)
    world.samples.add(ACCOUNT, sample(world, one, "s1", ANN, ANN))
    world.samples.add(ACCOUNT, sample(world, one, "s2", "bob@mail.example", "bob@mail.example"))
    for email in (ANN, "bob@mail.example"):
        invite(world, email)
        join(world, ACCOUNT, email)
    join(world, STRANGER, "Ann@MAIL.example")
    job_id = ask(world, JobKind.EXPORT)
    assert read_personal_data_job(ACCOUNT, job_id, world.personal_data_ports)[1] is None
    job = work(world, job_id)
    assert (job.state, job.address, job.key) == (JobState.DONE, None, None)
    kinds = ("contacts", "dialogs", "suppressions", "test_messages", "invitations", "members")
    assert job.found == dict.fromkeys(kinds, 1)
    told = json.loads(world.files.contents[file_key(ACCOUNT, job)])
    assert told["address"] == ANN
    (contact,), (dialog,), (listed,), (test,) = (
        told[kind] for kind in ("contacts", "dialogs", "suppressions", "test_messages")
    )
    assert (contact["email"], contact["status"], contact["campaign"]) == (ANN, "sent", "Spring")
    assert contact["sent_at"] == world.clock.now().isoformat()
    assert (dialog["first_name"], dialog["tags"]) == ("Ann", ["VIP"])
    assert (listed["email"], listed["reasons"]) == (ANN, ["unsubscribed"])
    assert (test["to"], test["remote_id"]) == (ANN, None)
    assert [one["email"] for kind in ("invitations", "members") for one in told[kind]] == [ANN, ANN]
    assert told["members"][0]["role"] == "viewer"
    assert "c0@" not in str(told)
    assert "bob@" not in str(told)
    _, url = read_personal_data_job(ACCOUNT, job_id, world.personal_data_ports)
    assert url is not None
    assert ANN.lower() not in url.lower()


def invite(world: World, email: str) -> None:
    address = parse_address(email)
    assert isinstance(address, Address)
    made, _ = mint_invitation(ACCOUNT, address, Role.VIEWER, Actor(ActorKind.KEY, "k"), world.clock.now())
    world.members.add_invitation(ACCOUNT, made)


def join(world: World, account_id: str, email: str) -> None:
    owner = Member(account_id, f"{account_id} {email}", email, Role.VIEWER, world.clock.now())
    world.members.found(replace(world.accounts.get(ACCOUNT), account_id=account_id), owner)


def sample(world: World, campaign_id: str, sample_id: str, to: str, person: str) -> Sample:
    return Sample(sample_id, campaign_id, "line1", to, "contact", Person(person), 1, world.clock.now())


def test_nothing_of_the_person_is_left_where_the_stores_are_read() -> None:
    world = World()
    one = running(world)
    world.channel.outcomes[ANN] = [Refused(Reason("refused", SAID, reply_text=SAID), Scope.CONTACT)]
    send_all(world, one)
    change = DialogChange(KEY, ANN, {"first_name": "Ann"})
    world.dialogs.change(ACCOUNT, "line1", [change], world.clock.now())
    world.suppress(ANN)
    world.samples.add(ACCOUNT, sample(world, one, "s1", "me@shop.example", ANN))
    invite(world, ANN)
    invite(world, "bob@mail.example")
    identity = contact_id(one, KEY)
    missing = Missing("firstName", 1, ("subject",), identity, "Hello ann@mail.example")
    world.preflights.ask(ACCOUNT, Preflight("p", one, 1, JobState.QUEUED, world.clock.now()))
    world.preflights.finish(ACCOUNT, one, "p", 1, [missing], world.clock.now())
    work(world, ask(world, JobKind.EXPORT))
    assert "ann@" in everything_kept(world).lower()
    before = world.contacts.totals(ACCOUNT, one)
    job = erase(world)
    assert "ann@" not in everything_kept(world).lower()
    assert job.found == dict.fromkeys(ROWS, 1)
    assert [one.email for one in world.members.list_invitations(ACCOUNT)] == ["bob@mail.example"]
    assert world.contacts.totals(ACCOUNT, one) == before
    assert world.contacts.find(ACCOUNT, one, [contact_id(one, "c0@mail.example")])[0].person.email
    assert not world.files.contents


def test_who_waits_or_is_queued_is_not_written_to_any_more_and_the_totals_say_so() -> None:
    world = World()
    one = running(world)
    orders = world.visit(one)
    world.add_people(world.add_campaign(0).campaign_id, ANN)
    erase(world)
    for order in orders:
        world.sender().send(order, world.stop_at())
    assert world.channel.recipients() == ["c0@mail.example"]
    contact = ann(world, one)
    assert (contact.status, contact.reason, contact.lease_until) == (ERROR, ERASED, None)
    totals = world.contacts.totals(ACCOUNT, one)
    assert (totals.by_status[ERROR], totals.by_status[SENT], totals.suppressed) == (1, 1, 1)
    campaign = world.campaigns.get(ACCOUNT, one)
    assert world.visit(one) == []
    assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.FINISHED, campaign


def claimed(world: World) -> str:
    """A campaign whose message to Ann is being handed over right now."""
    one = launched(world, ANN)
    (order,) = world.visit(one)
    assert world.contacts.claim(ACCOUNT, order, "token", 1, world.clock.now())
    return one


def test_while_a_hand_over_may_be_under_way_the_job_is_not_done() -> None:
    world = World()
    one = claimed(world)
    job_id = ask(world)
    one_pass(world)
    contact = ann(world, one)
    assert (contact.status, contact.erased, contact.claim) == (PENDING, True, "token")
    one_pass(world)
    assert world.personal_data.get(ACCOUNT, job_id).state is JobState.RUNNING
    world.contacts._rows[ACCOUNT, one, contact.contact_id] = replace(  # what its sender writes after all
        contact, status=ERROR, reason=Reason("refused", SAID, reply_text=SAID), lease_until=None
    )
    assert work(world, job_id).state is JobState.DONE
    assert "ann@" not in everything_kept(world)
    assert world.contacts.totals(ACCOUNT, one).by_status[ERROR] == 1


def test_what_is_given_back_without_an_address_ends_at_the_next_sender() -> None:
    world = World()
    one = launched(world, ANN)
    (order,) = world.visit(one)
    world.channel.outcomes[ANN] = [TryLater(Reason("greylisted", SAID), Scope.CONTACT)]
    world.channel.after_data = lambda: (ask(world), one_pass(world))
    world.sender().send(order, world.stop_at())
    assert (ann(world, one).status, ann(world, one).erased) == (NOT_SENT, True)
    world.channel.after_data = lambda: None
    world.clock.wait(hours=5)
    send_all(world, one)
    assert world.channel.accepted == []
    contact = ann(world, one)
    assert contact.reason is not None
    assert (contact.status, contact.reason.code, contact.reason.text) == (ERROR, SUPPRESSED, ERASED.text)


def test_a_message_that_never_settles_ends_the_job_as_failed_and_the_person_is_gone() -> None:
    world = World()
    one = claimed(world)
    job_id = ask(world)
    one_pass(world)
    world.clock.wait(seconds=(PATIENCE + timedelta(minutes=1)).total_seconds())
    job = work(world, job_id)
    assert job.reason is not None
    assert (job.state, job.reason.code, job.address) == (JobState.FAILED, "still_in_flight", None)
    assert ann(world, one).erased


@pytest.mark.parametrize("text", [ANN, "ann@MAIL.example"])
def test_who_was_erased_is_not_written_to_when_a_file_brings_the_address_back(text: str) -> None:
    world = World()
    erase(world)
    one = launched(world, text, "bob@mail.example")
    send_all(world, one)
    assert world.channel.recipients() == ["bob@mail.example"]
    contact = ann(world, one)
    assert (contact.status, contact.reason) == (ERROR, ERASED)


def test_it_binds_a_sender_that_is_at_work_already() -> None:
    world = World()
    one = running(world)
    sender = world.sender()
    world.suppressions.erase(ACCOUNT, KEY, world.clock.now())
    for order in world.visit(one):
        sender.send(order, world.stop_at())
    assert world.channel.recipients() == ["c0@mail.example"]


def test_an_erased_contact_is_left_out_of_a_resend_and_reports_bring_no_address_back() -> None:
    world = World()
    one = running(world)
    send_all(world, one)
    erase(world)
    contact = ann(world, one)
    tags = MessageTags(ACCOUNT, one, contact.contact_id, 1, 1)
    why = Reason("bounced", SAID, reply_text=SAID)
    event = DeliveryEvent(EventType.BOUNCE, tags, world.clock.now(), why, BounceType.PERMANENT, suppress=True)
    track(event, world.track_ports)
    contact = ann(world, one)
    assert (contact.status, contact.reason and contact.reason.code) == (ERROR, "bounced")
    assert "ann@" not in everything_kept(world)
    send_all(world, one)
    world.clock.wait(minutes=1)
    resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    world.channel.accepted.clear()
    send_all(world, one)
    assert ann(world, one).generation == 1
    assert world.channel.accepted == []


def test_the_same_address_is_not_added_to_the_campaign_again() -> None:
    world = World()
    one = running(world)
    erase(world)
    world.add_people(one, ANN)
    assert ann(world, one).erased
    assert world.contacts.totals(ACCOUNT, one).contacts == 2


def test_a_request_for_an_address_nobody_has_is_done_and_remembered() -> None:
    world = World()
    job = erase(world)
    assert not sum(job.found.values())
    assert world.suppressions.find(ACCOUNT, [KEY])[KEY].erased
    assert world.suppressions.find(STRANGER, [KEY]) == {}


def test_an_erased_address_is_looked_up_and_let_back_in_only_by_a_person() -> None:
    world = World()
    world.suppress(ANN, SuppressionReason.COMPLAINED)
    erase(world)
    (found,) = find_suppressed(ACCOUNT, ANN, world.list_ports).items
    assert (found.erased, found.reason) == (True, SuppressionReason.COMPLAINED)
    assert world.suppressions.page(ACCOUNT, None, 10).items == []
    assert allow_address(ACCOUNT, ANN, world.list_ports).erased
    with pytest.raises(NotFound):
        allow_address(ACCOUNT, ANN, world.list_ports)


def test_a_job_that_comes_twice_or_after_its_end_does_nothing_more() -> None:
    world = World()
    one = running(world)
    job_id = ask(world)
    message = world.export_queue.messages[0]
    world.export_queue.messages.append(message)
    done = work(world, job_id)
    assert done.state is JobState.DONE
    world.add_people(world.add_campaign(0).campaign_id, ANN)
    kept = repr(vars(world.contacts))
    world.export_queue.messages.append(message)
    assert work(world, job_id) == done
    assert repr(vars(world.contacts)) == kept
    assert ann(world, one).erased


def test_a_member_of_the_account_stays_and_is_removed_by_an_owner() -> None:
    world = World()
    running(world)
    join(world, ACCOUNT, ANN)
    job = erase(world)
    assert [member.email for member in world.members.list_members(ACCOUNT)] == [ANN]
    assert "members" not in job.found


def test_another_accounts_data_are_neither_told_nor_touched() -> None:
    world = World()
    one = running(world)
    job = ask_for_personal_data(STRANGER, JobKind.ERASURE, ANN, world.personal_data_ports)
    while world.export_queue.messages:
        one_pass(world)
    assert ann(world, one).person.email == ANN
    assert world.suppressions.find(ACCOUNT, [KEY]) == {}
    with pytest.raises(NotFound):
        read_personal_data_job(ACCOUNT, job.job_id, world.personal_data_ports)


def test_what_is_no_address_is_refused() -> None:
    world = World()
    with pytest.raises(Invalid):
        ask(world, email="nobody")
    assert world.export_queue.take() == []


@pytest.mark.parametrize("status", ContactStatus)
def test_erasing_twice_is_erasing_once(status: ContactStatus) -> None:
    why = Reason("x", SAID, reply_text=SAID)
    contact = Contact("c", Person(ANN, "Ann"), status, claim="t", reason=why, remote_id="4Xq9")
    once = without_person(contact)
    assert without_person(once) == once
    assert once.status is (ERROR if status is NOT_SENT else status)
    assert "nn" not in f"{once.person}{once.reason}".replace("None", "")
    assert once.remote_id is None, "the log of the server that took the message has the address beside it"
