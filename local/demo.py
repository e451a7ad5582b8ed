"""`make demo`: a contact list becomes delivered mail with a true report, through the HTTP API only.

The last line on stdout is JSON with the numbers; it exits with 0 only if all of them agree with each other,
with the file, and with what arrived. All else goes to stderr.
"""

import csv
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from local import demo_checks as checks
from local.api_client import ApiClient, ApiError, download, upload
from local.demo_display import progress, say, table
from local.demo_list import HTML, SUBJECT, TEXT, expected_list
from local.emulator import ROOT
from local.mailbox import Mailbox
from local.stack import OPERATOR, Stack, start

CONTACTS = ROOT / "examples" / "contacts.csv"
_JOB_SECONDS = 120.0  # the longest wait for a job
_STILL_SECONDS = 120.0  # the longest wait for the next mail: a tick comes every 60 seconds
_LOOK_EVERY = 0.4  # seconds
_SHOWN_FAULTS = 20

State = dict[str, Any]


class DemoError(Exception):
    """The main job came to no end; the text says where it stopped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the API told about the campaign in the end."""

    import_job: State
    rejected_lines: list[int]
    totals: dict[str, int]
    rows: list[checks.Row]
    workbook: bytes


def main() -> int:
    """Run the demo; returns the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        say("Starting the embedded stack: AWS emulator, SMTP server, the packaged app …")
        with start(None) as stack:
            say(f"  deployed after {time.monotonic() - began:.1f} s at {stack.api_url}")
            account = stack.invoke(
                OPERATOR, {"action": "create_account", "name": "Demo", "line_plan": "purchased"}
            )
            outcome = _main_job(ApiClient(stack.api_url, account["api_key"]), stack.mailbox)
            numbers, faults = _judge(outcome, stack)
    except KeyboardInterrupt:
        say("\nStopped; nothing is left running.")
        return 130
    except (DemoError, ApiError) as error:
        say(f"\nIt came to no end: {error}")
        return 1
    numbers["seconds"] = round(time.monotonic() - began, 1)
    for fault in faults[:_SHOWN_FAULTS]:
        say(f"  WRONG  {fault}")
    say("  Something doesn't agree." if faults else "  All agree. The stack is stopped.")
    print(json.dumps(numbers), flush=True)
    return 1 if faults else 0


def _main_job(api: ApiClient, mailbox: Mailbox) -> Outcome:
    line_id = _connect_line(api, mailbox)
    campaign_id = _create_campaign(api, line_id)
    import_job = _import_contacts(api, campaign_id)
    rejected = download(import_job["rejected_url"]).decode("utf-8-sig").splitlines()
    _launch_and_follow(api, campaign_id)
    report = api.call("GET", f"/campaigns/{campaign_id}/report")
    say(f"\nGET /campaigns/…/report: the campaign is {report['status']}")
    table({name.replace("_", " "): report["totals"][name] for name in checks.STATUSES})
    contacts = api.pages(f"/campaigns/{campaign_id}/contacts")
    return Outcome(
        import_job=import_job,
        rejected_lines=[int(row["row"]) for row in csv.DictReader(rejected)],
        totals=report["totals"],
        rows=[(contact["email"], contact["status"]) for contact in contacts],
        workbook=_export(api, campaign_id),
    )


def _connect_line(api: ApiClient, mailbox: Mailbox) -> str:
    say("\nPOST /lines, POST /lines/…/connect: an SMTP line to the local mailbox")
    smtp = {
        "host": mailbox.host,
        "port": mailbox.port,
        "security": "starttls",
        "username": mailbox.username,
        "password": mailbox.password,
    }
    line = api.call(
        "POST",
        "/lines",
        {"name": "Demo line", "from_address": "tickets@example.com", "from_name": "Café Zoë", "smtp": smtp},
    )
    path = f"/lines/{line['line_id']}"
    api.call("POST", f"{path}/connect")
    line = _wait(lambda: api.call("GET", path), lambda it: it["connection"]["state"] != "connecting", "line")
    if line["connection"]["state"] != "connected":
        raise DemoError(f"the line did not connect: {line['connection']}")
    say(f"  connected: {mailbox.host}:{mailbox.port}, STARTTLS, AUTH")
    return str(line["line_id"])


def _create_campaign(api: ApiClient, line_id: str) -> str:
    say(f"\nPOST /campaigns: “{SUBJECT}”")
    today = datetime.now(UTC).date()
    schedule = {
        "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "start_date": str(today - timedelta(days=1)),
        "end_date": str(today + timedelta(days=30)),
        "start_time": "00:00",
        "end_time": "00:00",
        "time_zone": "Europe/Berlin",
    }
    campaign = api.call(
        "POST",
        "/campaigns",
        {
            "name": "Tickets",
            "line_ids": [line_id],
            "schedule": schedule,
            "subject": SUBJECT,
            "html": HTML,
            "text": TEXT,
        },
    )
    say(f"  {campaign['status']}; still needed: {' '.join(one['text'] for one in campaign['obstacles'])}")
    return str(campaign["campaign_id"])


def _import_contacts(api: ApiClient, campaign_id: str) -> State:
    say(f"\nPOST /campaigns/…/imports, then {CONTACTS.name} by presigned POST")
    started = api.call("POST", f"/campaigns/{campaign_id}/imports", {"file_name": CONTACTS.name})
    upload(started["upload"], CONTACTS)
    path = f"/imports/{started['import_id']}"
    job = _wait(lambda: api.call("GET", path), lambda it: it["state"] in {"done", "failed"}, "import")
    if job["state"] == "failed":
        raise DemoError(f"the import failed: {job['reason']}")
    table({name: job[name] for name in ("rows", "added", "duplicates", "rejected")})
    return job


def _launch_and_follow(api: ApiClient, campaign_id: str) -> None:
    say("\nPOST /campaigns/…/launch")
    contacts = api.call("POST", f"/campaigns/{campaign_id}/launch")["totals"]["contacts"]
    since = time.monotonic()
    settled = -1
    with progress("Sending", contacts) as show:
        while True:
            report = api.call("GET", f"/campaigns/{campaign_id}/report")
            if report["settled"] != settled:
                settled, since = report["settled"], time.monotonic()
                show(settled)
            if report["status"] == "finished":
                return
            if report["status"] == "paused" or time.monotonic() - since > _STILL_SECONDS:
                raise DemoError(f"the campaign stopped: {report}")
            time.sleep(_LOOK_EVERY)


def _export(api: ApiClient, campaign_id: str) -> bytes:
    say("\nPOST /campaigns/…/exports: the report as an Excel workbook")
    path = f"/exports/{api.call('POST', f'/campaigns/{campaign_id}/exports')['export_id']}"
    job = _wait(lambda: api.call("GET", path), lambda it: it["state"] in {"done", "failed"}, "export")
    if job["state"] == "failed":
        raise DemoError(f"the export failed: {job['reason']}")
    workbook = download(job["url"])
    say(f"  {job['rows']} rows, {len(workbook):,} bytes")
    return workbook


def _wait(look: Callable[[], State], over: Callable[[State], bool], what: str) -> State:
    deadline = time.monotonic() + _JOB_SECONDS
    while not over(state := look()):
        if time.monotonic() > deadline:
            raise DemoError(f"the {what} came to no end: {state}")
        time.sleep(_LOOK_EVERY)
    return state


def _judge(outcome: Outcome, stack: Stack) -> tuple[State, list[str]]:
    say("\nComparing the file, the API, the workbook and the mailbox")
    expected, totals = expected_list(CONTACTS), outcome.totals
    received = list(stack.mailbox.maildir.messages())
    faults = list(
        chain(
            checks.check_import(outcome.import_job, outcome.rejected_lines, expected),
            checks.check_totals(totals),
            checks.check_rows("API", outcome.rows, totals, expected),
            checks.check_workbook(outcome.workbook, totals, expected),
            checks.check_mail(received, outcome.rows, expected),
        )
    )
    numbers = {
        "contacts": totals["contacts"],
        "rejected": outcome.import_job["rejected"],
        "sent": totals["sent"],
        "errors": totals["error"],
        "received": len(received),
        "duplicates": checks.duplicates_in(received),
    }
    return numbers, faults


if __name__ == "__main__":
    sys.exit(main())
