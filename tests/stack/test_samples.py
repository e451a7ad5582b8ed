"""A test message through the deployed package, before launch, beside its preview."""

from typing import Any

from tests.stack.api import wait_for
from tests.stack.customer import Customer


def ended(customer: Customer, test_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = customer.api.get(f"/tests/{test_id}")
        return None if found["state"] in ("queued", "sending") else found

    return wait_for(look, "the test message is sent")


def test_a_test_message_arrives_before_launch_as_its_preview_shows(customer: Customer) -> None:
    campaign = customer.campaign()
    (contact,) = customer.add(campaign, ["anna"])
    before, rows = customer.totals(campaign), customer.rows(campaign)
    shown = customer.api.get(f"/campaigns/{campaign}/contacts/{contact}/preview")
    asked = customer.api.post(
        f"/campaigns/{campaign}/tests", {"to": customer.address("me"), "contact_id": contact}
    )
    assert ended(customer, asked["test_id"])["state"] == "sent"
    ((recipient, message),) = customer.mail()
    assert (recipient, message["To"]) == (customer.address("me"), customer.address("me"))
    assert message["Subject"] == f"[Test] {shown['subject']}" == "[Test] For anna"
    html = message.get_body(("html",))
    assert html is not None
    inert = shown["html"].replace("about:blank", f"{customer.stack.api_url}/u/test", 1)
    inert = inert.replace("about:blank", f"{customer.stack.api_url}/o/test")
    assert html.get_content().replace("\r\n", "\n") == inert
    assert (customer.totals(campaign), customer.rows(campaign)) == (before, rows)
