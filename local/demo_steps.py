"""The steps of the main job that every demo takes, through the HTTP API only, told to a person on the way."""

import csv
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.content import Content
from local import demo_checks as checks
from local.api_client import ApiClient, ApiError, download, upload
from local.demo_display import progress, say, table
from local.demo_list import HTML, SUBJECT, TEXT
from local.emulator import ROOT
from local.mailbox import LARGEST_MESSAGE, Mailbox
from local.ses_bridge import Options
from local.stack import OPERATOR, Stack, start

CONTACTS = ROOT / "examples" / "contacts.csv"
LOOK_EVERY = 0.4  # seconds
_JOB_SECONDS = 120.0  # the longest wait for a job
_STILL_SECONDS = 120.0  # the longest wait for the next mail: a tick comes every 60 seconds
_SHOWN_FAULTS = 20

State = dict[str, Any]
TICKETS = Content(SUBJECT, HTML, TEXT)


class DemoError(Exception):
    """The main job came to no end; the text says where it stopped."""


@dataclass(frozen=True, slots=True)
class Imported:
    """An import that is done, and the lines it rejected."""

    job: State
    rejected_lines: list[int]


@dataclass(frozen=True, slots=True)
class Report:
    """What the API tells about a campaign: totals, contacts, and the Excel report."""

    totals: dict[str, int]
    contacts: list[State]
    workbook: bytes

    @property
    def rows(self) -> list[checks.Row]:
        """Each contact's address and status."""
        return [(contact["email"], contact["status"]) for contact in self.contacts]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a demo takes place: a deployed stack, and the API of an account of its own."""

    stack: Stack
    api: ApiClient
    account_id: str

    def operate(self, **order: str) -> State:
        """Have the service's operator do something for the account."""
        answer: State = self.stack.invoke(OPERATOR, {**order, "account_id": self.account_id})
        return answer


def conclude(run: Callable[[], tuple[State, list[str]]]) -> int:
    """Run a demo, print its numbers as the last line on stdout, and return the exit status.

    ``run`` gives the numbers, to which the seconds it took are added, and sentences of what it found wrong.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        numbers, faults = run()
    except KeyboardInterrupt:
        say("\nStopped; nothing is left running.")
        return 130
    except (DemoError, ApiError) as error:
        say(f"\nIt came to no end: {error}")
        return 1
    for fault in faults[:_SHOWN_FAULTS]:
        say(f"  WRONG  {fault}")
    say("  Something doesn't agree." if faults else "  All agree. The stack is stopped.")
    print(json.dumps({**numbers, "seconds": round(time.monotonic() - began, 1)}), flush=True)
    return 1 if faults else 0


@contextmanager
def deployed(ses: Options | None = None, largest_message: int = LARGEST_MESSAGE) -> Iterator[Scene]:
    """A stack with a new account, for the length of the block."""
    began = time.monotonic()
    say("Starting the embedded stack: AWS emulator, SMTP server, the packaged app …")
    with start(None, ses=ses, largest_message=largest_message) as stack:
        say(f"  deployed after {time.monotonic() - began:.1f} s at {stack.api_url}")
        wish = {"action": "create_account", "name": "Demo", "line_plan": "purchased"}
        account = stack.invoke(OPERATOR, wish)
        yield Scene(stack, ApiClient(stack.api_url, account["api_key"]), account["account_id"])


def connect(api: ApiClient, line: State) -> str:
    """Make a line and wait until it is proven; returns its id."""
    made = api.call("POST", "/lines", line)
    path = f"/lines/{made['line_id']}"
    api.call("POST", f"{path}/connect")
    seen = wait(lambda: api.call("GET", path), lambda it: it["connection"]["state"] != "connecting", "line")
    if seen["connection"]["state"] != "connected":
        raise DemoError(f"the line did not connect: {seen['connection']}")
    return str(made["line_id"])


def connect_line(api: ApiClient, mailbox: Mailbox) -> str:
    """An SMTP line to the local mailbox, proven; returns its id."""
    say("\nPOST /lines, POST /lines/…/connect: an SMTP line to the local mailbox")
    smtp = {
        "host": mailbox.host,
        "port": mailbox.port,
        "security": "starttls",
        "username": mailbox.username,
        "password": mailbox.password,
    }
    new = {"name": "Demo line", "from_address": "tickets@example.com", "from_name": "Café Zoë", "smtp": smtp}
    line_id = connect(api, new)
    say(f"  connected: {mailbox.host}:{mailbox.port}, STARTTLS, AUTH")
    return line_id


def create_campaign(api: ApiClient, line_id: str, texts: Content = TICKETS) -> str:
    """Make a demo's campaign, open around the clock; returns its id."""
    say(f"\nPOST /campaigns: “{texts.subject}”")
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
            "name": "Demo",
            "line_ids": [line_id],
            "schedule": schedule,
            "subject": texts.subject,
            "html": texts.html,
            "text": texts.text,
        },
    )
    say(f"  {campaign['status']}; still needed: {' '.join(one['text'] for one in campaign['obstacles'])}")
    return str(campaign["campaign_id"])


def import_contacts(api: ApiClient, campaign_id: str) -> Imported:
    """Upload the example list, and wait until it is imported."""
    say(f"\nPOST /campaigns/…/imports, then {CONTACTS.name} by presigned POST")
    started = api.call("POST", f"/campaigns/{campaign_id}/imports", {"file_name": CONTACTS.name})
    upload(started["upload"], CONTACTS)
    job = finished_job(api, f"/imports/{started['import_id']}")
    table({name: job[name] for name in ("rows", "added", "duplicates", "rejected")})
    rejected = download(job["rejected_url"]).decode("utf-8-sig").splitlines()
    return Imported(job, [int(row["row"]) for row in csv.DictReader(rejected)])


def launch(api: ApiClient, campaign_id: str) -> int:
    """Launch; returns how many contacts the campaign has."""
    say("\nPOST /campaigns/…/launch")
    return int(api.call("POST", f"/campaigns/{campaign_id}/launch")["totals"]["contacts"])


def follow(api: ApiClient, campaign_id: str, contacts: int, paused: Callable[[State], bool]) -> float:
    """Show the progress until the campaign is finished; returns when the last message was settled, as
    ``time.monotonic`` counts. ``paused`` gets the report of one that stopped, and
    tells whether it goes on. One that stopped after its last message has nobody left to write to.
    """
    since = time.monotonic()
    settled = -1
    with progress("Sending", contacts) as show:
        while True:
            report = api.call("GET", f"/campaigns/{campaign_id}/report")
            if report["settled"] != settled:
                settled, since = report["settled"], time.monotonic()
                show(settled)
            stopped = report["status"] == "paused"
            if report["status"] == "finished" or (stopped and report["settled"] == contacts):
                return since
            stands = time.monotonic() - since > _STILL_SECONDS
            if stands or (stopped and not paused(report)):
                raise DemoError(f"the campaign stopped: {report}")
            time.sleep(LOOK_EVERY)


def read_report(api: ApiClient, campaign_id: str) -> Report:
    """The report in numbers, contact by contact, and as a workbook."""
    report = api.call("GET", f"/campaigns/{campaign_id}/report")
    say(f"\nGET /campaigns/…/report: the campaign is {report['status']}")
    table({name.replace("_", " "): report["totals"][name] for name in checks.STATUSES})
    contacts = list(api.pages(f"/campaigns/{campaign_id}/contacts"))
    return Report(report["totals"], contacts, _export(api, campaign_id))


def _export(api: ApiClient, campaign_id: str) -> bytes:
    say("\nPOST /campaigns/…/exports: the report as an Excel workbook")
    export_id = api.call("POST", f"/campaigns/{campaign_id}/exports")["export_id"]
    job = finished_job(api, f"/exports/{export_id}")
    workbook = download(job["url"])
    say(f"  {job['rows']} rows, {len(workbook):,} bytes")
    return workbook


def finished_job(api: ApiClient, path: str) -> State:
    """A job once it is done. Raises DemoError if it failed."""
    job = wait(lambda: api.call("GET", path), lambda it: it["state"] in {"done", "failed"}, path)
    if job["state"] == "failed":
        raise DemoError(f"{path} failed: {job['reason']}")
    return job


def wait(look: Callable[[], State], over: Callable[[State], bool], what: str) -> State:
    """Look again and again until it is over. Raises DemoError after two minutes."""
    deadline = time.monotonic() + _JOB_SECONDS
    while not over(state := look()):
        if time.monotonic() > deadline:
            raise DemoError(f"this came to no end: {what}: {state}")
        time.sleep(LOOK_EVERY)
    return state
