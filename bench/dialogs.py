"""AWS requests per dialog, counted on the emulator: `python -m bench.dialogs`.

The product's own steps tell of a line's dialogs in bulk, tell the same again, tag them, and make contacts of
them by a job, against real tables. What leaves the process is counted on the wire. Seconds are those of this
machine with the emulator on it: they show that nothing grows with the number of dialogs, not how fast AWS is.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bench.requests import Tally, counted, environment, running_campaign
from chalicelib import wiring
from chalicelib.adapters.dynamodb.contacts import DynamoContactStore
from chalicelib.adapters.dynamodb.dialogs import DynamoDialogStore
from chalicelib.domain.content import Content
from chalicelib.domain.dialog import DialogChange, DialogSource, TagFilter
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import JobState
from chalicelib.domain.line import Line, Security, SmtpChannel
from chalicelib.flow.dialog_contacts import add_from_dialogs, start_from_dialogs
from chalicelib.flow.dialogs import tell_dialogs
from local.stack import Stack, start

AT_ONCE = 1_000  # dialogs in one request
_LONG = timedelta(hours=4)
_TABLES = {
    "TABLE_DIALOGS": "DialogTable",
    "TABLE_IMPORTS": "ImportTable",
    "TABLE_SUPPRESSIONS": "SuppressionTable",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one step cost for all dialogs."""

    tally: Tally
    seconds: float


class Nobody:
    """A queue and a bucket that take everything and keep nothing."""

    def put(self, message: Mapping[str, str]) -> None:
        """Nobody waits."""


def main() -> None:
    """Measure on one emulator."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dialogs", type=int, default=10_000)
    count = parser.parse_args().dialogs
    with start(None) as stack:
        os.environ.update(_environment(stack))
        wiring.settings()
        _show(dict(_measured(count)), count)


def _environment(stack: Stack) -> Mapping[str, str]:
    tables = {name: stack.resource(logical) for name, logical in _TABLES.items()}
    return {**environment(stack), **tables}


def _measured(count: int) -> Iterator[tuple[str, Measured]]:
    account, now = new_id(datetime.now(UTC)), datetime.now(UTC)
    channel = SmtpChannel("smtp.example.com", 587, Security.STARTTLS, "user")
    line = Line(new_id(now), "bench", channel, "news@example.com", created_at=now)
    wiring.lines().add(account, line)
    people = [f"person{number}@example.com" for number in range(count)]
    new = [DialogChange(one, one, {"first_name": "Ann"}, tags=("customer",)) for one in people]
    left = [DialogChange(one, one, add_tags=("left",), makes=False) for one in people[::10]]
    yield "told", _measure("told", lambda: _tell(account, line.line_id, new))
    yield "told again", _measure("told again", lambda: _tell(account, line.line_id, new))
    yield "tagged, every tenth", _measure("tagged", lambda: _tell(account, line.line_id, left))
    yield "made contacts of", _measure("made contacts of", lambda: _take(account, line.line_id))


def _measure(name: str, step: Callable[[], None]) -> Measured:
    print(f"{name} …", file=sys.stderr, flush=True)
    began = time.monotonic()
    with counted() as tally:
        step()
    return Measured(tally, time.monotonic() - began)


def _tell(account: str, line_id: str, changes: Sequence[DialogChange]) -> None:
    ports: Any = SimpleNamespace(lines=wiring.lines(), dialogs=DynamoDialogStore(), clock=wiring.clock)
    for first in range(0, len(changes), AT_ONCE):
        tell_dialogs(account, line_id, changes[first : first + AT_ONCE], ports)


def _take(account: str, line_id: str) -> None:
    campaign = running_campaign()
    wiring.campaigns().add(account, campaign, Content("", ""))
    ports: Any = SimpleNamespace(
        campaigns=wiring.campaigns(),
        contacts=DynamoContactStore(),
        lines=wiring.lines(),
        dialogs=DynamoDialogStore(),
        imports=wiring.imports(),
        suppressions=wiring.suppressions(),
        import_queue=Nobody(),
        dispatch_queue=Nobody(),
        clock=wiring.clock,
    )
    source = DialogSource(line_id, TagFilter(any_of=("customer",), none_of=("left",)))
    job = start_from_dialogs(account, campaign.campaign_id, source, ports)
    begun = ports.imports.begin(account, job.import_id, wiring.clock.now())
    state = add_from_dialogs(account, begun, source, ports, wiring.clock.now() + _LONG)
    added = ports.imports.get(account, job.import_id).progress.added
    print(f"{state}: {added:,} contacts", file=sys.stderr)
    if state is not JobState.DONE:
        raise RuntimeError("the job did not come to its end")


def _show(measured: Mapping[str, Measured], count: int) -> None:
    """A table, and the same as JSON on the last line."""
    figures = {}
    for name, one in measured.items():
        requests = one.tally.requests.total()
        print(f"{name:20} {requests / count:8.4f} requests a dialog  {one.seconds:7.1f} s")
        for operation, calls in sorted(one.tally.requests.items()):
            print(f"{'':20} {calls / count:8.4f} {operation}")
        figures[name] = {"requests_per_dialog": round(requests / count, 4), "seconds": round(one.seconds, 1)}
    print(json.dumps({"dialogs": count, **figures}))


if __name__ == "__main__":
    main()
