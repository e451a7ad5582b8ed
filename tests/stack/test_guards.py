"""Repeated requests, quotas and headers on the deployed package, with every function held to its policy."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.stack import OPERATOR
from tests.stack.api import Answer, upload, wait_for
from tests.stack.conftest import CONSOLE
from tests.stack.customer import Customer, table


def post(customer: Customer, path: str, body: object, key: str) -> Answer:
    return customer.api.call("POST", path, body, headers={"Idempotency-Key": key})


def limit(customer: Customer, quota: str, most: int | None) -> None:
    order = {"action": "set_quota", "account_id": customer.account_id, "quota": quota, "limit": most}
    assert customer.stack.invoke(OPERATOR, order)["quotas"].get(quota) == most


def quotas(customer: Customer) -> dict[str, Any]:
    return {one["quota"]: one for one in customer.api.get("/account")["quotas"]}


def test_a_request_that_comes_again_is_answered_as_before(customer: Customer) -> None:
    line, key = customer.line(), uuid.uuid4().hex
    customer.campaign(line)
    new = {"name": "Again", "line_ids": [line], "subject": "Hi", "html": "<p>Hi</p>"}
    new["schedule"] = customer.api.get(f"/campaigns/{customer.campaign(line)}")["schedule"]
    before = len(customer.api.get("/campaigns?limit=200")["items"])
    first, again = (post(customer, "/campaigns", new, key) for _ in range(2))
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert "idempotency-replayed" not in first.headers
    assert (again.headers["idempotency-replayed"], again.headers["etag"]) == ("true", first.headers["etag"])
    assert post(customer, "/campaigns", {**new, "name": "Other"}, key).wrong_fields == {"Idempotency-Key"}
    assert len(customer.api.get("/campaigns?limit=200")["items"]) == before + 1
    form = {"file_name": "a.csv"}
    path = f"/campaigns/{first.body['campaign_id']}/imports"
    assert post(customer, path, form, "f").body == post(customer, path, form, "f").body


def test_of_many_that_come_at_once_one_is_carried_out(customer: Customer) -> None:
    line = customer.line()
    path, key = f"/lines/{line}/advice", uuid.uuid4().hex
    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(lambda _: post(customer, path, None, key), range(4)))
    assert {answer.status for answer in answers} <= {202, 409}
    done = [answer for answer in answers if answer.status == 202]
    assert len({answer.body["asked_at"] for answer in done}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1
    assert all(int(a.headers["retry-after"]) > 0 for a in answers if a.status == 409)


def test_the_text_of_an_api_key_is_in_no_row(customer: Customer) -> None:
    made = post(customer, "/api-keys", {"name": "ci"}, "k").body
    assert post(customer, "/api-keys", {"name": "ci"}, "k").code == "answer_not_kept"
    assert len(customer.api.get("/api-keys")["items"]) == 2
    rows = [row for row in table(customer.stack, "RepeatTable") if row["account_id"] == customer.account_id]
    assert [row.get("answer") for row in rows] == [None]
    assert made["api_key"] not in repr(rows)


def test_a_limit_of_an_account_holds_until_something_is_removed(customer: Customer) -> None:
    limit(customer, "lines", 1)
    line = customer.unconnected_line()
    new = {"name": "Two", "from_address": "a@b.example", "ses": {"identity": "b.example"}}
    refused = customer.api.call("POST", "/lines", new)
    assert (refused.code, refused.body["quota"], refused.body["limit"]) == ("quota_reached", "lines", 1)
    shown = quotas(customer)
    assert (shown["lines"]["limit"], shown["lines"]["used"], shown["contacts"]["used"]) == (1, 1, None)
    customer.api.delete(f"/lines/{line}")
    assert customer.api.call("POST", "/lines", new).status == 201
    limit(customer, "api_keys", 1)
    assert customer.api.call("POST", "/api-keys", {"name": "b"}).body["quota"] == "api_keys"


def test_imports_are_limited_by_their_number_bytes_and_contacts(customer: Customer) -> None:
    one = customer.campaign()
    limit(customer, "contacts", 2)
    path = f"/campaigns/{one}/imports"
    started = customer.api.post(path, {"file_size": 30})
    assert started["upload"]["max_bytes"] == 30
    assert upload(started["upload"], b"x" * 31).status == 400
    assert quotas(customer)["storage"]["used"] == 30
    limit(customer, "imports", 1)
    assert customer.api.call("POST", path, {}).body["quota"] == "imports"
    limit(customer, "imports", 5)
    limit(customer, "storage", 100)
    assert customer.api.call("POST", path, {"file_size": 71}).body["quota"] == "storage"
    customer.api.post(path, {"file_size": 70})
    customer.add(one, ["ann", "bob"])
    contact = {"contacts": [{"email": customer.address("cid")}]}
    assert customer.api.call("POST", f"/campaigns/{one}/contacts", contact).body["quota"] == "contacts"


def test_pages_of_the_named_origin_use_the_api_and_those_of_others_do_not(customer: Customer) -> None:
    for origin, allowed in ((CONSOLE, CONSOLE), ("https://evil.example", None)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        preflight = customer.api.call("OPTIONS", "/account", headers=asked)
        answer = customer.api.call("GET", "/account", headers={"Origin": origin})
        assert (preflight.status < 300, answer.status) == (allowed is not None, 200)
        for one in (preflight, answer):
            assert one.headers.get("access-control-allow-origin") == allowed
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_key_is_revoked_once_and_nobody_elses_is(customer: Customer) -> None:
    made = customer.api.post("/api-keys", {"name": "b"})["key_id"]
    stranger = Customer.new(customer.stack)
    assert stranger.api.call("DELETE", f"/api-keys/{made}").status == 404
    for _ in range(2):
        customer.api.delete(f"/api-keys/{made}")
    assert quotas(customer)["api_keys"]["used"] == 1


def test_a_file_of_too_many_contacts_ends_with_the_reason(customer: Customer) -> None:
    one = customer.campaign()
    limit(customer, "contacts", 0)
    started = customer.api.post(f"/campaigns/{one}/imports", {})
    assert upload(started["upload"], b"email\nann@mail.example\n").status < 300
    ended = wait_for(lambda: over(customer, started["import_id"]), "the import is over")
    assert (ended["state"], ended["reason"]["code"]) == ("failed", "quota_reached")


def test_a_deleted_campaign_makes_room(customer: Customer) -> None:
    one = customer.campaign()
    limit(customer, "campaigns", 1)
    settings = customer.api.get(f"/campaigns/{one}")
    new = {name: settings[name] for name in ("name", "line_ids", "subject", "html", "schedule")}
    assert customer.api.call("POST", "/campaigns", new).body["quota"] == "campaigns"
    customer.api.delete(f"/campaigns/{one}")
    wait_for(lambda: quotas(customer)["campaigns"]["used"] == 0, "the campaign is removed")
    assert customer.api.call("POST", "/campaigns", new).status == 201


def test_jobs_checks_and_domains_are_limited(customer: Customer) -> None:
    one, line = customer.campaign(), customer.unconnected_line()
    limit(customer, "jobs", 1)
    path = f"/campaigns/{one}/exports"
    first = customer.api.post(path, {})["export_id"]
    wait_for(lambda: customer.api.get(f"/exports/{first}")["state"] == "done", "the export is done")
    customer.api.post(path, {})
    limit(customer, "jobs", 0)
    refused = customer.api.call("POST", path, {})
    assert (refused.status, refused.code, refused.body["quota"]) == (409, "quota_reached", "jobs")
    limit(customer, "checks", 0)
    assert customer.api.call("POST", f"/lines/{line}/connect", {}).body["quota"] == "checks"
    limit(customer, "domains", 1)
    customer.api.post("/domains", {"domain": "one.example"})
    assert customer.api.call("POST", "/domains", {"domain": "two.example"}).body["quota"] == "domains"
    customer.api.delete("/domains/one.example")
    assert quotas(customer)["domains"]["used"] == 0


def over(customer: Customer, import_id: str) -> dict[str, Any] | None:
    job: dict[str, Any] = customer.api.get(f"/imports/{import_id}")
    return job if job["finished_at"] else None
