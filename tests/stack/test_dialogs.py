"""Dialogs through the deployed package: told, imported, made contacts of, and gone with their line."""

import json
from typing import Any
from urllib.parse import quote

from local.stack import Stack
from tests.stack.altered import altered_build
from tests.stack.api import upload, wait_for
from tests.stack.customer import Customer, table

MANY = 205  # dialogs: three pieces of contacts

LATE_AFTER_A_PIECE = """
from chalicelib.flow import dialog_contacts as _steps
_add = _steps._Walk._add
def _counted(self, piece):
    _add(self, piece)
    self.pieces = getattr(self, "pieces", 0) + 1
_steps._Walk._add = _counted
_steps._Walk._is_late = lambda self: getattr(self, "pieces", 0) > 0
"""
"""Each run has time for one piece."""

DIES_AFTER_A_PIECE = """
import os as _os
from chalicelib.flow import dialog_contacts as _steps
_add = _steps._Walk._add
def _last(self, piece):
    _add(self, piece)
    _os._exit(1)
_steps._Walk._add = _last
"""


def told(customer: Customer, line: str, *local_parts: str, **fields: Any) -> dict[str, Any]:
    """Tell of several at once, all with the same fields."""
    dialogs = [{"email": customer.address(part), "first_name": part, **fields} for part in local_parts]
    answer: dict[str, Any] = customer.api.post(f"/lines/{line}/dialogs/bulk", {"dialogs": dialogs})
    return answer


def listed(customer: Customer, line: str, query: str = "") -> list[str]:
    """The local parts on all pages, in the order they have."""
    found: list[str] = []
    cursor = ""
    while True:
        page = customer.api.get(f"/lines/{line}/dialogs?limit=2{query}{cursor}")
        found += [item["email"].partition("@")[0] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def taken(customer: Customer, campaign: str, line: str, **tags: list[str]) -> dict[str, Any]:
    """Make contacts of dialogs; returns the job when it has come to its end."""
    job = customer.api.post(f"/campaigns/{campaign}/imports/dialogs", {"line_id": line, **tags})
    return customer.ended(f"/imports/{job['import_id']}")


def numbers(job: dict[str, Any]) -> tuple[str, int, int, int]:
    return job["state"], job["rows"], job["added"], job["duplicates"]


def test_dialogs_are_told_imported_and_written_to(customer: Customer) -> None:
    line = customer.line()
    first = customer.api.post(f"/lines/{line}/dialogs", {"email": customer.address("ann"), "tags": ["VIP"]})
    assert first["outcome"] == "created"
    assert told(customer, line, "bob", "cid")["created"] == 2
    file = "\r\n".join(
        [
            "E-mail,First name,Tags,Last message",
            f'{customer.address("bob")},Bob,"vip, new",2026-03-01 09:30',
            f"{customer.address('dan')},Dan,VIP,",
            "nonsense,,,",
        ]
    )
    started = customer.api.post(f"/lines/{line}/dialogs/imports", {"file_name": "crm.csv"})
    assert upload(started["upload"], file.encode()).status == 204
    job = customer.ended(f"/imports/{started['import_id']}")
    assert (*numbers(job), job["rejected"], job["updated"]) == ("done", 3, 1, 1, 1, 1)
    wish = {"emails": [customer.address("cid")], "add": ["left", "VIP"]}
    assert customer.api.post(f"/lines/{line}/dialogs/tags", wish)["updated"] == 1
    assert listed(customer, line) == ["ann", "bob", "cid", "dan"]
    assert listed(customer, line, f"&prefix={quote('B')}") == ["bob"]
    assert listed(customer, line, "&all_of=vip&none_of=left") == ["ann", "bob", "dan"]

    campaign = customer.campaign(line)
    customer.api.post("/suppressions", {"addresses": [customer.address("dan")]})
    job = taken(customer, campaign, line, any_of=["vip"], none_of=["LEFT"])
    assert (*numbers(job), job["suppressed"]) == ("done", 3, 3, 0, 1)
    assert numbers(taken(customer, campaign, line, any_of=["new"])) == ("done", 1, 0, 1)
    told(customer, line, "eve", tags=["VIP"])
    customer.launch(campaign)
    totals = customer.finished(campaign)
    assert (totals["contacts"], totals["sent"], totals["suppressed"]) == (3, 2, 1)
    assert dict(customer.received()) == {"ann": 1, "bob": 1}

    stranger = Customer.new(customer.stack)
    for method, path, body in (
        ("GET", f"/lines/{line}/dialogs", None),
        ("POST", f"/lines/{line}/dialogs", {"email": "x@mail.example"}),
        ("DELETE", f"/lines/{line}/dialogs?email={quote(customer.address('ann'))}", None),
        ("POST", f"/lines/{line}/dialogs/imports", {}),
    ):
        assert stranger.api.call(method, path, body).code == "line_not_found"
    foreign = {"line_id": line}
    own = stranger.campaign()
    answer = stranger.api.call("POST", f"/campaigns/{own}/imports/dialogs", foreign)
    assert answer.wrong_fields == {"line_id"}

    customer.api.delete(f"/lines/{line}")
    assert customer.api.call("GET", f"/lines/{line}/dialogs").status == 404
    customer.queue("RemovalQueue", {"account_id": customer.account_id, "line_id": line})  # its own is delayed
    wait_for(lambda: not stored(customer), "its dialogs are removed")
    path = f"/imports/{started['import_id']}"
    wait_for(lambda: customer.api.call("GET", path).status == 404, "its imports are removed")


def stored(customer: Customer) -> list[dict[str, Any]]:
    rows = table(customer.stack, "DialogTable")
    return [row for row in rows if row["bucket"].startswith(f"{customer.account_id}#")]


def runs(customer: Customer, import_id: str) -> list[str]:
    """The states in which the importer's runs of a job ended, as they are logged."""
    lines = (json.loads(line) for line in customer.stack.logs("ImportUploads") if '"import_run"' in line)
    return [line["state"] for line in lines if line["import_id"] == import_id]


def test_a_job_that_dies_and_runs_out_of_time_goes_on_where_it_was(bench: Stack) -> None:
    customer = Customer.new(bench)
    line = customer.line()
    campaign = customer.campaign(line)
    told(customer, line, *(f"n{number:03}" for number in range(MANY)))
    customer.add(campaign, ["n000"])
    with altered_build(bench, "ImportUploads", DIES_AFTER_A_PIECE):
        job = customer.api.post(f"/campaigns/{campaign}/imports/dialogs", {"line_id": line})
        path = f"/imports/{job['import_id']}"
        seen = wait_for(lambda: progressed(customer, path), "a piece is stored")
    assert seen["state"] == "running"
    told(customer, line, "later")
    message = {"account_id": customer.account_id, "import_id": job["import_id"]}
    with altered_build(bench, "ImportUploads", LATE_AFTER_A_PIECE):
        customer.queue("ImportQueue", message)  # the message that died stays out of sight for 90 minutes
        done = customer.ended(path)
    assert numbers(done) == ("done", MANY, MANY - 1, 1)
    assert {part for part, _ in names(customer, campaign)} == {f"n{number:03}" for number in range(MANY)}
    states = wait_for(lambda: ended_runs(customer, job["import_id"]), "the runs are logged")
    assert states.count("running") >= 2
    customer.queue("ImportQueue", message)
    assert numbers(customer.api.get(path)) == numbers(done)


def progressed(customer: Customer, path: str) -> dict[str, Any] | None:
    job: dict[str, Any] = customer.api.get(path)
    return job if job["rows"] else None


def ended_runs(customer: Customer, import_id: str) -> list[str] | None:
    states = runs(customer, import_id)
    return states if "done" in states else None


def names(customer: Customer, campaign: str) -> list[tuple[str, str]]:
    contacts = customer.contacts(campaign)
    return [(contact["email"].partition("@")[0], contact["first_name"]) for contact in contacts]
