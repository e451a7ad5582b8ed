"""`make demo`: a contact list becomes delivered mail with a true report, through the HTTP API only.

The last line on stdout is JSON with the numbers; it exits with 0 only if all of them agree with each other,
with the file, and with what arrived. All else goes to stderr.
"""

import sys
from itertools import chain

from local import demo_checks as checks
from local.demo_display import say
from local.demo_list import expected_list
from local.demo_steps import (
    CONTACTS,
    Imported,
    Report,
    State,
    conclude,
    connect_line,
    create_campaign,
    deployed,
    follow,
    import_contacts,
    launch,
    read_report,
)
from local.maildir import Received


def main() -> int:
    """Run the demo; returns the exit status."""
    return conclude(_run)


def _run() -> tuple[State, list[str]]:
    with deployed() as scene:
        api, mailbox = scene.api, scene.stack.mailbox
        line_id = connect_line(api, mailbox)
        campaign_id = create_campaign(api, line_id)
        imported = import_contacts(api, campaign_id)
        contacts = launch(api, campaign_id)
        follow(api, campaign_id, contacts, paused=lambda _: False)
        report = read_report(api, campaign_id)
        return _judge(imported, report, list(mailbox.maildir.messages()))


def _judge(imported: Imported, report: Report, received: list[Received]) -> tuple[State, list[str]]:
    say("\nComparing the file, the API, the workbook and the mailbox")
    expected, totals = expected_list(CONTACTS), report.totals
    faults = list(
        chain(
            checks.check_import(imported.job, imported.rejected_lines, expected),
            checks.check_totals(totals),
            checks.check_rows("API", report.rows, totals, expected),
            checks.check_workbook(report.workbook, totals, expected),
            checks.check_mail(received, checks.written_to(report.rows), expected),
        )
    )
    numbers = {
        "contacts": totals["contacts"],
        "rejected": imported.job["rejected"],
        "sent": totals["sent"],
        "errors": totals["error"],
        "received": len(received),
        "duplicates": checks.duplicates_in(received),
    }
    return numbers, faults


if __name__ == "__main__":
    sys.exit(main())
