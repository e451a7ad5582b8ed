"""Lines: a password that only its own line gives back, and proofs that come late."""

from dataclasses import replace

import pytest

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Connection, ConnectionState, LinePlan, Security, SesChannel, SmtpChannel
from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.lines import (
    PASSWORD_UNREADABLE,
    NewLine,
    add_line,
    ask_for_connection,
    give_up_connecting,
    prove_line,
    remove_line,
    replace_password,
)
from tests.fakes.world import ACCOUNT, STRANGER, World

NEW = NewLine(
    "Shop",
    SmtpChannel("smtp.shop.example", 587, Security.STARTTLS, "news"),
    "secret",
    "news@shop.example",
    "Shop",
    None,
    LineLimits(per_hour=10),
)
WHY = Reason("gave_up", "No answer.")


def fails(world: World, line_id: str) -> int | None:
    """The line fails once more, a minute later."""
    now = world.clock.wait(minutes=1)
    return world.pace.line_failed(ACCOUNT, line_id, now, now)


def state(world: World, line_id: str) -> ConnectionState:
    return world.lines.get(ACCOUNT, line_id).connection.state


def test_a_new_line_has_the_accounts_plan_and_a_sealed_password() -> None:
    world = World()
    line = add_line(ACCOUNT, NEW, world.line_ports)
    assert world.lines.get(ACCOUNT, line.line_id) == line
    assert (line.plan, line.connection.state) == (LinePlan.PURCHASED, ConnectionState.NEW)
    assert b"secret" not in line.password
    assert world.secrets.open(ACCOUNT, line.line_id, line.password) == "secret"


def test_another_password_is_sealed_proven_and_then_used() -> None:
    world = World()
    campaign = world.running(1)
    before = world.lines.get(ACCOUNT, "line1").password
    asked = replace_password(ACCOUNT, "line1", "a new secret", world.line_ports)
    assert (asked.connection.state, b"new" in asked.password) == (ConnectionState.CONNECTING, False)
    assert world.visit(campaign) == []
    assert prove_line(ACCOUNT, "line1", world.proof_ports) is ConnectionState.CONNECTED
    assert world.prover.passwords == ["a new secret"]
    (order,) = world.visit(campaign)
    world.sender().send(order, world.stop_at())
    assert world.channel.passwords == ["a new secret"]
    assert before != world.lines.get(ACCOUNT, "line1").password


def test_a_password_is_replaced_on_ones_own_line_through_a_server_only() -> None:
    world = World()
    world.add_line()
    with pytest.raises(NotFound):
        replace_password(STRANGER, "line1", "mine", world.line_ports)
    through_ses = replace(world.lines.get(ACCOUNT, "line1"), channel=SesChannel("shop.example"))
    world.lines.remove(ACCOUNT, "line1")
    world.lines.add(ACCOUNT, through_ses)
    with pytest.raises(Conflict):
        replace_password(ACCOUNT, "line1", "mine", world.line_ports)
    assert world.connect_queue.take() == []


def test_a_line_of_no_account_is_not_added() -> None:
    world = World()
    with pytest.raises(NotFound):
        add_line(STRANGER, NEW, world.line_ports)


def test_a_proof_is_asked_for_made_and_written_down() -> None:
    world = World()
    line = add_line(ACCOUNT, NEW, world.line_ports)
    asked = ask_for_connection(ACCOUNT, line.line_id, world.line_ports)
    assert asked.connection.state is ConnectionState.CONNECTING
    assert world.connect_queue.take() == [{"account_id": ACCOUNT, "line_id": line.line_id}]
    fails(world, line.line_id)
    assert prove_line(ACCOUNT, line.line_id, world.proof_ports) is ConnectionState.CONNECTED
    assert state(world, line.line_id) is ConnectionState.CONNECTED
    assert world.prover.passwords == ["secret"]
    assert fails(world, line.line_id) == 1


def test_a_proof_that_fails_says_why_and_keeps_the_failures() -> None:
    world = World()
    line = world.add_line()
    world.prover.answer = Connection(ConnectionState.FAILED, world.clock.now(), WHY)
    fails(world, line.line_id)
    assert prove_line(ACCOUNT, line.line_id, world.proof_ports) is ConnectionState.FAILED
    assert world.lines.get(ACCOUNT, line.line_id).connection.reason == WHY
    assert fails(world, line.line_id) == 2


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_line_removed_meanwhile_is_not_brought_back(when: str) -> None:
    world = World()
    line = world.add_line()
    if when == "before":
        remove_line(ACCOUNT, line.line_id, world.line_ports)
    world.prover.during = lambda: remove_line(ACCOUNT, line.line_id, world.line_ports)
    assert prove_line(ACCOUNT, line.line_id, world.proof_ports) is None
    with pytest.raises(NotFound):
        world.lines.get(ACCOUNT, line.line_id)


def test_a_proof_that_never_ended_is_given_up() -> None:
    world = World()
    line = world.add_line()
    ask_for_connection(ACCOUNT, line.line_id, world.line_ports)
    give_up_connecting(ACCOUNT, line.line_id, WHY, world.lines, world.clock)
    assert world.lines.get(ACCOUNT, line.line_id).connection.reason == WHY


def test_giving_up_does_not_undo_a_proof_that_ended_and_raises_no_line_from_the_dead() -> None:
    world = World()
    line = world.add_line()
    give_up_connecting(ACCOUNT, line.line_id, WHY, world.lines, world.clock)
    give_up_connecting(ACCOUNT, "nothing", WHY, world.lines, world.clock)
    assert state(world, line.line_id) is ConnectionState.CONNECTED


def test_another_account_can_do_nothing_with_a_line() -> None:
    world = World()
    line = world.add_line()
    with pytest.raises(NotFound):
        ask_for_connection(STRANGER, line.line_id, world.line_ports)
    with pytest.raises(NotFound):
        remove_line(STRANGER, line.line_id, world.line_ports)
    assert prove_line(STRANGER, line.line_id, world.proof_ports) is None
    assert world.prover.passwords == []


def test_a_password_that_can_not_be_read_takes_the_line_out_of_use_and_says_so() -> None:
    world = World()
    one = world.running(1)
    (order,) = world.visit(one)
    moved = replace(world.lines.get(ACCOUNT, "line1"), password=world.secrets.seal(ACCOUNT, "line2", "x"))
    world.lines.remove(ACCOUNT, "line1")
    world.lines.add(ACCOUNT, moved)
    assert world.sender().send(order, world.stop_at()) is None
    connection = world.lines.get(ACCOUNT, "line1").connection
    assert (connection.state, connection.reason) == (ConnectionState.FAILED, PASSWORD_UNREADABLE)
    assert world.only(one).status is ContactStatus.NOT_SENT
    assert prove_line(ACCOUNT, "line1", world.proof_ports) is ConnectionState.FAILED
    assert world.prover.passwords == []


def test_proving_the_only_line_again_does_not_pause_its_campaign() -> None:
    world = World()
    one = world.running(1)
    ask_for_connection(ACCOUNT, "line1", world.line_ports)
    assert world.visit(one) == []
    assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.IN_PROGRESS
    prove_line(ACCOUNT, "line1", world.proof_ports)
    assert len(world.visit(one)) == 1
