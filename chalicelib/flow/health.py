"""Health: what the operator looks at first. Cheap, and nothing of any customer but ids.

How old the oldest message of a queue is, SQS doesn't say; CloudWatch does (ApproximateAgeOfOldestMessage).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from chalicelib.ports import CampaignStore, Clock, ContactStore, Depth, QueueGauge

MOST_LOOKED_AT = 50  # campaigns whose leases are counted: eight small reads each
MOST_ACTIVE = 1_000
STUCK_AFTER = timedelta(minutes=10)  # a visit settles what is overdue, and there is one every minute
_MOST_OVERDUE = 100


@dataclass(frozen=True, slots=True)
class HealthPorts:
    """What is looked at."""

    gauge: QueueGauge
    campaigns: CampaignStore
    contacts: ContactStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class Stuck:
    """A campaign with contacts whose lease ran out a while ago, which no visit has settled; at most 100."""

    account_id: str
    campaign_id: str
    overdue: int


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is. ``active_campaigns`` counts up to 1,000; of ``looked_at`` the leases were counted.

    ``fine``: no dead letters, and nobody stuck among those looked at.
    """

    fine: bool
    queues: Mapping[str, Depth]
    dead_letters: Mapping[str, int]
    active_campaigns: int
    looked_at: int
    stuck: tuple[Stuck, ...]


def look_at_health(ports: HealthPorts) -> Health:
    """Look at the queues and at the campaigns that the dispatcher visits."""
    active = list(islice(ports.campaigns.active(), MOST_ACTIVE))
    before = ports.clock.now() - STUCK_AFTER
    counted = (
        Stuck(
            account_id,
            campaign_id,
            ports.contacts.count_overdue(account_id, campaign_id, before, _MOST_OVERDUE),
        )
        for account_id, campaign_id in active[:MOST_LOOKED_AT]
    )
    stuck = tuple(one for one in counted if one.overdue)
    dead = ports.gauge.dead_letters()
    return Health(
        fine=not stuck and not any(dead.values()),
        queues=ports.gauge.depths(),
        dead_letters=dead,
        active_campaigns=len(active),
        looked_at=min(len(active), MOST_LOOKED_AT),
        stuck=stuck,
    )
