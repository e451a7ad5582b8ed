"""Health: what needs the operator is told, and nothing else is called an emergency."""

from datetime import timedelta

from chalicelib.flow.dispatch import LEASE
from chalicelib.flow.health import MOST_LOOKED_AT, STUCK_AFTER, HealthPorts, Stuck, look_at_health
from chalicelib.ports import Depth
from tests.fakes.queues import FakeQueueGauge
from tests.fakes.world import ACCOUNT, World


def ports(world: World, gauge: FakeQueueGauge | None = None) -> HealthPorts:
    return HealthPorts(gauge or FakeQueueGauge(), world.campaigns, world.contacts, world.clock)


def test_a_service_at_work_is_fine() -> None:
    world, gauge = World(), FakeQueueGauge()
    gauge.queues["send"] = Depth(100, 5, 2)
    world.visit(world.running(3))
    health = look_at_health(ports(world, gauge))
    assert (health.fine, health.active_campaigns, health.looked_at, health.stuck) == (True, 1, 1, ())
    assert health.queues == {"send": Depth(100, 5, 2)}


def test_dead_letters_are_not_fine() -> None:
    gauge = FakeQueueGauge()
    gauge.dead["dead_send"] = 1
    health = look_at_health(ports(World(), gauge))
    assert (health.fine, health.dead_letters) == (False, {"dead_send": 1})


def test_a_campaign_whose_leases_nobody_settles_is_stuck() -> None:
    world = World()
    one = world.running(3)
    world.visit(one)
    world.clock.wait(seconds=(LEASE + timedelta(minutes=3)).total_seconds())
    assert look_at_health(ports(world)).fine
    world.clock.wait(seconds=STUCK_AFTER.total_seconds())
    health = look_at_health(ports(world))
    assert (health.fine, health.stuck) == (False, (Stuck(ACCOUNT, one, 3),))
    world.visit(one)
    assert look_at_health(ports(world)).fine


def test_it_says_how_many_campaigns_it_looked_at() -> None:
    world = World()
    world.running(1)
    for _ in range(MOST_LOOKED_AT):
        made = world.add_campaign(0)
        world.campaigns.move(ACCOUNT, made.campaign_id, [made.status], "in_progress", world.clock.now())  # type: ignore[arg-type]
    health = look_at_health(ports(world))
    assert (health.active_campaigns, health.looked_at) == (MOST_LOOKED_AT + 1, MOST_LOOKED_AT)
