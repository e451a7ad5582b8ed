"""`make demo-attachments`: a file of 60 MB to 20 recipients, by SMTP, through the deployed package.

Each message is parsed, and its file compared byte for byte with the one that was uploaded. How much memory
the senders ever had is read from the system. The last line on stdout is JSON.
"""

import hashlib
import sys
import time
from binascii import a2b_base64
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from chalicelib.domain.content import Content
from local.api_client import ApiClient, upload
from local.demo_display import progress, say
from local.demo_steps import Scene, State, conclude, connect_line, create_campaign, deployed, follow, wait
from local.mailbox import Mailbox

SIZE = 60_000_000
RECIPIENTS = 20
FILE_NAME = "Каталог 2026.pdf"
_TAKES = 100_000_000  # bytes: what the mailbox announces
_MEMORY = 512 * 1024 * 1024  # bytes: what a sender has
_CATALOGUE = Content("The catalogue for [firstName]", "<p>Dear [firstName], here it is.</p>")


def main() -> int:
    """Run the demo; returns the exit status."""
    return conclude(_run)


def _run() -> tuple[State, list[str]]:
    with TemporaryDirectory() as folder, deployed(largest_message=_TAKES) as scene:
        file = Path(folder, "catalogue.pdf")
        file.write_bytes(b"%PDF-1.7\n" + hashlib.shake_256(b"catalogue").digest(SIZE - 9))
        campaign_id = _campaign(scene.api, connect_line(scene.api, scene.stack.mailbox), file)
        began = time.monotonic()
        took = follow(scene.api, campaign_id, RECIPIENTS, paused=lambda _: False) - began
        report = scene.api.call("GET", f"/campaigns/{campaign_id}/report")["totals"]
        return _judge(scene, report, hashlib.sha256(file.read_bytes()).hexdigest(), took)


def _campaign(api: ApiClient, line_id: str, file: Path) -> str:
    campaign_id = create_campaign(api, line_id, _CATALOGUE)
    path = f"/campaigns/{campaign_id}"
    say(f"\nPOST {path}/attachments: the file goes straight to S3, and is encoded once")
    started = api.call("POST", f"{path}/attachments", {"file_name": FILE_NAME})
    upload(started["upload"], file)
    wait(
        lambda: api.call("GET", f"{path}/attachments")["items"][0],
        lambda it: it["state"] != "waiting",
        "attachment",
    )
    api.call("PATCH", path, {"attachments": [started["attachment"]["attachment_id"]]})
    people = [
        {"email": f"reader{number}@mail.example", "first_name": f"Reader {number}"}
        for number in range(RECIPIENTS)
    ]
    api.call("POST", f"{path}/contacts", {"contacts": people})
    say(f"POST {path}/launch: {RECIPIENTS} messages of {SIZE * 78 // 57 // 1_000_000} MB")
    api.call("POST", f"{path}/launch")
    return campaign_id


def _judge(scene: Scene, totals: State, digest: str, took: float) -> tuple[State, list[str]]:
    say("\nComparing what arrived with what was uploaded, byte by byte")
    equal, recipients = _compare(scene.stack.mailbox, digest)
    memory = peak_memory(scene.stack.resource("SendEmails"))
    numbers = {
        "recipients": RECIPIENTS,
        "file_bytes": SIZE,
        "sent": totals["sent"],
        "equal": equal,
        "duplicates": len(recipients) - len(set(recipients)),
        "sender_peak_mb": round(memory / 1024 / 1024, 1),
        "mb_per_second": round(RECIPIENTS * SIZE * 78 / 57 / took / 1_000_000, 1),
    }
    faults = []
    if totals["sent"] != RECIPIENTS or equal != RECIPIENTS or len(recipients) != RECIPIENTS:
        faults.append(f"{RECIPIENTS} were to get the file: {numbers}")
    if not 0 < memory <= _MEMORY:
        faults.append(f"A sender had {memory} bytes of memory; {_MEMORY} is what it is given.")
    return numbers, faults


def _compare(mailbox: Mailbox, digest: str) -> tuple[int, list[str]]:
    equal, recipients = 0, list[str]()
    with progress("compared", RECIPIENTS) as show:
        for number, received in enumerate(mailbox.maildir.messages(), start=1):
            recipients += received.recipients
            equal += _last_file(received.content) == (FILE_NAME, digest)
            show(number)
    return equal, recipients


def _last_file(raw: bytes) -> tuple[str | None, str]:
    """Name and SHA-256 of the message's one file, its last part; parsing whole mails would take minutes."""
    head, _, rest = raw.rpartition(b"\r\n\r\n")
    lines, _, end = rest.rpartition(b"\r\n--")
    header = head.rpartition(b"\r\n--")[2].partition(b"\r\n")[2]
    part = message_from_bytes(header, _class=EmailMessage, policy=policy.default)
    whole = end.endswith(b"--\r\n") and part["Content-Transfer-Encoding"] == "base64"
    return part.get_filename(), hashlib.sha256(a2b_base64(lines)).hexdigest() if whole else ""


def peak_memory(function: str) -> int:
    """The most bytes that any process of a function ever had in memory, as Linux counts them (VmHWM)."""
    found = [0]
    mark = f"AWS_LAMBDA_FUNCTION_NAME={function}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes() + b"\0":
                status = (process / "status").read_text()
                found.append(int(status.partition("VmHWM:")[2].split()[0]) * 1024)
        except (OSError, IndexError):  # it has ended, or is another user's
            continue
    return max(found)


if __name__ == "__main__":
    sys.exit(main())
