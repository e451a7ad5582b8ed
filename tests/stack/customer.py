"""A customer of the deployed stack: an account of its own, the mail it causes, and the rows it has."""

import email
import email.policy
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Self

from boto3.dynamodb.types import TypeDeserializer

from local.stack import OPERATOR, Stack
from tests.stack.api import Answer, Api, upload, wait_for

ALWAYS = {
    "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "start_date": "2026-01-01",
    "end_date": "2099-12-31",
    "start_time": "00:00",
    "end_time": "00:00",
    "time_zone": "Europe/Berlin",
}
STORED = "%Y-%m-%dT%H:%M:%S.%f%z"  # how a row keeps an instant
SETTLED = ("sent", "delivered", "opened", "error")


class Customer:
    """An account with its API; its contacts have addresses at a domain that nobody else uses."""

    def __init__(self, stack: Stack, account_id: str, key: str) -> None:
        self.stack = stack
        self.account_id = account_id
        self.key = key
        self.api = Api(stack.api_url, key)
        self.domain = f"{account_id.lower()}.example"

    @classmethod
    def new(cls, stack: Stack) -> Self:
        """Have the operator make an account."""
        order = {"action": "create_account", "name": "A customer", "line_plan": "purchased"}
        made = stack.invoke(OPERATOR, order)
        return cls(stack, made["account_id"], made["api_key"])

    def expired_key(self) -> str:
        """A key that nobody has used and whose time is over, though nobody waited for it."""
        soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        made = self.api.post("/api-keys", {"name": "expired", "expires_at": soon})
        self.stack.client("dynamodb").update_item(
            TableName=self.stack.resource("ApiKeyTable"),
            Key={"key_id": {"S": made["key_id"]}},
            UpdateExpression="SET expires_at = :now",
            ConditionExpression="attribute_exists(expires_at)",
            ExpressionAttributeValues={":now": {"S": datetime.now(UTC).strftime(STORED)}},
        )
        return str(made["api_key"])

    def address(self, local_part: str) -> str:
        """An address at this customer's domain."""
        return f"{local_part}@{self.domain}"

    def line(self, return_path: str | None = None, **limits: int) -> str:
        """A line to the mailbox whose connection is proven."""
        line_id = self.unconnected_line(return_path, **limits)
        self.api.post(f"/lines/{line_id}/connect")
        state = wait_for(lambda: self._proven(line_id), "the line is proven")
        assert state == "connected", self.api.get(f"/lines/{line_id}")
        return line_id

    def unconnected_line(self, return_path: str | None = None, **limits: int) -> str:
        """A line to the mailbox that nobody has proven."""
        mailbox = self.stack.mailbox
        smtp = {
            "host": mailbox.host,
            "port": mailbox.port,
            "security": "starttls",
            "username": mailbox.username,
            "password": mailbox.password,
        }
        new = {"name": "Line", "from_address": "news@sender.example", "from_name": "Zoë", "smtp": smtp}
        more = {"limits": limits, "return_path": return_path}
        return str(self.api.post("/lines", {**new, **more})["line_id"])

    def _proven(self, line_id: str) -> str | None:
        state = self.api.get(f"/lines/{line_id}")["connection"]["state"]
        return None if state == "connecting" else str(state)

    def campaign(self, line_id: str | None = None, **changed: object) -> str:
        """A campaign that only lacks contacts."""
        new = {
            "name": "Spring",
            "line_ids": [line_id or self.line()],
            "schedule": ALWAYS,
            "subject": "For [firstName|you]",
            "html": "<p>Hello [firstName|friend], [param1|nothing]!</p>",
        }
        return str(self.api.post("/campaigns", {**new, **changed})["campaign_id"])

    def add(self, campaign_id: str, local_parts: Iterable[str]) -> list[str]:
        """Add contacts by hand; returns their ids in the same order."""
        contacts = [{"email": self.address(part), "first_name": part} for part in local_parts]
        added = self.api.post(f"/campaigns/{campaign_id}/contacts", {"contacts": contacts})
        return [contact["contact_id"] for contact in added["contacts"]]

    def form(self, campaign_id: str, file_type: str = "csv") -> tuple[str, dict[str, Any]]:
        """A new import and the form to upload its file with."""
        wish = {"file_name": f"contacts.{file_type}", "file_type": file_type}
        started = self.api.post(f"/campaigns/{campaign_id}/imports", wish)
        return started["import_id"], started["upload"]

    def import_file(self, campaign_id: str, content: bytes, file_type: str = "csv") -> dict[str, Any]:
        """Upload a file; returns the import when it has come to its end."""
        import_id, form = self.form(campaign_id, file_type)
        answer: Answer = upload(form, content)
        assert answer.status == 204, answer
        return self.ended(f"/imports/{import_id}")

    def ended(self, path: str) -> dict[str, Any]:
        """A job when it is done or has failed."""

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.api.get(path)
            return job if job["state"] in {"done", "failed"} else None

        return wait_for(look, f"{path} ends")

    def launch(self, campaign_id: str) -> None:
        """Launch, or launch again."""
        self.api.post(f"/campaigns/{campaign_id}/launch")

    def totals(self, campaign_id: str) -> dict[str, int]:
        """The numbers of the report."""
        totals: dict[str, int] = self.api.get(f"/campaigns/{campaign_id}/report")["totals"]
        return totals

    def when(self, campaign_id: str, arrived: Callable[[dict[str, int]], bool], what: str) -> dict[str, int]:
        """The totals once they are as wished."""

        def look() -> dict[str, int] | None:
            totals = self.totals(campaign_id)
            return totals if arrived(totals) else None

        return wait_for(look, what)

    def finished(self, campaign_id: str) -> dict[str, int]:
        """The totals once every contact is settled; they are checked against the rows."""
        totals = self.when(
            campaign_id, lambda t: t["contacts"] == sum(t[name] for name in SETTLED), "all are settled"
        )
        self.assert_totals_are_true(campaign_id)
        return totals

    def contacts(self, campaign_id: str) -> list[dict[str, Any]]:
        """All contacts, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.api.get(f"/campaigns/{campaign_id}/contacts?limit=200{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def assert_totals_are_true(self, campaign_id: str) -> None:
        """The totals are those that counting the rows gives."""
        contacts, totals = self.contacts(campaign_id), self.totals(campaign_id)
        counted = Counter(contact["status"] for contact in contacts)
        unknown = sum(contact["outcome_unknown"] for contact in contacts)
        reasons = Counter(contact["reason"]["code"] for contact in contacts if contact["reason"])
        assert totals == {
            "contacts": len(contacts),
            "outcome_unknown": unknown,
            "suppressed": reasons["suppressed"],
            **{
                part: sum(contact[f"{part}_at"] is not None for contact in contacts)
                for part in ("machine_opened", "bounced", "complained", "unsubscribed")
            },
            **{name: counted[name] for name in ("not_sent", "pending", *SETTLED)},
        }

    def mail(self) -> list[tuple[str, EmailMessage]]:
        """What the mailbox has for this customer's contacts: the recipient and the message."""
        return [
            (recipient, email.message_from_bytes(received.content, policy=email.policy.default))
            for received in self.stack.mailbox.maildir.messages()
            for recipient in received.recipients
            if recipient.endswith(f"@{self.domain}")
        ]

    def received(self) -> Counter[str]:
        """How often each local part was written to."""
        return Counter(recipient.partition("@")[0] for recipient, _ in self.mail())

    def visit(self, campaign_id: str) -> None:
        """Ask the dispatcher for a visit, as the tick does each minute."""
        self.queue("DispatchQueue", {"account_id": self.account_id, "campaign_id": campaign_id})

    def queue(self, queue: str, message: Mapping[str, object] | str) -> None:
        """Put a message on a queue, as its owner could."""
        body = message if isinstance(message, str) else json.dumps(message)
        self.stack.client("sqs").send_message(QueueUrl=self.stack.resource(queue), MessageBody=body)

    def rows(self, campaign_id: str) -> list[dict[str, Any]]:
        """The rows of the campaign's contacts as they are stored."""
        prefix = f"{self.account_id}#{campaign_id}#"
        return [row for row in table(self.stack, "ContactTable") if row["bucket"].startswith(prefix)]


def table(stack: Stack, logical_id: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.resource(logical_id))
    read = TypeDeserializer().deserialize
    return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def csv_file(*rows: str) -> bytes:
    """A contact file with the usual header."""
    return "\r\n".join(["Email,First Name,Last Name,Middle Name,P1,P2,P3", *rows, ""]).encode()


def orders_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The message that the send queue got for each released row, made from what the row says."""
    return [
        json.dumps(
            {
                "account_id": row["bucket"].split("#")[0],
                "campaign_id": row["bucket"].split("#")[1],
                "contact_id": row["contact_id"],
                "line_id": row["line_id"],
                "generation": int(row["generation"]),
                "attempt": int(row["attempt"]),
                "slot_at": datetime.fromisoformat(row["slot_at"]).isoformat(),
            }
        )
        for row in rows
    ]


def let_leases_run_out(customer: Customer, campaign_id: str) -> None:
    """Make it half an hour later for the campaign's Pending contacts."""
    table_name, past = customer.stack.resource("ContactTable"), datetime.now(UTC) - timedelta(minutes=1)
    for row in customer.rows(campaign_id):
        if row["status"] == "pending":
            customer.stack.client("dynamodb").update_item(
                TableName=table_name,
                Key={"bucket": {"S": row["bucket"]}, "contact_id": {"S": row["contact_id"]}},
                UpdateExpression="SET lease_until = :lease, work_at = :at",
                ConditionExpression="#status = :pending",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":lease": {"S": past.strftime(STORED)},
                    ":at": {"S": past.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
                    ":pending": {"S": "pending"},
                },
            )
