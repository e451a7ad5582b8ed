"""Quotas in the steps: who has as much as the account may have is refused, and nothing is begun."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.account import ApiKey, KeyWish
from chalicelib.domain.contact import Person
from chalicelib.domain.dialog import DialogChange, DialogSource
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import ImportJob, ImportProgress, JobState
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import SmtpChannel
from chalicelib.domain.quota import Quota
from chalicelib.domain.usage import Usage
from chalicelib.errors import Outdated, QuotaReached
from chalicelib.flow.accounts import create_key
from chalicelib.flow.contacts import add_contacts
from chalicelib.flow.dialog_contacts import start_from_dialogs
from chalicelib.flow.dialogs import start_dialog_file, tell_dialogs
from chalicelib.flow.domains import add_domain
from chalicelib.flow.imports import import_contacts, start_import, upload_key
from chalicelib.flow.lines import NewLine, add_line
from chalicelib.flow.quotas import FORM_IS_DEAD, IMPORT_IS_LOST, Leave
from chalicelib.flow.samples import Wish, ask_for_sample
from chalicelib.flow.suppressions import start_list_import
from tests.fakes.world import ACCOUNT, OWNER, STRANGER, World

Step = Callable[[World], object]
LINE = NewLine(
    "Second",
    SmtpChannel("smtp.shop.example", 587, "starttls", "news"),  # type: ignore[arg-type]
    "secret",
    "news@shop.example",
    "",
    None,
    LineLimits(),
)


def first_campaign(world: World) -> str:
    return world.campaigns.page(ACCOUNT, None, 10).items[-1].campaign_id


def start(world: World, size: int | None = None) -> ImportJob:
    return start_import(ACCOUNT, first_campaign(world), "a", "csv", world.contact_ports, size=size)[0]


IMPORTS: list[Step] = [
    start,
    lambda world: start_list_import(ACCOUNT, "a", "csv", world.list_ports),
    lambda world: start_dialog_file(ACCOUNT, "line1", "a", "csv", world.dialog_ports),
    lambda world: start_from_dialogs(
        ACCOUNT, first_campaign(world), DialogSource("line1"), world.dialog_source_ports
    ),
]
STEPS: list[tuple[Quota, Step]] = [
    (Quota.CAMPAIGNS, lambda world: world.add_campaign(0)),
    (Quota.LINES, lambda world: add_line(ACCOUNT, LINE, world.line_ports)),
    (Quota.DOMAINS, lambda world: add_domain(ACCOUNT, "shop.example", world.domain_ports)),
    (
        Quota.CONTACTS,
        lambda world: add_contacts(
            ACCOUNT, first_campaign(world), [Person("b@mail.example")], world.contact_ports
        ),
    ),
    (
        Quota.TESTS_PER_HOUR,
        lambda world: ask_for_sample(
            ACCOUNT, first_campaign(world), Wish("me@shop.example"), world.ask_ports
        ),
    ),
    *((Quota.IMPORTS, step) for step in IMPORTS),
    *((Quota.STORAGE, step) for step in IMPORTS[:3]),
]


@pytest.fixture
def world() -> World:
    """A world with a line, and with a campaign of one contact."""
    made = World()
    made.add_line()
    made.add_campaign(1)
    return made


@pytest.mark.parametrize(("quota", "step"), STEPS)
def test_what_is_one_too_many_is_refused_and_one_less_is_not(world: World, quota: Quota, step: Step) -> None:
    there = {Quota.CAMPAIGNS: 1, Quota.LINES: 1, Quota.CONTACTS: 1}.get(quota, 0)
    step_takes = 200_000_000 if quota is Quota.STORAGE else 1
    world.accounts.set_quota(ACCOUNT, quota, there + step_takes - 1)
    with pytest.raises(QuotaReached) as refused:
        step(world)
    assert (refused.value.quota, refused.value.limit) == (quota, there + step_takes - 1)
    world.accounts.set_quota(ACCOUNT, quota, there + step_takes)
    step(world)


def test_an_api_key_too_many_is_refused_until_one_is_revoked(world: World) -> None:
    def make(name: str) -> ApiKey:
        return create_key(ACCOUNT, KeyWish(name), OWNER, world.accounts, world.clock, 1)[0]

    key = make("first")
    with pytest.raises(QuotaReached):
        make("second")
    world.accounts.revoke_key(ACCOUNT, key.key_id, world.clock.now())
    make("second")


class TestImports:
    def test_a_refused_one_leaves_no_job(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.IMPORTS, 0)
        with pytest.raises(QuotaReached):
            start(world)
        assert world.imports.page(ACCOUNT, first_campaign(world), None, 10).items == []
        assert world.usage.get(ACCOUNT).imports == ()

    def test_one_that_is_over_makes_room_and_one_that_runs_does_not(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.IMPORTS, 1)
        first = start(world)
        world.imports.begin(ACCOUNT, first.import_id, world.clock.now())
        world.clock.wait(days=1)
        with pytest.raises(QuotaReached):
            start(world)
        world.imports.finish(ACCOUNT, first.import_id, ImportProgress(), world.clock.now())
        second = start(world)
        assert world.usage.get(ACCOUNT).imports == (second.import_id,)

    def test_one_that_never_ends_makes_room_when_its_file_is_gone(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.IMPORTS, 1)
        world.imports.begin(ACCOUNT, start(world).import_id, world.clock.now())
        world.clock.wait(seconds=(IMPORT_IS_LOST - timedelta(minutes=1)).total_seconds())
        with pytest.raises(QuotaReached):
            start(world)
        world.clock.wait(minutes=1)
        start(world)

    def test_a_form_that_nobody_used_makes_room(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.IMPORTS, 1)
        start(world)
        world.clock.wait(seconds=(FORM_IS_DEAD - timedelta(minutes=1)).total_seconds())
        with pytest.raises(QuotaReached):
            start(world)
        world.clock.wait(minutes=1)
        start(world)

    def test_a_place_whose_job_is_yet_to_be_made_is_taken_while_its_call_lasts(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.IMPORTS, 1)
        world.leave(ACCOUNT, new_id(world.clock.now()), 1)
        with pytest.raises(QuotaReached):
            start(world)
        world.clock.wait(minutes=2)
        start(world)

    def test_leave_is_given_once_for_the_same_import(self, world: World) -> None:
        for _ in range(2):
            world.leave(ACCOUNT, "i1", 5)
        assert world.usage.get(ACCOUNT).stored(world.clock.now()) == 5
        assert world.usage.get(STRANGER) == Usage()

    def test_of_two_that_ask_at_once_one_gets_the_last_place(self, world: World) -> None:
        """The second asks after the first looked, and before it writes."""
        world.accounts.set_quota(ACCOUNT, Quota.IMPORTS, 1)
        leave = Leave(Meanwhile(world, lambda: start(world)), world.imports, world.limit_of, world.clock)
        with pytest.raises(QuotaReached):
            replace(leave)(ACCOUNT, "other", 1)
        assert len(world.usage.get(ACCOUNT).imports) == 1

    def test_who_never_gets_a_turn_is_told_to_repeat(self, world: World) -> None:
        leave = Leave(Meanwhile(world, lambda: start(world), 99), world.imports, world.limit_of, world.clock)
        with pytest.raises(Outdated):
            leave(ACCOUNT, "other", 1)

    def test_bytes_are_those_that_were_told_and_come_back_after_a_week(self, world: World) -> None:
        world.accounts.set_quota(ACCOUNT, Quota.STORAGE, 1_000)
        start(world, 600)
        with pytest.raises(QuotaReached):
            start(world, 401)
        start(world, 400)
        world.clock.wait(days=8)
        start(world, 1_000)


class Meanwhile:
    """The usage, of which somebody else writes right after it was read, so many times."""

    def __init__(self, world: World, act: Callable[[], object], times: int = 1) -> None:
        self._world, self._act, self._times = world, act, times

    def get(self, account_id: str) -> Usage:
        seen = self._world.usage.get(account_id)
        if self._times:
            self._times -= 1
            self._act()
        return seen

    def replace(self, account_id: str, usage: Usage) -> bool:
        return self._world.usage.replace(account_id, usage)


class TestContacts:
    def test_a_file_of_too_many_ends_with_the_reason_and_keeps_what_it_added(self, world: World) -> None:
        one = first_campaign(world)
        job = start(world)
        rows = "".join(f"p{number}@mail.example\n" for number in range(3_000))
        world.files.contents[upload_key(ACCOUNT, one, job.import_id)] = f"email\n{rows}".encode()
        world.accounts.set_quota(ACCOUNT, Quota.CONTACTS, 1_000)
        state = import_contacts(ACCOUNT, job.import_id, world.import_ports, world.stop_at())
        ended = world.imports.get(ACCOUNT, job.import_id)
        assert (state, ended.reason and ended.reason.code) == (JobState.FAILED, "quota_reached")
        contacts = world.contacts.totals(ACCOUNT, one).contacts
        assert 1_000 <= contacts <= 1_000 + 900
        assert contacts == ended.progress.added + 1

    def test_dialogs_too_many_end_the_job_with_the_reason(self, world: World) -> None:
        changes = [DialogChange(f"p{n}@mail.example", f"p{n}@mail.example") for n in range(3)]
        tell_dialogs(ACCOUNT, "line1", changes, world.dialog_ports)
        job = start_from_dialogs(
            ACCOUNT, first_campaign(world), DialogSource("line1"), world.dialog_source_ports
        )
        world.accounts.set_quota(ACCOUNT, Quota.CONTACTS, 1)
        import_contacts(ACCOUNT, job.import_id, world.import_ports, world.stop_at())
        ended = world.imports.get(ACCOUNT, job.import_id)
        assert (ended.state, ended.reason and ended.reason.code) == (JobState.FAILED, "quota_reached")
