"""Advice on a line: asked for, found by a job, and gone with the line."""

import pytest

from chalicelib.domain.advice.finding import Level
from chalicelib.domain.delivery import Reason
from chalicelib.domain.dns_answers import UNANSWERED, RecordType
from chalicelib.errors import NotFound
from chalicelib.flow.advice import advise_on_line, ask_for_advice, give_up_advising
from chalicelib.flow.lines import remove_line
from tests.fakes.world import ACCOUNT, STRANGER, World


def test_a_wish_is_noted_and_queued() -> None:
    world = World()
    world.add_line()
    asked = ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    assert (asked.asked_at, asked.checked_at) == (world.clock.now(), None)
    assert world.check_queue.take() == [{"account_id": ACCOUNT, "advice_for": "line1"}]


@pytest.mark.parametrize(("account", "line"), [(ACCOUNT, "other"), (STRANGER, "line1")])
def test_there_is_none_for_a_line_of_nobody_or_of_others(account: str, line: str) -> None:
    world = World()
    world.add_line()
    with pytest.raises(NotFound):
        ask_for_advice(account, line, world.advice_ports)
    assert world.check_queue.take() == []
    assert advise_on_line(account, line, world.advising_ports) == 0


def test_the_job_writes_down_what_it_found() -> None:
    world = World()
    world.add_line()
    world.signed_domain()
    ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    world.clock.wait(seconds=3)
    count = advise_on_line(ACCOUNT, "line1", world.advising_ports)
    advice = world.advice.get(ACCOUNT, "line1")
    assert count == len(advice.findings) > 0
    assert advice.checked_at == world.clock.now()
    assert {"dkim_ok", "spf_missing", "dmarc_missing"} <= {finding.code for finding in advice.findings}


def test_a_wish_during_the_job_waits_with_the_first_one() -> None:
    world = World()
    world.add_line()
    ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    began = world.clock.now()

    def somebody_asks() -> None:
        world.dns.before_answer = lambda: None
        world.clock.wait(seconds=1)
        assert ask_for_advice(ACCOUNT, "line1", world.advice_ports).asked_at == began

    world.dns.before_answer = somebody_asks
    advise_on_line(ACCOUNT, "line1", world.advising_ports)
    advice = world.advice.get(ACCOUNT, "line1")
    assert advice.checked_at == began == advice.asked_at
    assert len(world.check_queue.take()) == 1


def test_silence_of_dns_is_told_as_unknown() -> None:
    world = World()
    world.add_line()
    ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    for name in ("shop.example", "_dmarc.shop.example"):
        world.dns.records[name, RecordType.TXT] = UNANSWERED
    advise_on_line(ACCOUNT, "line1", world.advising_ports)
    levels = {finding.code: finding.level for finding in world.advice.get(ACCOUNT, "line1").findings}
    assert (levels["spf_unchecked"], levels["dmarc_unchecked"]) == (Level.UNKNOWN, Level.UNKNOWN)
    assert {"spf_missing", "dmarc_missing"}.isdisjoint(levels)


def test_a_job_given_up_is_told_and_the_earlier_findings_stay() -> None:
    world = World()
    world.add_line()
    ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    advise_on_line(ACCOUNT, "line1", world.advising_ports)
    before = ask_for_advice(ACCOUNT, "line1", world.advice_ports)
    gave_up = Reason("gave_up", "It was tried several times.")
    give_up_advising(ACCOUNT, "line1", gave_up, world.advice, world.clock)
    advice = world.advice.get(ACCOUNT, "line1")
    assert (advice.reason, advice.findings) == (gave_up, before.findings)


def test_it_goes_with_the_line_and_does_not_come_back() -> None:
    world = World()
    world.add_line()
    ask_for_advice(ACCOUNT, "line1", world.advice_ports)

    def somebody_removes() -> None:
        world.dns.before_answer = lambda: None
        remove_line(ACCOUNT, "line1", world.line_ports)

    world.dns.before_answer = somebody_removes
    advise_on_line(ACCOUNT, "line1", world.advising_ports)
    with pytest.raises(NotFound):
        world.advice.get(ACCOUNT, "line1")
