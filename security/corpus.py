"""Bad input with the refusal that it must get, and good input of the same kind that must pass.

A case says the least that differs from what is good. `hosts`, `texts` and `files` hold the data, this module
says how each is put to the API.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from security import files, hosts, texts
from security.isolation import FOR_LATER, Tenant
from security.verdict import Family
from tests.stack.api import Answer, Api, upload
from tests.stack.customer import Customer
from tests.stack.person import Person

SMTP = {"host": "mail.example.com", "port": 587, "username": "u", "password": "p"}
IMAP = {"host": "imap.example.com", "port": 993, "username": "u", "password": "p"}


@dataclass(frozen=True, slots=True)
class Case:
    """A request and its answer: the status, and of a refusal the code, or the field that is wrong."""

    what: str
    method: str
    path: str
    sent: Mapping[str, Any]
    status: int
    code: str | None = "invalid"  # None: the gateway itself refuses, and has no problem documents here
    field: str | None = None

    def fault(self, answer: Answer) -> str | None:
        """What is wrong with the answer; None if it is as it must be."""
        if answer.status != self.status:
            return f"answered with {answer.status} {answer.body!r}, not {self.status}"
        if self.status < 400 or self.code is None:
            return None
        if answer.headers.get("content-type") != "application/problem+json":
            return f"no problem document: {answer}"
        fields = {error["field"] for error in answer.body["errors"]}
        if answer.body["code"] != self.code or (self.field is not None and fields != {self.field}):
            return f"answered with {answer.body['code']} of {fields}, not {self.code} of {self.field}"
        return None


def try_all(tenant: Tenant) -> Iterator[Family]:
    """Put everything to the API as a customer with one of everything would; a family at a time."""
    yield _tried("bodies", _bodies(), tenant)
    yield _tried("queries and headers", _queries(tenant.ids), tenant)
    yield _credentials(tenant.customer)
    yield _tried("hosts", _hosts(tenant.ids), tenant)
    yield _tried("header injection", _headers(tenant.ids), tenant)
    yield _tried("templates", _templates(tenant.ids), tenant)
    yield _uploads(tenant)
    yield _files(tenant)


def _tried(name: str, cases: Iterable[Case], tenant: Tenant) -> Family:
    family = Family(name)
    for case in cases:
        answer = tenant.customer.api.ask(case.method, case.path, **case.sent)
        note = family.control if case.status < 400 else family.refusal
        note(case.what, case.fault(answer))
    return family


def _bodies() -> Iterator[Case]:
    for what, raw, status, code in texts.BODIES:
        yield Case(what, "POST", "/lines", {"raw": raw}, status, code)
    for what, content_type in texts.CONTENT_TYPES:
        sent = {"raw": b"<a/>", "headers": {"Content-Type": content_type}}
        yield Case(what, "POST", "/lines", sent, 415, "unsupported_media_type")
    campaign: dict[str, Any] = {"name": "N", "schedule": FOR_LATER}
    for line in ("", "x" * 65):
        made = {"body": {**campaign, "line_ids": [line]}}
        yield Case(f"the line {line!r}", "POST", "/campaigns", made, 422, field="line_ids[0]")
    yield Case("a good body", "POST", "/lines", {"body": _line()}, 201)
    as_text = {"raw": b'{"name": "ci"}', "headers": {"Content-Type": "application/json; charset=utf-8"}}
    yield Case("JSON with a charset", "POST", "/api-keys", as_text, 201)


def _queries(ids: Mapping[str, str]) -> Iterator[Case]:
    contacts = f"/campaigns/{ids['campaign_id']}/contacts"
    for query, field in texts.QUERIES:
        yield Case(f"?{query}", "GET", f"{contacts}?{query}", {}, 422, field=field)
    for cursor in texts.CURSORS:
        yield Case(f"the cursor {cursor}", "GET", f"{contacts}?cursor={cursor}", {}, 400, "cursor")
    for part in texts.IDS:
        yield Case(f"the id {part}", "GET", f"/campaigns/{part}", {}, 404, "campaign_not_found")
    yield Case("an id of 1,500 letters", "GET", f"/campaigns/{texts.LONG_ID}", {}, 404, "object_not_found")
    for part in texts.PATHS_OF_NO_ROUTE:
        yield Case(f"the path {part}", "GET", f"/campaigns/{part}", {}, 403, None)
    for tag in ('"one"', "one", '"1", "2"', "W/1.5"):
        sent = {"body": {"name": "N"}, "headers": {"If-Match": tag}}
        path = f"/campaigns/{ids['campaign_id']}"
        yield Case(f"If-Match: {tag}", "PATCH", path, sent, 422, field="If-Match")
    yield Case("a good query", "GET", f"{contacts}?limit=1&status=not_sent", {}, 200)
    good = {"body": {"name": "N"}, "headers": {"If-Match": "*"}}
    yield Case("If-Match: *", "PATCH", f"/campaigns/{ids['campaign_id']}", good, 200)


def _credentials(customer: Customer) -> Family:
    """What anybody may send without being anybody: no part of it is too long or too strange to be refused."""
    family, url = Family("credentials"), customer.stack.api_url
    for key in texts.KEYS:
        answer = Api(url, key).ask("GET", "/account")
        # the emulator says 403 where API Gateway says 401
        good = answer.status in {401, 403}
        family.refusal(f"the key {key[:20]!r}", None if good else f"answered with {answer}")
    guest = Person.new(customer.stack, customer.address("newcomer"))
    for token in texts.INVITATIONS:
        case = Case("", "POST", "/invitations/accept", {}, 422, field="token")
        answer = guest.api.ask(case.method, case.path, {"token": token})
        family.refusal(f"the invitation {token[:20]!r}", case.fault(answer))
    for path in texts.LINKS:
        answer = Api(url, None).ask("GET", path)
        good = answer.status == 404
        family.refusal(f"the link {path[:20]!r}", None if good else f"answered with {answer}")
    for api, path in ((customer.api, "/account"), (Api(url, None), "/u/x"), (Api(url, None), "/sign-in")):
        answer = api.ask("GET", path)
        family.control(f"GET {path}", None if answer.status == 200 else f"answered with {answer}")
    return family


def _hosts(ids: Mapping[str, str]) -> Iterator[Case]:
    mailbox = f"/lines/{ids['line_id']}/bounce-mailbox"
    for host in hosts.REFUSED:
        sent = {"body": _line(smtp={**SMTP, "host": host})}
        yield Case(f"SMTP host {host!r}", "POST", "/lines", sent, 422, field="smtp.host")
        sent = {"body": {**IMAP, "host": host}}
        yield Case(f"IMAP host {host!r}", "POST", mailbox, sent, 422, field="host")
    for port in hosts.PORTS_REFUSED:
        sent = {"body": _line(smtp={**SMTP, "port": port})}
        yield Case(f"SMTP port {port}", "POST", "/lines", sent, 422, field="smtp.port")
        yield Case(f"IMAP port {port}", "POST", mailbox, {"body": {**IMAP, "port": port}}, 422, field="port")
    for host in hosts.ACCEPTED:
        yield Case(f"SMTP host {host!r}", "POST", "/lines", {"body": _line(smtp={**SMTP, "host": host})}, 201)


def _headers(ids: Mapping[str, str]) -> Iterator[Case]:
    campaign = f"/campaigns/{ids['campaign_id']}"
    for text in texts.SEVERAL_LINES:
        yield Case(
            f"from_name {text!r}", "POST", "/lines", {"body": _line(from_name=text)}, 422, field="from_name"
        )
        sent = {"body": {"contacts": [{"email": "good@example.com", "first_name": text}]}}
        field = "contacts[0].first_name"
        yield Case(f"first_name {text!r}", "POST", f"{campaign}/contacts", sent, 422, field=field)
    for address in texts.ADDRESSES:
        sent = {"body": {"contacts": [{"email": address}]}}
        field = "contacts[0].email"
        yield Case(f"address {address!r}", "POST", f"{campaign}/contacts", sent, 422, field=field)
        sent = {"body": _line(reply_to=address)}
        yield Case(f"reply_to {address!r}", "POST", "/lines", sent, 422, field="reply_to")
    for name in texts.NAMES:
        sent = {"body": {"contacts": [{"email": "good@example.com", "first_name": name}]}}
        yield Case(f"first_name {name!r}", "POST", f"{campaign}/contacts", sent, 201)


def _templates(ids: Mapping[str, str]) -> Iterator[Case]:
    campaign = f"/campaigns/{ids['campaign_id']}"
    for template in texts.TEMPLATES_REFUSED:
        yield Case(f"{template[:60]!r}", "PATCH", campaign, {"body": {"html": template}}, 422, field="html")
    for template in texts.TEMPLATES:
        yield Case(f"{template[:60]!r}", "PATCH", campaign, {"body": {"html": template}}, 200)


def _uploads(tenant: Tenant) -> Family:
    """Forms that were changed after they were signed, and bodies that they don't allow."""
    family = Family("uploads")
    for what, changed, content, statuses in _forms():
        import_id, form = tenant.customer.form(tenant.ids["campaign_id"])
        answer = upload(form, content(form), **changed(form))
        state = tenant.customer.api.get(f"/imports/{import_id}")["state"]
        good = answer.status in statuses and state == "waiting"
        family.refusal(what, None if good else f"answered with {answer.status}, and the import is {state}")
    _, form = tenant.customer.form(tenant.ids["campaign_id"])
    answer = upload(form, files.GOOD)
    family.control("the form as it is", None if answer.status == 204 else f"answered with {answer.status}")
    return family


Form = dict[str, Any]


def _forms() -> Iterator[tuple[str, Callable[[Form], dict[str, str]], Callable[[Form], bytes], set[int]]]:
    def small(_: Form) -> bytes:
        return files.GOOD

    def fixed(**changed: str) -> Callable[[Form], dict[str, str]]:
        return lambda _: changed

    yield "another type", fixed(**{"Content-Type": "text/html"}), small, {403}
    yield "another place", fixed(key="results/another/place.csv"), small, {403}
    yield "a place above", lambda form: {"key": f"{form['fields']['key']}/../../x"}, small, {403}
    yield "a policy of one's own", fixed(policy="e30="), small, {403}
    yield "readable by all", fixed(acl="public-read"), small, {403}
    yield "a redirection", fixed(success_action_redirect="http://example.com/"), small, {403}
    yield "a field more", fixed(**{"x-amz-meta-x": "x"}), small, {403}
    yield "nothing", fixed(), lambda _: b"", {400}
    yield "a byte too many", fixed(), lambda form: b"a" * (form["max_bytes"] + 1), {400}


def _files(tenant: Tenant) -> Family:
    """What was uploaded is looked at, whatever it calls itself; all at once, for each is a job."""
    family, started = Family("files"), []
    cases = [*files.refused(), ("a good file", "csv", files.GOOD, None)]
    for what, kind, content, code in cases:
        import_id, form = tenant.customer.form(tenant.ids["campaign_id"], kind)
        answer = upload(form, content)
        started.append((what, code, import_id, answer.status))
    for what, code, import_id, status in started:
        job: dict[str, Any] = {"state": f"not uploaded: {status}"}
        if status == 204:
            job = tenant.customer.ended(f"/imports/{import_id}")
        found = job["reason"]["code"] if job["state"] == "failed" else None
        fault = None if status == 204 and found == code else f"ended as {job}"
        (family.control if code is None else family.refusal)(what, fault)
    return family


def _line(**changed: Any) -> dict[str, Any]:
    return {"name": "Line", "from_address": "news@sender.example", "smtp": SMTP, **changed}
