"""Contacts by hand: found by address however it is written, edited while they wait, and not afterwards."""

from urllib.parse import quote

from tests.stack.customer import Customer


def found(customer: Customer, campaign: str, email: str) -> list[str]:
    """The ids of the contacts with this address."""
    page = customer.api.get(f"/campaigns/{campaign}/contacts?email={quote(email)}")
    return [contact["contact_id"] for contact in page["items"]]


def test_a_contact_is_found_and_edited_while_it_waits_and_then_no_more(customer: Customer) -> None:
    campaign = customer.campaign()
    ann, _ = customer.add(campaign, ["ann", "bob"])
    assert found(customer, campaign, customer.address("Ann").upper()) == [ann]
    assert found(customer, campaign, customer.address("eve")) == []
    query = customer.api.call("GET", f"/campaigns/{campaign}/contacts?email=nobody")
    assert query.wrong_fields == {"email"}

    path = f"/campaigns/{campaign}/contacts/{ann}"
    edited = customer.api.patch(path, {"first_name": "Anna", "p1": "a rose"})
    assert (edited["first_name"], edited["p1"], edited["status"]) == ("Anna", "a rose", "not_sent")
    assert customer.api.call("PATCH", path, {"email": "x@y.example"}).wrong_fields == {"email"}
    customer.launch(campaign)
    customer.finished(campaign)
    subjects = {recipient: message["Subject"] for recipient, message in customer.mail()}
    assert subjects == {customer.address("ann"): "For Anna", customer.address("bob"): "For bob"}
    assert customer.api.call("PATCH", path, {"p1": "late"}).code == "contact_in_use"
    assert customer.api.call("DELETE", path).code == "contact_in_use"
