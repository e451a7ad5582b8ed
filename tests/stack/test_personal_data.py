"""One person asks what is kept, and to be forgotten: on the deployed package, down to the rows and files."""

import json
import urllib.request

from boto3.dynamodb.types import TypeDeserializer

from local.stack import Stack
from tests.stack.api import wait_for
from tests.stack.customer import Customer, csv_file
from tests.stack.person import Person


def rows_with(stack: Stack, text: str) -> list[str]:
    """The tables of the stack in which a row holds this text, in any case."""
    database, read = stack.client("dynamodb"), TypeDeserializer().deserialize
    found = []
    for name in database.list_tables()["TableNames"]:
        for page in database.get_paginator("scan").paginate(TableName=name):
            rows = [{key: read(value) for key, value in item.items()} for item in page["Items"]]
            found += [name for row in rows if text.lower() in repr(row).lower()]
    return found


def a_mate_joins(customer: Customer) -> None:
    mate = Person.new(customer.stack, customer.address("mate"))
    invited = customer.api.post("/invitations", {"email": mate.email, "role": "viewer"})
    mate.api.post("/invitations/accept", {"token": invited["token"]})


def test_a_person_is_told_all_and_then_forgotten_and_a_file_does_not_bring_them_back(
    stack: Stack, customer: Customer
) -> None:
    ann = customer.address("Ann")
    line = customer.line()
    first = customer.campaign(line)
    customer.add(first, ["Ann", "bob"])
    customer.launch(first)
    customer.finished(first)
    customer.api.post(f"/lines/{line}/dialogs", {"email": ann, "first_name": "Ann"})
    customer.api.post("/suppressions", {"addresses": [ann], "reason": "complained"})
    a_mate_joins(customer)
    customer.api.post("/invitations", {"email": ann, "role": "viewer"})
    waiting = customer.campaign(line)
    of_ann, _ = customer.add(waiting, ["Ann", "bob"])
    wish = {"to": customer.address("tester"), "contact_id": of_ann}
    test = customer.api.post(f"/campaigns/{waiting}/tests", wish)["test_id"]
    wait_for(lambda: customer.api.get(f"/tests/{test}")["state"] == "sent", "the test message is sent")

    asked = customer.api.post("/personal-data/exports", {"address": ann})
    done = customer.ended(f"/personal-data/jobs/{asked['job_id']}")
    assert (done["state"], done["found"]["contacts"]) == ("done", 2)
    with urllib.request.urlopen(done["url"]) as answer:
        told = json.loads(answer.read())
    assert {contact["status"] for contact in told["contacts"]} == {"sent", "not_sent"}
    assert (told["dialogs"][0]["email"], told["suppressions"][0]["reasons"]) == (ann, ["complained"])
    assert ([one["email"] for one in told["invitations"]], told["members"]) == ([ann], [])
    assert customer.address("bob") not in json.dumps(told)

    before = customer.totals(first)
    asked = customer.api.post("/personal-data/erasures", {"address": ann.upper().replace("ANN", "Ann")})
    done = customer.ended(f"/personal-data/jobs/{asked['job_id']}")
    assert (done["state"], done["url"]) == ("done", None)
    assert done["found"] == {"contacts": 2} | dict.fromkeys(
        ("dialogs", "suppressions", "test_messages", "invitations"), 1
    )
    assert rows_with(stack, ann) == []
    assert customer.api.call("GET", f"/tests/{test}").status == 404
    prefix = f"results/{customer.account_id}/personal-data/"
    files = stack.client("s3").list_objects_v2(Bucket=stack.outputs["FileBucketName"], Prefix=prefix)
    assert files["KeyCount"] == 0
    assert customer.totals(first) == before
    customer.assert_totals_are_true(first)
    assert customer.totals(waiting).items() >= {"not_sent": 1, "error": 1, "suppressed": 1}.items()
    assert customer.api.get("/suppressions")["items"] == []
    (entry,) = customer.api.get(f"/suppressions?email={ann}")["items"]
    assert (entry["erased"], entry["reason"]) == (True, "complained")

    again = customer.campaign(line)
    imported = customer.import_file(again, csv_file(f"{ann},Ann,,,,,", f"{customer.address('bob')},,,,,,"))
    assert (imported["added"], imported["suppressed"]) == (2, 1)
    customer.launch(again)
    totals = customer.finished(again)
    assert (totals["sent"], totals["suppressed"]) == (1, 1)
    assert customer.received()["Ann"] == 1


def test_acts_are_in_the_trail_and_a_job_is_nobody_elses(stack: Stack, customer: Customer) -> None:
    asked = customer.api.post("/personal-data/exports", {"address": customer.address("ann")})
    other = Customer.new(stack)
    assert other.api.call("GET", f"/personal-data/jobs/{asked['job_id']}").status == 404
    assert other.api.call("GET", f"/exports/{asked['job_id']}").status == 404
    assert customer.api.call("GET", f"/exports/{asked['job_id']}").status == 404
    (entry,) = customer.api.get("/audit?action=personal_data_export_requested")["items"]
    assert (entry["outcome"], entry["subject"]) == ("done", {"job_id": asked["job_id"]})
    assert [entry["action"] for entry in other.api.get("/audit")["items"]] == ["account_created"]
    wait_for(lambda: customer.ended(f"/personal-data/jobs/{asked['job_id']}"), "the export ends")
