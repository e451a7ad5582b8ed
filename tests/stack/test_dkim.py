"""A domain's key in DNS signs what leaves, and the advice on the line says what its domain lacks."""

from typing import Any

import dkim
import dns.message
import dns.query

from tests.name_server import NameServer
from tests.stack.api import wait_for
from tests.stack.customer import Customer

DOMAIN = "sender.example"


def publish(server: NameServer, record: dict[str, str]) -> None:
    server.add({(record["name"], record["type"]): [record["value"]]})


def checked(customer: Customer) -> dict[str, Any]:
    """The domain after a look at DNS."""
    before = customer.api.get(f"/domains/{DOMAIN}")
    customer.api.post(f"/domains/{DOMAIN}/check")

    def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = customer.api.get(f"/domains/{DOMAIN}")
        seen = [key["checked_at"] for key in shown["keys"]]
        return None if seen == [key["checked_at"] for key in before["keys"]] else shown

    return wait_for(look, "the records were looked at")


def messages(customer: Customer) -> list[bytes]:
    """The messages to this customer's contacts, to the byte."""
    return [
        received.content
        for received in customer.stack.mailbox.maildir.messages()
        if any(recipient.endswith(f"@{customer.domain}") for recipient in received.recipients)
    ]


def verifies(message: bytes, server: NameServer) -> bool:
    """What an independent verifier says, which finds the key by DNS."""

    def answer(name: bytes, timeout: int = 5) -> bytes | None:
        query = dns.message.make_query(name.decode(), "TXT")
        reply = dns.query.udp_with_fallback(query, "127.0.0.1", timeout=5, port=server.port)[0]
        return b"".join(reply.answer[0][0].strings) if reply.answer else None

    return bool(dkim.verify(message, dnsfunc=answer))


def test_mail_of_a_published_domain_is_signed_and_a_verifier_agrees(
    customer: Customer, name_server: NameServer
) -> None:
    added = customer.api.post("/domains", {"domain": DOMAIN})
    assert not added["signed"]
    assert not checked(customer)["signed"]
    publish(name_server, added["keys"][0]["record"])
    assert checked(customer)["signed"]
    campaign = customer.campaign(
        subject="Für [firstName|you]", html="<p>Привет,  [firstName]\t!</p>\n..\n.\n<p>.</p>\n\n"
    )
    customer.add(campaign, ["anna", "zoë", "o'brien"])
    customer.launch(campaign)
    assert customer.finished(campaign)["sent"] == 3

    received = messages(customer)
    assert len(received) == 3
    for message in received:
        assert f"s={added['keys'][0]['selector']};".encode() in message
        assert verifies(message, name_server)
        assert not verifies(message.replace(b"news@sender.example", b"owner@sender.example"), name_server)
        signed_names = message.partition(b"h=")[2].partition(b";")[0].lower()
        assert (b"\nList-Unsubscribe" in message) == (b"list-unsubscribe" in signed_names)


def test_without_a_published_key_mail_leaves_unsigned(customer: Customer) -> None:
    customer.api.post("/domains", {"domain": DOMAIN})
    campaign = customer.campaign()
    customer.add(campaign, ["anna"])
    customer.launch(campaign)
    customer.finished(campaign)
    (message,) = messages(customer)
    assert b"DKIM-Signature" not in message


def test_the_advice_on_a_line_names_the_records_to_add(customer: Customer, name_server: NameServer) -> None:
    name_server.add({("_dmarc.sender.example", "TXT"): ["v=DMARC1; p=reject"]})
    line = customer.unconnected_line()
    customer.api.post("/domains", {"domain": DOMAIN})
    assert customer.api.post(f"/lines/{line}/advice")["state"] == "checking"
    advice = wait_for(lambda: done(customer, line), "the advice is given")
    found = {finding["code"]: finding for finding in advice["findings"]}
    assert {"spf_missing", "dkim_record_missing", "dmarc_ok", "return_path_mx_missing"} <= found.keys()
    shown = customer.api.get(f"/domains/{DOMAIN}")["keys"][0]["record"]
    assert found["dkim_record_missing"]["record"] == shown
    assert {asked for asked, _, _ in name_server.asked} >= {DOMAIN, f"_dmarc.{DOMAIN}", shown["name"]}
    customer.api.delete(f"/lines/{line}")
    assert customer.api.call("GET", f"/lines/{line}/advice").status == 404


def done(customer: Customer, line: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = customer.api.get(f"/lines/{line}/advice")
    return shown if shown["state"] != "checking" else None
