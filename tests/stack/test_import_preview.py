"""A preview through the deployed package: upload, look, correct, start."""

from pathlib import Path

from tests.stack.api import upload, wait_for
from tests.stack.customer import Customer

EXPORT = Path(__file__).parents[1] / "files" / "crm" / "bitrix24_en.xls"


def test_a_crm_export_is_previewed_corrected_and_imported(customer: Customer) -> None:
    campaign = customer.campaign()
    wish = {"file_name": "contacts.xls", "review": True}
    started = customer.api.post(f"/campaigns/{campaign}/imports", wish)
    assert upload(started["upload"], EXPORT.read_bytes()).status == 204
    path = f"/imports/{started['import_id']}"

    made = wait_for(lambda: customer.api.post(f"{path}/preview")["preview"], "the preview is made")
    assert made["profile"] == {"code": "bitrix24_en", "title": "A Bitrix24 export in English"}
    assert (made["valid"], made["invalid"], made["complete"]) == (2, 0, True)
    assert made["rows"][0]["person"]["p1"] == "Oak & Linen <Ltd>"
    assert customer.api.get(f"/campaigns/{campaign}/contacts")["items"] == []

    wrong = customer.api.call("POST", f"{path}/preview", {"columns": [{"number": 99, "use": "p1"}]})
    assert wrong.wrong_fields == {"columns[0].number"}

    choice = {"columns": [{"number": 9, "use": "p1"}, {"number": 8, "use": "variable"}]}
    again = wait_for(lambda: customer.api.post(f"{path}/preview", choice)["preview"], "it is made anew")
    assert again["rows"][0]["person"]["p1"] == "Mary"

    customer.api.post(f"{path}/start")
    job = customer.ended(path)
    assert (job["state"], job["added"]) == ("done", 2)
    contacts = customer.api.get(f"/campaigns/{campaign}/contacts")["items"]
    assert {contact["p1"] for contact in contacts} == {"Mary"}
    assert any(contact["extra"].get("Company") == "Oak & Linen <Ltd>" for contact in contacts)
