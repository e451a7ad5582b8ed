"""`make run` can be stopped and started: all data come back, and a campaign goes on where it stood."""

from pathlib import Path

from local.stack import start
from tests.stack.customer import Customer


def test_everything_is_there_after_a_stop_and_a_start(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        customer = Customer.new(first)
        campaign = customer.campaign()
        customer.add(campaign, ["one", "two"])
        customer.launch(campaign)
        customer.finished(campaign)
        waiting = customer.campaign(customer.api.get("/lines")["items"][0]["line_id"])
        customer.add(waiting, ["three"])
        seen, url = customer.contacts(campaign), first.api_url
    with start(tmp_path) as second:
        again = Customer(second, customer.account_id, customer.key)
        assert second.api_url == url
        assert again.contacts(campaign) == seen
        again.assert_totals_are_true(campaign)
        again.launch(waiting)
        assert again.finished(waiting)["sent"] == 1
        assert again.received() == {"one": 1, "two": 1, "three": 1}
