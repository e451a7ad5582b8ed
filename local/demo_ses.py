"""`make demo-ses`: a list is sent to through Amazon SES, and every contact ends where its events put it.

As `make demo`, with an SES line: some addresses bounce, some people complain, many open, machines do too, and
some contacts are suppressed before the launch. Events come late, twice and out of order, and the replies to a
few messages are cut off, so that nobody can know for a while whether they were taken.

The last line on stdout is JSON with the numbers; it exits with 0 only if contacts, totals, workbook,
suppression list and mailbox agree with the ledger of what SES did. All else goes to stderr.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.api_client import ApiClient, upload
from local.demo_display import progress, say, table
from local.demo_list import expected_list
from local.demo_ses_checks import Evidence, judge, overtaken, repeated
from local.demo_steps import (
    CONTACTS,
    LOOK_EVERY,
    DemoError,
    Scene,
    State,
    conclude,
    connect,
    create_campaign,
    deployed,
    finished_job,
    follow,
    import_contacts,
    launch,
    read_report,
)
from local.ses_bridge import Options
from local.ses_events import Happening
from local.ses_fates import Shares, drawn
from local.ses_publishing import Disorder
from local.ses_settings import with_environment
from local.stack import Stack

SHARES = Shares(
    bounces=0.05, complaints=0.01, opens=0.3, prefetches=0.15, out_of_office=0.02, dropped_replies=2
)
DISORDER = Disorder(delay=3.0, duplicates=0.2, window=40, early=0.1, seed=5)
SEED = 5
SUPPRESSED_BEFORE = 4
_SEND_RATE = 100.0  # a second; a new account at AWS has 1, the emulator 14
_SETTLING_SECONDS = 420.0  # an event that failed once is seen again after six minutes


def main() -> int:
    """Run the demo; returns the exit status."""
    return conclude(lambda: judge(observe()))


def observe() -> Evidence:
    """Run a campaign through SES, and gather all there is to compare."""
    expected = expected_list(CONTACTS)
    keys = sorted(expected.mails)
    before = frozenset(keys[:: len(keys) // SUPPRESSED_BEFORE][:SUPPRESSED_BEFORE])
    plan = drawn(expected.mails.keys() - before, SHARES, SEED)
    options = Options(plan=plan, disorder=DISORDER, send_rate=_SEND_RATE)
    with deployed(with_environment(options, os.environ)) as scene:
        api, stack = scene.api, scene.stack
        line_id = _connect_line(api)
        campaign_id = create_campaign(api, line_id)
        imported = import_contacts(api, campaign_id)
        _suppress(api, before)
        contacts = launch(api, campaign_id)
        follow(api, campaign_id, contacts, paused=lambda report: _go_on(scene, campaign_id, report))
        unknown = _show_unknown(api, campaign_id)
        stack.ses.publisher.release()
        stuck = _wait_for_events(stack)
        report = read_report(api, campaign_id)
        say("\nComparing the ledger of SES, the API, the workbook, the suppression list and the mailbox")
        return Evidence(
            expected=expected,
            imported=imported,
            report=report,
            received=list(stack.mailbox.maildir.messages()),
            accepted=[one for message in stack.ses.accepted() for one in message.destination],
            ledger=stack.ses.ledger(),
            before=before,
            suppressions=list(api.pages("/suppressions")),
            cut=SHARES.dropped_replies,
            unknown=unknown,
            stuck=stuck,
        )


def _connect_line(api: ApiClient) -> str:
    say("\nPOST /lines, POST /lines/…/connect: a line through SES, for the domain example.com")
    new = {
        "name": "SES line",
        "from_address": "tickets@example.com",
        "from_name": "Café Zoë",
        "ses": {"identity": "example.com"},
    }
    line_id = connect(api, new)
    line = api.call("GET", f"/lines/{line_id}")
    for record in line["ses"]["records"]:
        say(f"  {record['type']}  {record['name']} → {record['value']}")
    say(f"  {line['ses']['verification']}; quota: {line['connection']['quota']}")
    return line_id


def _suppress(api: ApiClient, addresses: Iterable[str]) -> None:
    say("\nPOST /suppressions/imports: some of them don't want to hear from us")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "suppressed.csv")
        file.write_text("\n".join(["email", *sorted(addresses)]))
        started = api.call("POST", "/suppressions/imports", {"file_name": file.name})
        upload(started["upload"], file)
    job = finished_job(api, f"/imports/{started['import_id']}")
    table({name: job[name] for name in ("rows", "added")})


def _go_on(scene: Scene, campaign_id: str, report: State) -> bool:
    """Do as the operator when a brake was pulled: so many bounces are the demo's own doing."""
    why = report["paused_because"] or {}
    if why.get("code") not in {"bounce_rate", "complaint_rate"}:
        return False
    say(f"  braked: {why['text']}")
    for brake in scene.operate(action="show_brakes")["brakes"]:
        if brake["state"] == "pulled":
            subject = {name: brake[name] for name in ("line_id", "campaign_id") if name in brake}
            scene.operate(action="lift_brake", **subject)
    say("  the operator lifts the brake; POST /campaigns/…/launch")
    launch(scene.api, campaign_id)
    return True


def _show_unknown(api: ApiClient, campaign_id: str) -> int:
    """How many contacts nobody knows about while the events of the cut-off messages are held back."""
    unknown = int(api.call("GET", f"/campaigns/{campaign_id}/report")["totals"]["outcome_unknown"])
    say(f"\n{unknown} replies were cut off: these outcomes are unknown, until their events come")
    return unknown


def _wait_for_events(stack: Stack) -> int:
    """Show the progress until all events were published and taken in; returns how many came to a dead end."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    total = remaining = _remaining(stack)
    with progress("Events", total, "events") as show:
        while remaining:
            if time.monotonic() > deadline:
                raise DemoError(f"the events came to no end: {remaining} are left")
            time.sleep(LOOK_EVERY)
            remaining = _remaining(stack)
            total = max(total, remaining)
            show(total - remaining)
    ledger = stack.ses.ledger()
    say(f"  {len(ledger)} events: {repeated(ledger)} of them a second time,")
    say(f"  {overtaken(ledger)} messages' events came before the news that they were sent")
    names = [happening for happening in Happening if any(line.happening is happening for line in ledger)]
    table({name: sum(line.happening is name for line in ledger) for name in names})
    return _waiting_in(stack, "DeadSesEventQueue") + stack.ses.publisher.lost


def _remaining(stack: Stack) -> int:
    return stack.ses.publisher.backlog() + _waiting_in(stack, "SesEventQueue")


def _waiting_in(stack: Stack, queue: str) -> int:
    """Messages in a queue, those that somebody is at work on too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found: dict[str, Any] = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resource(queue), AttributeNames=names
    )
    return sum(int(found["Attributes"][name]) for name in names)


if __name__ == "__main__":
    sys.exit(main())
