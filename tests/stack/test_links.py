"""The links of a message as recipients follow them, through the deployed gateway and without a key."""

import re
import urllib.request
from email.message import EmailMessage

from local.stack import OPERATOR
from tests.stack.api import Answer, exchange
from tests.stack.customer import Customer, table

ONE_CLICK = b"List-Unsubscribe=One-Click"


def visit(method: str, url: str, data: bytes | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return exchange(urllib.request.Request(url, data, named, method=method))


def suppressed(customer: Customer) -> set[tuple[str, str]]:
    return {
        (row["address"], row["reason"])
        for row in table(customer.stack, "SuppressionTable")
        if row["account_id"] == customer.account_id
    }


def mailed(customer: Customer, **changed: object) -> EmailMessage:
    """The message that the one contact of a new campaign got."""
    campaign = customer.campaign(**changed)
    customer.add(campaign, ["anna"])
    customer.launch(campaign)
    customer.finished(campaign)
    return customer.mail()[-1][1]


def links_of(message: EmailMessage) -> tuple[str, str]:
    """The page and the picture; header, text and HTML lead to the same page."""
    page = str(message["List-Unsubscribe"]).strip("<>")
    text, html = (part.get_content() for part in message.iter_parts())
    assert page in text
    assert f'href="{page}"' in html
    (picture,) = re.findall(r'<img src="([^"]+)"', html)
    return page, picture


def test_a_recipient_unsubscribes_with_one_click_and_by_nothing_less(customer: Customer) -> None:
    message = mailed(customer)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    page, picture = links_of(message)
    assert page.startswith(f"{customer.stack.api_url}/u/")
    assert customer.account_id not in page + picture

    shown = visit("GET", page, accept_language="ru")
    assert (shown.status, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Отписаться" in shown.body.decode()
    assert visit("HEAD", page).status == 200
    assert suppressed(customer) == set()

    form = {"content_type": "application/x-www-form-urlencoded"}
    forged = visit("POST", page[:-1] + "7", ONE_CLICK, **form)
    assert (forged.status, suppressed(customer)) == (404, set())
    for _ in range(2):
        done = visit("POST", page, ONE_CLICK, **form)
        assert done.status == 200
        assert "You are unsubscribed" in done.body.decode()
    assert suppressed(customer) == {(customer.address("anna"), "unsubscribed")}


def test_the_picture_is_bytes_for_every_client_and_every_token(customer: Customer) -> None:
    _, picture = links_of(mailed(customer))
    for url in (picture, picture[:-1] + "7", f"{customer.stack.api_url}/o/x"):
        for accept in ("image/avif,image/webp,*/*;q=0.8", "text/html", "image/gif"):
            answer = visit("GET", url, accept=accept)
            assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
            assert answer.body.startswith(b"GIF89a")
            assert "no-store" in answer.headers["cache-control"]


def test_a_new_key_seals_and_the_links_of_the_old_one_go_on_working(customer: Customer) -> None:
    old, _ = links_of(mailed(customer))
    made = customer.stack.invoke(OPERATOR, {"action": "rotate_link_key"})
    assert made["key"] >= 2
    assert visit("POST", old, ONE_CLICK).status == 200
    assert suppressed(customer) == {(customer.address("anna"), "unsubscribed")}


def test_mail_that_is_no_marketing_says_why_and_has_no_such_link(customer: Customer) -> None:
    why = "It confirms an order."
    campaign = {"kind": "transactional", "transactional_reason": why, "tracking": {"opens": False}}
    message = mailed(customer, **campaign)
    assert message["List-Unsubscribe"] is None
    assert all("/u/" not in part.get_content() for part in message.iter_parts())
    made = customer.api.get("/campaigns")["items"][0]["campaign_id"]
    shown = customer.api.get(f"/campaigns/{made}")
    key = customer.key.split("_")[1]
    assert (shown["transactional"]["reason"], shown["transactional"]["decided_by"]) == (why, key)
