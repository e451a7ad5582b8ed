"""Attachments through the deployed package: uploaded, encoded once, carried or linked, byte for byte."""

import hashlib
import urllib.error
import urllib.request
from html import unescape
from typing import Any

from tests.stack.api import download, upload, wait_for
from tests.stack.customer import Customer

SMALL = b"%PDF-1.7\n" + hashlib.shake_256(b"small").digest(3_000_000)
LARGE = b"%PDF-1.7\n" + hashlib.shake_256(b"large").digest(21_000_000)
PNG = b"\x89PNG\r\n\x1a\n" + hashlib.shake_256(b"logo").digest(20_000)


def put(customer: Customer, campaign: str, name: str, content: bytes, **more: str) -> dict[str, Any]:
    """Upload a file; returns it when it was looked at."""
    path = f"/campaigns/{campaign}/attachments"
    started = customer.api.post(path, {"file_name": name, **more})
    assert upload(started["upload"], content).status == 204

    def look() -> dict[str, Any] | None:
        files = {one["attachment_id"]: one for one in customer.api.get(path)["items"]}
        file: dict[str, Any] = files[started["attachment"]["attachment_id"]]
        return None if file["state"] == "waiting" else file

    return wait_for(look, f"{name} is looked at")


def test_files_arrive_as_they_were_uploaded_or_are_downloaded_by_a_link(customer: Customer) -> None:
    campaign = customer.campaign(html='<p>Hello [firstName]<img src="cid:logo"></p>')
    small = put(customer, campaign, "../../Договор.pdf", SMALL)
    large = put(customer, campaign, "large.pdf", LARGE)
    logo = put(customer, campaign, "logo.png", PNG, content_id="logo")
    lie = put(customer, campaign, "lie.pdf", b"<html>")
    assert (small["file_name"], small["media_type"], small["size"]) == (
        "Договор.pdf",
        "application/pdf",
        len(SMALL),
    )
    assert (lie["state"], lie["reason"]["code"]) == ("failed", "file_type_mismatch")
    ids = [file["attachment_id"] for file in (small, large, logo)]
    path = f"/campaigns/{campaign}"
    refused = customer.api.call("PATCH", path, {"attachments": [lie["attachment_id"], "none"]})
    assert [error["code"] for error in refused.body["errors"]] == [
        "file_type_mismatch",
        "attachment_missing",
    ]
    shown = customer.api.patch(path, {"attachments": ids})
    assert [file["attachment_id"] for file in shown["attachments"]] == ids
    assert "attachment_linked" in [warning["code"] for warning in shown["warnings"]]
    customer.add(campaign, ["anna", "bob"])
    linked = customer.api.get(f"{path}/plan")["linked"]
    assert [file["attachment_id"] for file in linked] == [large["attachment_id"]]

    contact = customer.contacts(campaign)[0]["contact_id"]
    preview = customer.api.get(f"{path}/contacts/{contact}/preview")
    image = preview["document"].partition('<img src="')[2].partition('"')[0]
    assert download(unescape(image)) == PNG
    origin = image.partition("/")[0] + "//" + image.split("/")[2]
    assert f"img-src https: data: {origin};" in preview["document"]

    customer.launch(campaign)
    assert customer.finished(campaign)["sent"] == 2
    mails = dict(customer.mail())
    assert len(customer.mail()) == 2
    for message in mails.values():
        files = {part.get_filename(): part for part in message.walk() if part.get_filename()}
        assert files.keys() == {"Договор.pdf", "logo.png"}
        assert files["Договор.pdf"].get_content() == SMALL
        assert files["logo.png"].get_content() == PNG

    html = mails[customer.address("anna")].get_body(("html",))
    assert html is not None
    link = html.get_content().partition('href="')[2].partition('"')[0]
    assert link.startswith(f"{customer.stack.api_url}/d/")
    assert download(link) == LARGE
    noted = {one["email"]: one["downloaded_at"] for one in customer.contacts(campaign)}
    assert noted[customer.address("anna")] is not None or machine_opened(customer, campaign)
    assert noted[customer.address("bob")] is None
    for wrong in (link[:-1] + "x", link.replace("/d/1.", "/d/1.x")):
        assert status_of(wrong) == 404

    customer.api.delete(path)
    wait_for(lambda: status_of(link) == 404 or None, "the link leads nowhere")
    bucket = customer.stack.outputs["FileBucketName"]
    prefix = f"attachments/{customer.account_id}/"

    def emptied() -> bool | None:
        found = customer.stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return True if found["KeyCount"] == 0 else None

    wait_for(emptied, "the files are gone")


def machine_opened(customer: Customer, campaign: str) -> bool:
    """Whoever follows a link within seconds of the sending is taken for a machine."""
    return any(one["machine_opened_at"] is not None for one in customer.contacts(campaign))


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
