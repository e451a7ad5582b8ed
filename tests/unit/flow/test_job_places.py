"""Places of jobs: an account has so many at once, one looks at a line or a domain, and no place is lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from chalicelib.domain.api_call import CALL_IS_OVER
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import new_id, the_same_ids
from chalicelib.domain.job_place import JobPlace, PlaceKind, export_place, read_place
from chalicelib.domain.line import Connection, ConnectionState
from chalicelib.domain.personal_data import JobKind
from chalicelib.domain.quota import Quota
from chalicelib.errors import Conflict, NotFound, Outdated, QuotaReached
from chalicelib.flow.advice import advise_on_line, ask_for_advice, give_up_advising
from chalicelib.flow.campaign import delete_campaign
from chalicelib.flow.domains import add_domain, ask_for_check, check_domain
from chalicelib.flow.lines import (
    ask_for_connection,
    give_up_connecting,
    prove_line,
    remove_line,
    replace_password,
)
from chalicelib.flow.personal_data import ask_for_personal_data
from chalicelib.flow.preflight import check_contacts, start_preflight
from chalicelib.flow.report import start_export
from chalicelib.flow.suppressions import start_list_export
from tests.fakes.queues import FakeJobQueue
from tests.fakes.world import ACCOUNT, STRANGER, World
from tests.unit.flow.test_quotas import Meanwhile

Step = Callable[[World], object]
NAME = "shop.example"
WHY = Reason("gave_up", "It did not end.")


@pytest.fixture
def world() -> World:
    """A world with two lines, two campaigns and a domain."""
    made = World()
    for line_id in ("line1", "line2"):
        made.add_line(line_id)
    for _ in range(2):
        made.add_campaign(0)
    add_domain(ACCOUNT, NAME, made.domain_ports)
    return made


def first_campaign(world: World) -> str:
    return world.campaigns.page(ACCOUNT, None, 10).items[-1].campaign_id


def export(world: World) -> str:
    return start_export(ACCOUNT, first_campaign(world), world.export_ports).export_id


def preflight(world: World) -> str:
    return start_preflight(ACCOUNT, first_campaign(world), world.preflight_ports).preflight_id


def erasure(world: World) -> str:
    ports = world.personal_data_ports
    return ask_for_personal_data(ACCOUNT, JobKind.ERASURE, "ann@mail.example", ports).job_id


JOBS: list[Step] = [
    export,
    preflight,
    erasure,
    lambda world: start_list_export(ACCOUNT, world.list_ports),
]


@dataclass(frozen=True)
class Check:
    """A look at one thing: asked for, done by its job, given up; and another one of the same account."""

    ask: Step
    work: Step
    other: Step
    queue: Callable[[World], FakeJobQueue]
    gone: Step


CHECKS = [
    Check(
        lambda world: ask_for_connection(ACCOUNT, "line1", world.line_ports),
        lambda world: prove_line(ACCOUNT, "line1", world.proof_ports),
        lambda world: ask_for_connection(ACCOUNT, "line2", world.line_ports),
        lambda world: world.connect_queue,
        lambda world: remove_line(ACCOUNT, "line1", world.line_ports),
    ),
    Check(
        lambda world: ask_for_advice(ACCOUNT, "line1", world.advice_ports),
        lambda world: advise_on_line(ACCOUNT, "line1", world.advising_ports),
        lambda world: ask_for_advice(ACCOUNT, "line2", world.advice_ports),
        lambda world: world.check_queue,
        lambda world: remove_line(ACCOUNT, "line1", world.line_ports),
    ),
    Check(
        lambda world: ask_for_check(ACCOUNT, NAME, world.domain_ports),
        lambda world: check_domain(ACCOUNT, NAME, world.domain_check_ports),
        lambda world: ask_for_connection(ACCOUNT, "line2", world.line_ports),
        lambda world: world.check_queue,
        lambda world: world.domains.remove(ACCOUNT, NAME),
    ),
]


class TestJobs:
    @pytest.mark.parametrize("step", JOBS)
    def test_one_too_many_is_refused_and_begins_nothing(self, world: World, step: Step) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 2)
        export(world)
        step(world)
        queued = len(world.export_queue.messages)
        with pytest.raises(QuotaReached) as refused:
            step(world)
        assert (refused.value.quota, refused.value.limit) == (Quota.JOBS, 2)
        assert len(world.export_queue.messages) == queued == len(world.usage.get(ACCOUNT).places)

    def test_of_five_hundred_the_usual_number_is_taken(self, world: World) -> None:
        for _ in range(20):
            export(world)
        for _ in range(480):
            with pytest.raises(QuotaReached):
                export(world)
        assert len(world.export_queue.messages) == 20

    def test_what_another_account_has_counts_for_nobody_else(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 1)
        start_list_export(STRANGER, world.list_ports)
        export(world)

    def test_what_is_done_or_failed_makes_room(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 2)
        one, other = export(world), export(world)
        world.exports.progress(ACCOUNT, one, 0)
        with pytest.raises(QuotaReached):
            export(world)
        world.exports.finish(ACCOUNT, one, {}, world.clock.now())
        world.exports.fail(ACCOUNT, other, WHY, world.clock.now())
        third, fourth = erasure(world), preflight(world)
        with pytest.raises(QuotaReached):
            export(world)
        world.personal_data.begin(ACCOUNT, third)
        world.personal_data.finish(ACCOUNT, third, world.clock.now())
        check_contacts(ACCOUNT, first_campaign(world), fourth, world.checking_ports)
        export(world)
        export(world)

    def test_a_preflight_in_place_of_another_makes_room_when_it_is_sure_to_be_stored(
        self, world: World
    ) -> None:
        """An earlier one in the table may mean that the later one is yet to be put there."""
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 2)
        preflight(world)
        preflight(world)
        with pytest.raises(QuotaReached):
            preflight(world)
        world.clock.wait(seconds=CALL_IS_OVER.total_seconds())
        preflight(world)

    def test_a_deleted_campaign_takes_the_place_of_its_preflight_along(self, world: World) -> None:
        """Nothing names it any more."""
        one = first_campaign(world)
        preflight(world)
        export(world)
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        world.purge_deleted()
        assert [place.kind for place in world.usage.get(ACCOUNT).places] == [PlaceKind.EXPORT]

    @pytest.mark.parametrize("step", JOBS)
    def test_a_job_that_never_ends_gives_way_after_a_day(self, world: World, step: Step) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 1)
        step(world)
        world.clock.wait(hours=23)
        with pytest.raises(QuotaReached):
            step(world)
        world.clock.wait(hours=1)
        step(world)

    def test_a_place_without_a_job_is_held_while_its_call_may_last(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 1)
        with world.places.hold(ACCOUNT, export_place(new_id(world.clock.now()))):
            pass
        with pytest.raises(QuotaReached):
            export(world)
        world.clock.wait(seconds=CALL_IS_OVER.total_seconds())
        export(world)

    def test_a_job_that_could_not_be_queued_gives_its_place_back(self, world: World) -> None:
        ports = replace(world.export_ports, export_queue=BrokenQueue())
        with pytest.raises(ConnectionError):
            start_export(ACCOUNT, first_campaign(world), ports)
        assert world.usage.get(ACCOUNT).places == ()

    def test_the_same_job_once_more_takes_no_second_place_and_is_queued_again(self, world: World) -> None:
        """As after a call that broke off, and comes again under its Idempotency-Key."""
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 1)
        for _ in range(2):
            with the_same_ids(b"seed", world.clock.now()):
                export(world)
        assert len(world.export_queue.messages) == 2
        assert len(world.usage.get(ACCOUNT).places) == 1

    def test_of_two_that_ask_at_once_one_gets_the_last_place(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.JOBS, 1)
        places = replace(world.places, usage=Meanwhile(world, lambda: export(world)))
        with pytest.raises(QuotaReached):
            start_export(ACCOUNT, first_campaign(world), replace(world.export_ports, places=places))
        assert len(world.export_queue.messages) == 1

    def test_who_never_gets_a_turn_is_told_to_repeat(self, world: World) -> None:
        places = replace(world.places, usage=Meanwhile(world, lambda: export(world), 99))
        with pytest.raises(Outdated):
            start_export(ACCOUNT, first_campaign(world), replace(world.export_ports, places=places))


@pytest.mark.parametrize("check", CHECKS, ids=["connection", "advice", "domain"])
class TestChecks:
    def test_who_asks_while_one_is_under_way_waits_with_it(self, world: World, check: Check) -> None:
        for _ in range(3):
            check.ask(world)
        assert len(check.queue(world).take()) == 1
        world.clock.wait(seconds=5)
        world.prover.answer = Connection(ConnectionState.CONNECTED, world.clock.now())
        check.work(world)
        check.ask(world)
        assert len(check.queue(world).take()) == 1

    def test_one_too_many_of_an_account_is_refused(self, world: World, check: Check) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.CHECKS, 1)
        check.other(world)
        queued = len(world.connect_queue.messages + world.check_queue.messages)
        with pytest.raises(QuotaReached) as refused:
            check.ask(world)
        assert refused.value.quota is Quota.CHECKS
        assert len(world.connect_queue.messages + world.check_queue.messages) == queued

    def test_one_that_never_ends_is_begun_again_after_five_minutes(self, world: World, check: Check) -> None:
        check.ask(world)
        world.clock.wait(minutes=4)
        check.ask(world)
        assert len(check.queue(world).take()) == 1
        world.clock.wait(minutes=1)
        check.ask(world)
        assert len(check.queue(world).take()) == 1

    def test_what_was_deleted_makes_room(self, world: World, check: Check) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.CHECKS, 1)
        check.ask(world)
        check.gone(world)
        world.clock.wait(seconds=CALL_IS_OVER.total_seconds())
        check.other(world)

    def test_the_same_call_once_more_is_queued_again(self, world: World, check: Check) -> None:
        for _ in range(2):
            with the_same_ids(b"seed", world.clock.now()):
                check.ask(world)
        assert len(check.queue(world).take()) == 2
        assert len(world.usage.get(ACCOUNT).places) == 1


def test_what_was_given_up_can_be_asked_for_at_once(world: World) -> None:
    ask_for_connection(ACCOUNT, "line1", world.line_ports)
    ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    give_up_connecting(ACCOUNT, "line1", WHY, world.lines, world.clock)
    give_up_advising(ACCOUNT, "line1", WHY, world.advice, world.clock)
    ask_for_connection(ACCOUNT, "line1", world.line_ports)
    ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    assert (len(world.connect_queue.take()), len(world.check_queue.take())) == (2, 2)


def test_a_password_is_not_replaced_while_the_other_one_is_proven(world: World) -> None:
    """The proof of the first one would have the last word on the second one."""
    ask_for_connection(ACCOUNT, "line1", world.line_ports)
    before = world.lines.get(ACCOUNT, "line1")
    with pytest.raises(Conflict) as refused:
        replace_password(ACCOUNT, "line1", "another", world.line_ports)
    assert refused.value.code == "line_connecting"
    assert world.lines.get(ACCOUNT, "line1") == before
    world.prover.answer = Connection(ConnectionState.FAILED, world.clock.now(), WHY)
    prove_line(ACCOUNT, "line1", world.proof_ports)
    replace_password(ACCOUNT, "line1", "another", world.line_ports)
    prove_line(ACCOUNT, "line1", world.proof_ports)
    assert world.prover.passwords[-1] == "another"


def test_nobody_takes_a_place_for_what_is_anothers(world: World) -> None:
    asks: list[Step] = [
        lambda world: ask_for_connection(STRANGER, "line1", world.line_ports),
        lambda world: ask_for_advice(STRANGER, "line1", world.advice_ports),
        lambda world: ask_for_check(STRANGER, NAME, world.domain_ports),
        lambda world: start_export(STRANGER, first_campaign(world), world.export_ports),
        lambda world: start_preflight(STRANGER, first_campaign(world), world.preflight_ports),
    ]
    for ask in asks:
        with pytest.raises(NotFound):
            ask(world)
    assert world.usage.get(STRANGER).places == ()


@pytest.mark.parametrize("kind", PlaceKind)
def test_a_place_is_read_as_it_was_written(world: World, kind: PlaceKind) -> None:
    place = JobPlace(kind, "a b", new_id(world.clock.now()))
    assert read_place(place.text) == place
    assert timedelta(0) <= world.clock.now() - place.since < timedelta(milliseconds=1)


class BrokenQueue(FakeJobQueue):
    """A queue that can't be reached."""

    def put(self, *_: object) -> None:  # type: ignore[override]
        raise ConnectionError
