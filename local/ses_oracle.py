"""What the bridge's ledger means for each contact: worked out anew from the rules, without the app's code.

For one message, whatever order its events came in and however often: who opened it is Opened, which a
machine does not count for; else a bounce for good, or one without a delivery, makes an Error; else who has it
is Delivered; else it is Sent. An automatic reply after the delivery and a complaint change no status. A
mailbox that doesn't exist and a complaint put the address on the suppression list.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from local.demo_list import mailbox_key
from local.ses_events import Happening
from local.ses_publishing import Published

_READ = frozenset({Happening.OPEN, Happening.CLICK})
_ARRIVED = frozenset({Happening.DELIVERY, Happening.PREFETCH})
_FAILED = frozenset({Happening.BOUNCE, Happening.ON_SUPPRESSION_LIST, Happening.REJECT})
_GIVEN_UP = frozenset({Happening.MAILBOX_FULL})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What must be true in the end, by mailbox key: each one's status, and why an address is suppressed.

    ``by_machine`` are those whose message a machine opened.
    """

    statuses: Mapping[str, str]
    suppressed: Mapping[str, frozenset[str]]
    by_machine: frozenset[str]


def verdict(accepted: Iterable[str], ledger: Iterable[Published], suppressed: Set[str]) -> Verdict:
    """Judge a campaign by the recipients SES accepted a message for, its events, and the list before it."""
    happened: defaultdict[str, set[Happening]] = defaultdict(set)
    for recipient in accepted:
        happened[mailbox_key(recipient)] = set()
    for line in ledger:
        happened[mailbox_key(line.recipient)].add(line.happening)
    statuses = {key: _status(happenings) for key, happenings in happened.items()}
    reasons = {key: frozenset(_reasons(happenings)) for key, happenings in happened.items()}
    return Verdict(
        statuses={**statuses, **dict.fromkeys(suppressed, "error")},
        suppressed={
            **{key: why for key, why in reasons.items() if why},
            **dict.fromkeys(suppressed, frozenset({"added"})),
        },
        by_machine=frozenset(key for key, each in happened.items() if Happening.PREFETCH in each),
    )


def _status(happenings: Set[Happening]) -> str:
    if happenings & _READ:
        return "opened"
    delivered = bool(happenings & _ARRIVED)
    if happenings & _FAILED or (happenings & _GIVEN_UP and not delivered):
        return "error"
    return "delivered" if delivered else "sent"


def _reasons(happenings: Set[Happening]) -> Iterable[str]:
    if Happening.BOUNCE in happenings:
        yield "bounced"
    if Happening.COMPLAINT in happenings:
        yield "complained"
