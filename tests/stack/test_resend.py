"""Writing again to contacts in Error: only because a person asks, and to the unknown only on their word."""

from tests.stack.api import wait_for
from tests.stack.customer import Customer


def ended(customer: Customer, campaign: str) -> dict[str, int]:
    """The totals once the campaign has finished by itself."""

    def look() -> dict[str, int] | None:
        report = customer.api.get(f"/campaigns/{campaign}/report")
        return report["totals"] if report["status"] == "finished" else None

    return wait_for(look, "the campaign finishes by itself")


def test_a_resend_reaches_errors_and_leaves_out_the_unknown_unless_asked_for(customer: Customer) -> None:
    people = ["fine", "refuse+once", "drop-after-dot+doubt"]
    campaign = customer.campaign()
    customer.add(campaign, people)
    customer.launch(campaign)
    assert customer.api.call("POST", f"/campaigns/{campaign}/resend").code == "wrong_status"
    assert ended(customer, campaign)["error"] == 2

    customer.api.post(f"/campaigns/{campaign}/resend", {})
    assert ended(customer, campaign) | {"outcome_unknown": 1} == ended(customer, campaign)
    assert customer.received() == {"fine": 1, "drop-after-dot+doubt": 1}
    attempts = {c["email"].partition("@")[0]: c["attempts"] for c in customer.contacts(campaign)}
    assert attempts == {"fine": 1, "refuse+once": 2, "drop-after-dot+doubt": 1}

    customer.api.post(f"/campaigns/{campaign}/resend", {"include_unknown": True})
    assert ended(customer, campaign)["error"] == 2
    assert customer.received() == {"fine": 1, "drop-after-dot+doubt": 2}
    customer.assert_totals_are_true(campaign)


def test_a_second_launch_reaches_only_those_not_sent_to(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["first"])
    customer.launch(campaign)
    ended(customer, campaign)
    customer.add(campaign, ["second"])
    customer.launch(campaign)
    ended(customer, campaign)
    assert customer.received() == {"first": 1, "second": 1}
    customer.assert_totals_are_true(campaign)


def test_two_people_at_once_change_a_campaign_only_as_they_have_seen_it(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["one"])
    seen = customer.api.get(f"/campaigns/{campaign}")["revision"]
    customer.api.patch(f"/campaigns/{campaign}", {"name": "Mine"})
    for method, path in (("PATCH", ""), ("POST", "/launch"), ("DELETE", "")):
        body = {"name": "Yours"} if method == "PATCH" else None
        answer = customer.api.call(
            method, f"/campaigns/{campaign}{path}", body, headers={"If-Match": f'"{seen}"'}
        )
        assert (answer.status, answer.code) == (412, "outdated")
    assert customer.api.get(f"/campaigns/{campaign}")["name"] == "Mine"
    assert customer.received() == {}
