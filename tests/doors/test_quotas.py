"""A quota that is reached, as a customer meets it."""

import pytest

from chalicelib import wiring
from chalicelib.domain.quota import Quota
from tests.doors.test_mail_kinds import call
from tests.fakes.world import ACCOUNT, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a line, a campaign and a domain, in which nothing more may be begun."""
    made = World()
    made.add_line()
    made.add_campaign(0)
    made.signed_domain()
    for name in ("export", "preflight", "list", "personal_data", "line", "advice", "domain"):
        monkeypatch.setattr(wiring, f"{name}_ports", lambda name=name: getattr(made, f"{name}_ports"))
    for quota in (Quota.JOBS, Quota.CHECKS):
        made.accounts.set_quota(ACCOUNT, quota, 0)
    return made


@pytest.mark.parametrize(
    ("path", "body", "quota"),
    [
        ("/campaigns/{campaign_id}/exports", {}, "jobs"),
        ("/campaigns/{campaign_id}/preflight", {}, "jobs"),
        ("/suppressions/exports", {}, "jobs"),
        ("/personal-data/exports", {"address": "ann@mail.example"}, "jobs"),
        ("/personal-data/erasures", {"address": "ann@mail.example"}, "jobs"),
        ("/lines/{line_id}/connect", {}, "checks"),
        ("/lines/{line_id}/password", {"password": "another"}, "checks"),
        ("/lines/{line_id}/advice", {}, "checks"),
        ("/domains/{domain}/check", {}, "checks"),
    ],
)
def test_the_refusal_names_the_quota_the_limit_and_what_to_do(
    world: World, path: str, body: dict[str, str], quota: str
) -> None:
    campaign = world.campaigns.page(ACCOUNT, None, 1).items[0].campaign_id
    known = {"campaign_id": campaign, "line_id": "line1", "domain": "shop.example"}
    ids = {name: value for name, value in known.items() if f"{{{name}}}" in path}
    status, problem = call("POST", path, body, **ids)
    assert (status, problem["code"], problem["quota"], problem["limit"]) == (409, "quota_reached", quota, 0)
    assert "Wait until some of them are done" in problem["detail"]
    queues = (world.export_queue, world.connect_queue, world.check_queue)
    assert [queue.messages for queue in queues] == [[], [], []]
