"""What becomes of each message: by its recipient's address, or by a plan drawn up in advance.

Addresses of Amazon's mailbox simulator do here what they do there, labels included (`bounce+anna@…`). At any
other domain a label says what goes wrong before the message is out, as the mailbox does for SMTP:

- `throttle+anything@…`    the first message is refused as too fast (429 TooManyRequestsException)
- `drop-reply+anything@…`  the first message is accepted, and the connection is cut before the reply
- `fail+anything@…`        the first message gets a 500 and goes nowhere
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from local.ses_events import Happening

SIMULATOR = "simulator.amazonses.com"
_DELIVERED = (Happening.SEND, Happening.DELIVERY)
_SIMULATED: Mapping[str, tuple[Happening, ...]] = {
    "success": _DELIVERED,
    "bounce": (Happening.SEND, Happening.BOUNCE),
    "complaint": (*_DELIVERED, Happening.COMPLAINT),
    "ooto": (*_DELIVERED, Happening.OUT_OF_OFFICE),
    "suppressionlist": (Happening.SEND, Happening.ON_SUPPRESSION_LIST),
}


class Fault(StrEnum):
    """What goes wrong between the sender and SES with the first message to an address."""

    THROTTLE = "throttle"
    DROP_REPLY = "drop-reply"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a message, in the order in which it would. The events of one that is ``held`` wait
    until somebody releases them.
    """

    happenings: tuple[Happening, ...] = _DELIVERED
    fault: Fault | None = None
    held: bool = False


Plan = Callable[[str], Fate]
"""Takes a recipient's address."""


def by_address(address: str) -> Fate:
    """The mailbox simulator's semantics, the faults of the labels, and delivery for everybody else."""
    local, _, domain = address.lower().rpartition("@")
    name, plus, _ = local.partition("+")
    if domain == SIMULATOR:
        return Fate(_SIMULATED.get(name, _DELIVERED))
    return Fate(fault=Fault(name) if plus and name in set(Fault) else None)


@dataclass(frozen=True, slots=True)
class Shares:
    """How a list's recipients behave: parts of the whole. Who is in none gets the mail and does no more."""

    bounces: float = 0.05
    complaints: float = 0.01
    opens: float = 0.3
    prefetches: float = 0.15
    out_of_office: float = 0.02
    dropped_replies: int = 0  # a number of messages; each fares as its recipient does, once it is released


def drawn(addresses: Iterable[str], shares: Shares, seed: int) -> Plan:
    """A plan for a list; the same addresses and seed give the same plan. Others fare as ``by_address`` says.

    Each share is met as nearly as whole people allow, with at least one where it isn't zero.
    """
    everybody = sorted({address.lower() for address in addresses})
    random.Random(seed).shuffle(everybody)  # noqa: S311 - it only has to be the same each time
    fates: dict[str, Fate] = {}
    rest = iter(everybody)
    for share, more in (
        (shares.bounces, (Happening.SEND, Happening.BOUNCE)),
        (shares.complaints, (*_DELIVERED, Happening.OPEN, Happening.COMPLAINT)),
        (shares.opens, (*_DELIVERED, Happening.OPEN)),
        (shares.prefetches, (*_DELIVERED, Happening.PREFETCH)),
        (shares.out_of_office, (*_DELIVERED, Happening.OUT_OF_OFFICE)),
    ):
        wanted = max(1, round(share * len(everybody))) if share else 0
        fates.update({address: Fate(more) for _, address in zip(range(wanted), rest, strict=False)})
    dropped = random.Random(seed + 1).sample(everybody, min(shares.dropped_replies, len(everybody)))  # noqa: S311
    for address in dropped:
        happenings = fates.get(address, Fate()).happenings
        fates[address] = Fate(happenings, Fault.DROP_REPLY, held=True)
    return lambda address: fates.get(address.lower(), by_address(address))
