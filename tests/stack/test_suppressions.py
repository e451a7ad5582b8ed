"""The suppression list of the deployed stack: it binds every sender, and people handle it as a whole."""

import csv
import io
from typing import Any
from urllib.parse import quote

import pytest

from tests.stack.api import download, upload
from tests.stack.customer import ALWAYS, Customer, csv_file

SLOWLY = {**ALWAYS, "interval": {"min_seconds": 8, "max_seconds": 8}}


def suppress(customer: Customer, *local_parts: str, **fields: str) -> dict[str, Any]:
    addresses = [customer.address(part) for part in local_parts]
    added: dict[str, Any] = customer.api.post("/suppressions", {"addresses": addresses, **fields})
    return added


def listed(customer: Customer, query: str = "") -> list[str]:
    """The local parts on all pages of the list, in the order it has them."""
    found: list[str] = []
    cursor = ""
    while True:
        page = customer.api.get(f"/suppressions?limit=2{query}{cursor}")
        found += [item["email"].partition("@")[0] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def reasons(customer: Customer, campaign: str) -> dict[str, str]:
    """The reason's code of each contact in Error."""
    contacts = customer.api.get(f"/campaigns/{campaign}/contacts?status=error&limit=200")["items"]
    return {contact["first_name"]: contact["reason"]["code"] for contact in contacts}


def test_who_is_suppressed_while_the_campaign_is_in_progress_is_not_written_to(customer: Customer) -> None:
    campaign = customer.campaign(schedule=SLOWLY)
    customer.add(campaign, ["ann", "bob", "cid"])
    customer.launch(campaign)
    suppress(customer, "cid", reason="unsubscribed")  # its slot is eight seconds away at the least
    totals = customer.finished(campaign)
    assert (totals["sent"], totals["error"], totals["suppressed"]) == (2, 1, 1)
    assert reasons(customer, campaign) == {"cid": "suppressed"}
    assert set(customer.received()) == {"ann", "bob"}

    customer.when(campaign, lambda _: state(customer, campaign) == "finished", "it is finished")
    customer.api.call("DELETE", f"/suppressions?email={quote(customer.address('CID'))}")
    customer.api.post(f"/campaigns/{campaign}/resend", {})
    totals = customer.when(campaign, lambda t: t["sent"] == 3, "who came off the list is sent to")
    assert (totals["error"], totals["suppressed"], customer.received()["cid"]) == (0, 0, 1)


def state(customer: Customer, campaign: str) -> str:
    return str(customer.api.get(f"/campaigns/{campaign}")["status"])


def test_who_is_on_the_list_is_told_of_before_anything_is_sent(customer: Customer) -> None:
    campaign = customer.campaign()
    suppress(customer, "ann", "elsewhere")
    people = [{"email": customer.address(part), "first_name": part} for part in ("Ann", "bob")]
    added = customer.api.post(f"/campaigns/{campaign}/contacts", {"contacts": people})
    assert (added["added"], added["suppressed"]) == (2, 1)
    suppress(customer, "cid")
    job = customer.import_file(
        campaign, csv_file(*(f"{customer.address(part)},{part}" for part in ("cid", "dan")))
    )
    assert (job["added"], job["suppressed"]) == (2, 1)
    expected = {"contacts": 2, "complete": True}
    assert customer.api.get(f"/campaigns/{campaign}/plan")["suppressed"] == expected
    assert customer.api.post(f"/campaigns/{campaign}/launch")["suppressed"] == expected
    totals = customer.finished(campaign)
    assert (totals["sent"], totals["suppressed"]) == (2, 2)
    assert set(customer.received()) == {"bob", "dan"}


def test_the_list_is_searched_filtered_and_shortened(customer: Customer) -> None:
    assert suppress(customer, "ann", "anna", "bob", "ANN")["added"] == 3
    again = suppress(customer, "anna", "cid", reason="complained")
    assert (again["added"], again["duplicates"]) == (1, 1)
    assert listed(customer) == ["ANN", "anna", "bob", "cid"]  # of two spellings at once, the same one always
    assert listed(customer, "&prefix=an") == ["ANN", "anna"]
    assert listed(customer, "&reason=complained") == ["anna", "cid"]
    (anna,) = customer.api.get(f"/suppressions?email={quote(customer.address('Anna'))}")["items"]
    assert (anna["reason"], anna["also"], anna["campaign_id"]) == ("added", ["complained"], None)
    path = f"/suppressions?email={quote(customer.address('anna'))}"
    assert customer.api.call("DELETE", path).body == anna
    assert customer.api.call("DELETE", path).code == "suppressed_address_not_found"
    assert listed(customer) == ["ANN", "bob", "cid"]


def test_a_list_goes_out_as_a_file_and_comes_back(customer: Customer) -> None:
    suppress(customer, "=1+1", "-x", "o'neil")
    suppress(customer, "-x", reason="complained")
    before = customer.api.get("/suppressions")["items"]
    job = customer.ended(f"/exports/{customer.api.post('/suppressions/exports')['export_id']}")
    assert (job["state"], job["rows"], job["campaign_id"]) == ("done", 3, None)
    content = download(job["url"])
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    for entry in before:
        customer.api.call("DELETE", f"/suppressions?email={quote(entry['email'])}")
    assert listed(customer) == []

    for added, duplicates in ((3, 0), (0, 3)):
        job = import_list(customer, content)
        assert (job["state"], job["added"], job["duplicates"], job["campaign_id"]) == (
            "done",
            added,
            duplicates,
            None,
        )
        assert customer.api.get("/suppressions")["items"] == before
    assert len(customer.api.get("/suppressions/imports")["items"]) == 2


def import_list(customer: Customer, content: bytes) -> dict[str, Any]:
    started = customer.api.post("/suppressions/imports", {"file_name": "list.csv"})
    assert upload(started["upload"], content).status == 204
    return customer.ended(f"/imports/{started['import_id']}")


def test_any_contact_file_may_be_imported_and_wrong_rows_are_told(customer: Customer) -> None:
    job = import_list(customer, csv_file(f"{customer.address('ann')},Ann", "nobody,Nobody"))
    assert (job["added"], job["rejected"]) == (1, 1)
    assert "nobody" in download(job["rejected_url"]).decode("utf-8-sig")
    assert listed(customer) == ["ann"]
    assert import_list(customer, b"name\nAnn\n")["reason"]["code"] == "no_email_column"


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("POST", "/suppressions", {"addresses": ["x", "a@b.example", "y"]}, {"addresses[0]", "addresses[2]"}),
        ("POST", "/suppressions", {"addresses": []}, {"addresses"}),
        ("POST", "/suppressions", {"addresses": ["a@b.example"] * 1_001}, {"addresses"}),
        ("POST", "/suppressions", {"addresses": ["a@b.example"], "reason": "spite"}, {"reason"}),
        ("GET", "/suppressions?prefix=%00", None, {"prefix"}),
        ("GET", "/suppressions?prefix=" + "a" * 255, None, {"prefix"}),
        ("GET", "/suppressions?email=nobody", None, {"email"}),
        ("GET", "/suppressions?reason=spite&limit=0", None, {"reason", "limit"}),
        ("DELETE", "/suppressions", None, {"email"}),
        ("DELETE", "/suppressions?email=nobody", None, {"email"}),
        ("POST", "/suppressions/imports", {"file_type": "pdf"}, {"file_type"}),
    ],
)
def test_what_is_wrong_is_named(
    customer: Customer, method: str, path: str, body: object, fields: set[str]
) -> None:
    assert customer.api.call(method, path, body).wrong_fields == fields


def test_nobody_sees_or_changes_anothers_list(customer: Customer) -> None:
    stranger = Customer.new(customer.stack)
    suppress(customer, "ann", "bob", "cid")
    page = customer.api.get("/suppressions?limit=1")
    foreign = stranger.api.call("GET", f"/suppressions?cursor={page['next_cursor']}")
    assert (foreign.status, foreign.code) == (400, "cursor")
    path = f"/suppressions?email={quote(customer.address('ann'))}"
    assert (stranger.api.get(path)["items"], stranger.api.call("DELETE", path).status) == ([], 404)
    export = customer.api.post("/suppressions/exports")["export_id"]
    started = customer.api.post("/suppressions/imports", {})
    for job in (f"/exports/{export}", f"/imports/{started['import_id']}"):
        assert stranger.api.call("GET", job).status == 404
    assert len(listed(customer)) == 3
