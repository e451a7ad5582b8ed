"""SES identities: whose they are, how their verification is followed, and what a line may do with them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery import Accepted, Reason, Refused, Scope, TryLater
from chalicelib.domain.identity import (
    OTHERS_FIRST,
    UNVERIFIED_FOR,
    IdentityReport,
    SendingQuota,
    VerificationState,
)
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Connection, ConnectionState, Line, LinePlan, SesChannel
from chalicelib.errors import Conflict, Invalid
from chalicelib.flow.campaign import launch_campaign
from chalicelib.flow.identities import release_identity
from chalicelib.flow.lines import (
    NewLine,
    add_line,
    ask_for_connection,
    ask_for_due_checks,
    give_up_connecting,
    prove_line,
    remove_line,
)
from tests.fakes.identities import record
from tests.fakes.world import ACCOUNT, STRANGER, World

DOMAIN, ADDRESS = "shop.example", "news@shop.example"
CONNECTED, FAILED, VERIFYING = ConnectionState.CONNECTED, ConnectionState.FAILED, ConnectionState.VERIFYING
BUSY = TryLater(Reason("ses_busy", "Busy."), Scope.RATE)
NO = Refused(Reason("ses_paused", "Paused."), Scope.LINE)


def new(identity: str = DOMAIN, from_address: str = ADDRESS, limits: LineLimits | None = None) -> NewLine:
    return NewLine("Shop", SesChannel(identity), "", from_address, "Shop", None, limits or LineLimits())


def world() -> World:
    made = World()
    made.accounts.add(Account(STRANGER, "Stranger", LinePlan.PURCHASED, made.clock.now()))
    return made


def connect(world: World, line: Line, account: str = ACCOUNT) -> Connection:
    """A person connects the line, and the job runs."""
    ask_for_connection(account, line.line_id, world.line_ports)
    return prove(world, line, account)


def prove(world: World, line: Line, account: str = ACCOUNT) -> Connection:
    prove_line(account, line.line_id, world.proof_ports)
    return world.lines.get(account, line.line_id).connection


def reason_code(connection: Connection) -> str | None:
    return connection.reason.code if connection.reason else None


def connected(world: World, identity: str = DOMAIN, account: str = ACCOUNT, **kind: LineLimits) -> Line:
    """A line whose identity SES calls verified."""
    world.verifier.verified(identity)
    line = add_line(account, new(identity, **kind), world.line_ports)
    assert connect(world, line, account).state is CONNECTED
    return world.lines.get(account, line.line_id)


class TestFromAddress:
    @pytest.mark.parametrize("address", ["News@shop.example", "a@shop.example", "a@mail.shop.example"])
    def test_an_address_of_the_domain_is_taken_as_it_is(self, address: str) -> None:
        assert add_line(ACCOUNT, new(DOMAIN, address), world().line_ports).from_address == address

    def test_an_address_that_is_the_identity_is_written_as_ses_knows_it(self) -> None:
        assert (
            add_line(ACCOUNT, new(ADDRESS, "News@Shop.example"), world().line_ports).from_address == ADDRESS
        )

    @pytest.mark.parametrize(
        ("identity", "address"),
        [
            (DOMAIN, "a@example"),
            (DOMAIN, "a@other.example"),
            (DOMAIN, "a@notshop.example"),
            ("mail.shop.example", ADDRESS),
            (ADDRESS, "other@shop.example"),
            (ADDRESS, "news@mail.shop.example"),
        ],
    )
    def test_any_other_is_a_wrong_field_and_claims_nothing(self, identity: str, address: str) -> None:
        made = world()
        with pytest.raises(Invalid) as caught:
            add_line(ACCOUNT, new(identity, address), made.line_ports)
        assert [error.field for error in caught.value.errors] == ["from_address"]
        assert made.identities.holder(identity) is None
        assert made.lines.page(ACCOUNT, None, 10).items == []


class TestWhoseItIs:
    def test_it_is_the_accounts_with_its_first_line_and_another_account_is_refused(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        assert made.identities.holder(DOMAIN) == ACCOUNT
        assert line.password == b""
        with pytest.raises(Conflict) as caught:
            add_line(STRANGER, new(), made.line_ports)
        assert caught.value.code == "identity_not_yours"
        assert ACCOUNT not in str(caught.value)
        assert made.lines.page(STRANGER, None, 10).items == []

    def test_the_refusal_is_in_the_same_words_whatever_the_cause(self) -> None:
        made = world()
        line = connected(made)
        texts = set()
        for _ in range(2):
            with pytest.raises(Conflict) as caught:
                add_line(STRANGER, new(), made.line_ports)
            texts.add(str(caught.value))
            made.identities.set_verified(ACCOUNT, DOMAIN, made.clock.now(), verified=False)
        assert len(texts) == 1
        assert made.lines.get(ACCOUNT, line.line_id).connection.state is CONNECTED

    def test_an_account_may_have_several_lines_of_one_identity(self) -> None:
        made = world()
        connected(made)
        assert connect(made, add_line(ACCOUNT, new(), made.line_ports)).state is CONNECTED

    def test_nobody_squats_an_identity_for_ever(self) -> None:
        made = world()
        squat = add_line(ACCOUNT, new(), made.line_ports)
        connect(made, squat)
        with pytest.raises(Conflict):
            add_line(STRANGER, new(), made.line_ports)
        made.clock.wait(hours=71)
        connect(made, squat)  # asking again prolongs nothing
        made.clock.wait(hours=1)
        with pytest.raises(Conflict):  # and others come first
            ask_for_connection(ACCOUNT, squat.line_id, made.line_ports)
        owner = add_line(STRANGER, new(), made.line_ports)
        assert connect(made, owner, STRANGER).state is VERIFYING
        assert reason_code(prove(made, squat)) == "identity_not_yours"

    def test_removing_and_adding_a_line_does_not_renew_a_contested_claim(self) -> None:
        made = world()
        squat = add_line(ACCOUNT, new(), made.line_ports)
        with pytest.raises(Conflict):
            add_line(STRANGER, new(), made.line_ports)
        remove_line(ACCOUNT, squat.line_id, made.line_ports)
        made.connect_queue.take()
        assert release_identity(ACCOUNT, DOMAIN, made.proof_ports.of_identities)
        with pytest.raises(Conflict):
            add_line(ACCOUNT, new(), made.line_ports)
        add_line(STRANGER, new(), made.line_ports)

    def test_a_lapsed_claim_nobody_asked_for_is_renewed_by_connecting(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        connect(made, line)
        made.clock.wait(hours=80)
        assert reason_code(prove(made, line)) == "identity_not_verified_in_time"
        assert connect(made, line).state is VERIFYING

    def test_what_ses_lets_us_send_from_because_of_anothers_domain_is_refused(self) -> None:
        made = world()
        connected(made)
        made.verifier.verified(ADDRESS, DOMAIN)
        line = add_line(STRANGER, new(ADDRESS), made.line_ports)
        found = connect(made, line, STRANGER)
        assert (found.state, reason_code(found)) == (FAILED, "identity_not_yours")
        claim = made.identities.find(STRANGER, ADDRESS)
        assert claim is not None
        assert not claim.verified

    def test_what_ses_inherits_from_a_domain_nobody_claimed_is_refused(self) -> None:
        made = world()
        made.verifier.verified(ADDRESS, DOMAIN)  # the operator's own, say
        assert (
            reason_code(connect(made, add_line(ACCOUNT, new(ADDRESS), made.line_ports)))
            == "identity_not_yours"
        )

    def test_an_address_in_the_accounts_own_verified_domain_is_fine(self) -> None:
        made = world()
        connected(made)
        made.verifier.verified(ADDRESS, DOMAIN)
        assert connect(made, add_line(ACCOUNT, new(ADDRESS), made.line_ports)).state is CONNECTED

    def test_own_address_waits_until_its_domain_is_known_to_be_verified(self) -> None:
        made = world()
        add_line(ACCOUNT, new(DOMAIN), made.line_ports)
        made.verifier.verified(ADDRESS, DOMAIN)
        line = add_line(ACCOUNT, new(ADDRESS), made.line_ports)
        assert connect(made, line).state is VERIFYING
        made.identities.set_verified(ACCOUNT, DOMAIN, made.clock.now(), verified=True)
        assert prove(made, line).state is CONNECTED

    def test_an_address_proven_before_its_domain_stays_its_owners(self) -> None:
        made = world()
        line = connected(made, ADDRESS)
        connected(made, DOMAIN, STRANGER)
        assert prove(made, line).state is CONNECTED


class TestVerification:
    def test_it_is_begun_by_connecting_and_shows_what_to_publish(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        assert made.verifier.begun == {}
        found = connect(made, line)
        assert made.verifier.begun == {DOMAIN: ACCOUNT}
        assert (found.state, reason_code(found)) == (VERIFYING, "identity_not_verified")
        assert found.verification is not None
        assert found.verification.records == (record(DOMAIN),)
        assert found.verification.until == made.clock.now() + UNVERIFIED_FOR
        assert made.prover.passwords == []

    def test_the_tick_asks_again_when_the_check_is_due_and_not_before(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        connect(made, line)
        made.connect_queue.take()
        assert ask_for_due_checks(made.lines, made.connect_queue, made.clock) == 0
        made.clock.wait(minutes=1)
        assert ask_for_due_checks(made.lines, made.connect_queue, made.clock) == 1
        assert made.connect_queue.take() == [{"account_id": ACCOUNT, "line_id": line.line_id}]
        made.verifier.verified(DOMAIN)
        found = prove(made, line)
        assert (found.state, found.reason) == (CONNECTED, None)
        assert found.check_at == made.clock.now() + timedelta(days=1)
        claim = made.identities.find(ACCOUNT, DOMAIN)
        assert claim is not None
        assert claim.verified

    def test_it_is_asked_for_72_hours_and_then_given_up(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        found, asked = connect(made, line), 0
        while found.state is VERIFYING:
            assert found.check_at is not None
            made.clock.wait(seconds=(found.check_at - made.clock.now()).total_seconds())
            found, asked = prove(made, line), asked + 1
            assert asked < 200
        assert (found.state, reason_code(found)) == (FAILED, "identity_not_verified_in_time")
        assert found.check_at is None
        assert found.verification is not None
        assert found.verification.records == (record(DOMAIN),)

    def test_when_ses_gives_up_a_person_is_told_and_can_begin_anew(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        connect(made, line)
        made.verifier.reports[DOMAIN] = IdentityReport(VerificationState.FAILED, (record(DOMAIN),))
        found = prove(made, line)
        assert (found.state, reason_code(found), found.check_at) == (FAILED, "identity_failed", None)
        assert made.verifier.anew == []
        connect(made, line)
        assert made.verifier.anew == [DOMAIN]

    def test_connecting_an_address_again_has_another_mail_sent_to_it(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(ADDRESS), made.line_ports)
        connect(made, line)
        prove(made, line)
        assert made.verifier.anew == []
        connect(made, line)
        assert made.verifier.anew == [ADDRESS]

    def test_connecting_a_pending_or_verified_domain_again_keeps_its_records(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        connect(made, line)
        connect(made, line)
        made.verifier.verified(DOMAIN)
        connect(made, line)
        connect(made, line)
        assert made.verifier.anew == []

    def test_a_verified_identity_that_loses_its_records_stops_sending_and_begins_to_lapse(self) -> None:
        made = world()
        line = connected(made)
        made.clock.wait(days=9)
        made.verifier.reports[DOMAIN] = IdentityReport(VerificationState.PENDING, (record(DOMAIN),))
        found = prove(made, line)
        assert found.state is VERIFYING
        assert found.verification is not None
        assert found.verification.until == made.clock.now() + UNVERIFIED_FOR
        made.clock.wait(hours=72)
        add_line(STRANGER, new(), made.line_ports)

    @pytest.mark.parametrize("trouble", [BUSY, TryLater(Reason("ses_unreachable", "Away."), Scope.LINE)])
    def test_without_an_answer_it_is_asked_again_and_a_working_line_works_on(self, trouble: TryLater) -> None:
        made = world()
        line, waiting = connected(made), add_line(ACCOUNT, new(ADDRESS), made.line_ports)
        made.verifier.trouble = trouble
        found = prove(made, line)
        assert (found.state, found.reason) == (CONNECTED, None)
        assert found.check_at == made.clock.now() + timedelta(minutes=5)
        found = connect(made, waiting)
        assert (found.state, found.reason) == (VERIFYING, trouble.reason)
        assert found.check_at == made.clock.now() + timedelta(minutes=5)

    def test_a_clear_no_ends_it(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        made.verifier.trouble = NO
        found = connect(made, line)
        assert (found.state, found.reason, found.check_at) == (FAILED, NO.reason, None)

    def test_a_check_that_comes_late_does_not_bring_back_what_failed(self) -> None:
        made = world()
        line = connected(made)
        failed = line.connection.failed(made.clock.now(), NO.reason)
        made.lines.set_connection(ACCOUNT, line.line_id, failed)
        assert prove(made, line) == failed
        assert connect(made, line).state is CONNECTED

    def test_giving_up_a_proof_keeps_what_was_known(self) -> None:
        made = world()
        line = add_line(ACCOUNT, new(), made.line_ports)
        shown = connect(made, line).verification
        ask_for_connection(ACCOUNT, line.line_id, made.line_ports)
        give_up_connecting(ACCOUNT, line.line_id, NO.reason, made.lines, made.clock)
        connection = made.lines.get(ACCOUNT, line.line_id).connection
        assert (connection.state, connection.verification) == (FAILED, shown)


class TestQuota:
    def test_the_lines_limits_never_exceed_it(self) -> None:
        made = world()
        line = connected(made, limits=LineLimits(per_second=2, per_hour=100, per_day=1_000_000))
        assert line.connection.quota == LineLimits(per_second=14, per_day=50_000)
        assert line.connection.size_limit == 40_000_000
        assert line.limits_in_force == LineLimits(per_second=2, per_hour=100, per_day=50_000)
        assert line.limits == LineLimits(per_second=2, per_hour=100, per_day=1_000_000)

    def test_slots_are_given_out_within_it(self) -> None:
        made = world()
        made.verifier.allowance = SendingQuota(LineLimits(per_second=1, per_day=3))
        line = connected(made)
        campaign = made.add_campaign(5, line_ids=(line.line_id,)).campaign_id
        launch_campaign(ACCOUNT, campaign, None, made.campaign_ports)
        assert len({order.slot_at for order in made.visit(campaign)}) == 3

    def test_it_is_read_again_once_a_day(self) -> None:
        made = world()
        line = connected(made)
        made.verifier.allowance = SendingQuota(LineLimits(per_second=1))
        made.clock.wait(days=1)
        assert ask_for_due_checks(made.lines, made.connect_queue, made.clock) == 1
        assert prove(made, line).quota == LineLimits(per_second=1)

    def test_the_sandbox_is_told_and_a_pause_of_everything_takes_the_line_out_of_use(self) -> None:
        made = world()
        made.verifier.verified(DOMAIN)
        made.verifier.allowance = SendingQuota(LineLimits(per_second=1), sandbox=True)
        line = add_line(ACCOUNT, new(), made.line_ports)
        found = connect(made, line)
        assert (found.state, reason_code(found)) == (CONNECTED, "ses_sandbox")
        made.verifier.allowance = NO
        assert prove(made, line).reason == NO.reason
        assert prove(made, line).state is FAILED


class TestLastLine:
    def test_the_identity_goes_with_the_last_line_that_uses_it(self) -> None:
        made = world()
        one, two = connected(made), connected(made)
        for line, released in ((one, False), (two, True)):
            made.connect_queue.take()
            remove_line(ACCOUNT, line.line_id, made.line_ports)
            (job,) = made.connect_queue.take()
            assert job == {"account_id": ACCOUNT, "identity": DOMAIN}
            assert release_identity(ACCOUNT, DOMAIN, made.proof_ports.of_identities) is released
        assert made.identities.holder(DOMAIN) is None
        assert made.verifier.begun == {}
        assert release_identity(ACCOUNT, DOMAIN, made.proof_ports.of_identities)

    def test_a_job_that_was_lost_is_made_up_for_when_somebody_asks_for_the_identity(self) -> None:
        made = world()
        line = connected(made)
        remove_line(ACCOUNT, line.line_id, made.line_ports)
        made.connect_queue.take()  # lost
        with pytest.raises(Conflict):
            add_line(STRANGER, new(), made.line_ports)
        (job,) = made.connect_queue.take()
        release_identity(job["account_id"], job["identity"], made.proof_ports.of_identities)
        add_line(STRANGER, new(), made.line_ports)

    def test_asking_for_an_identity_that_is_used_takes_nothing_away(self) -> None:
        made = world()
        line = connected(made)
        made.connect_queue.take()
        with pytest.raises(Conflict):
            add_line(STRANGER, new(), made.line_ports)
        (job,) = made.connect_queue.take()
        assert not release_identity(job["account_id"], job["identity"], made.proof_ports.of_identities)
        assert prove(made, line).state is CONNECTED

    def test_another_accounts_identity_is_not_given_up_by_a_message(self) -> None:
        made = world()
        connected(made)
        release_identity(STRANGER, DOMAIN, made.proof_ports.of_identities)
        assert (made.identities.holder(DOMAIN), made.verifier.begun) == (ACCOUNT, {DOMAIN: ACCOUNT})


class TestSending:
    def running(self, made: World) -> str:
        line = connected(made)
        campaign = made.add_campaign(1, line_ids=(line.line_id,)).campaign_id
        launch_campaign(ACCOUNT, campaign, None, made.campaign_ports)
        return campaign

    def test_it_needs_no_password_and_keeps_the_servers_id(self) -> None:
        made = world()
        campaign = self.running(made)
        made.channel.outcomes["c0@mail.example"] = [Accepted("0100-abc")]
        (order,) = made.visit(campaign)
        made.sender().send(order, made.stop_at())
        assert made.channel.passwords == [""]
        contact = made.only(campaign)
        assert (contact.status, contact.remote_id) == (ContactStatus.SENT, "0100-abc")

    @pytest.mark.parametrize("loss", ["released", "unverified", "anothers"])
    def test_a_line_whose_identity_is_not_the_accounts_sends_nothing(self, loss: str) -> None:
        made = world()
        campaign = self.running(made)
        (order,) = made.visit(campaign)
        now = made.clock.now()
        if loss == "unverified":
            made.identities.set_verified(ACCOUNT, DOMAIN, now, verified=False)
        else:
            made.identities.release(ACCOUNT, DOMAIN, now)
        if loss == "anothers":
            made.identities.claim(STRANGER, DOMAIN, now)
            made.identities.set_verified(STRANGER, DOMAIN, now, verified=True)
        assert made.sender().send(order, made.stop_at()) is None
        assert made.channel.accepted == []
        connection = made.lines.get(ACCOUNT, order.line_id).connection
        assert (connection.state, reason_code(connection)) == (FAILED, "identity_not_yours")
        assert connection.verification is not None
        assert made.only(campaign).status is ContactStatus.NOT_SENT

    def test_it_is_checked_again_while_a_sender_stays_warm(self) -> None:
        made = world()
        campaign = self.running(made)
        sender, (order,) = made.sender(), made.visit(campaign)
        sender.send(order, made.stop_at())
        made.identities.release(ACCOUNT, DOMAIN, made.clock.now())
        made.add_people(campaign, "late@mail.example")
        made.clock.wait(seconds=31)
        (order,) = made.visit(campaign)
        sender.send(order, made.stop_at())
        assert made.channel.recipients() == ["c0@mail.example"]

    def test_a_used_up_quota_is_waited_for_and_never_takes_the_line_out_of_use(self) -> None:
        made = world()
        campaign = self.running(made)
        hour = timedelta(hours=1)
        used_up = TryLater(Reason("sending_quota_used_up", "Used up."), Scope.LINE, hour)
        made.channel.outcomes["c0@mail.example"] = [used_up] * 8
        for _ in range(8):
            (order,) = made.visit(campaign)
            made.sender().send(order, made.stop_at())
            assert made.visit(campaign) == []
            made.clock.wait(hours=1, seconds=1)
        assert made.lines.get(ACCOUNT, order.line_id).connection.state is CONNECTED
        assert made.only(campaign).failures == 0


def test_others_have_a_day_before_a_contested_claim_is_renewed() -> None:
    made = world()
    line = add_line(ACCOUNT, new(), made.line_ports)
    with pytest.raises(Conflict):
        add_line(STRANGER, new(), made.line_ports)
    made.clock.wait(seconds=(UNVERIFIED_FOR + OTHERS_FIRST).total_seconds() - 1)
    with pytest.raises(Conflict):
        ask_for_connection(ACCOUNT, line.line_id, made.line_ports)
    made.clock.wait(seconds=1)
    assert connect(made, replace(line)).state is VERIFYING
