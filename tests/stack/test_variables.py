"""Variables on the deployed stack: what a preflight, the messages and the report say of them is the same."""

import io
import re
from email.message import EmailMessage

from python_calamine import CalamineWorkbook

from tests.stack.api import download
from tests.stack.customer import Customer

GREETING = {"name": "Greeting", "options": ["Hi", "Good day"]}
SUBJECT = "[Greeting], your [param2]"
WHO = "{% if Age >= 18 %}an adult{% else %}a child{% endif %}"
HTML = f"<p>[greeting] {{{{ firstName|upper }}}}: {WHO} of [City]</p>"
PEOPLE = {
    "ann": ("Ann", "coat", "Perm", "17"),
    "ben": ("<Ben>", "hat", "Kazan", "18"),
    "eve": ("Eve", "", "", "40"),
}


def prepared(customer: Customer) -> str:
    """A campaign whose contacts came from a file with columns of its own, which its mail uses."""
    campaign = customer.campaign()
    rows = (f"{customer.address(name)},{','.join(cells)}" for name, cells in PEOPLE.items())
    file = "\r\n".join(["Email,First Name,P2,City,Age", *rows]).encode()
    assert customer.import_file(campaign, file)["added"] == 3
    assert customer.api.get(f"/campaigns/{campaign}")["columns"] == ["Age", "City"]
    content = {"subject": SUBJECT, "html": HTML, "variables": [GREETING]}
    assert customer.api.patch(f"/campaigns/{campaign}", content)["warnings"] == []
    return campaign


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_a_preflight_tells_what_is_missing_and_changes_nothing(customer: Customer) -> None:
    campaign = prepared(customer)
    customer.api.post(f"/campaigns/{campaign}/preflight")
    done = customer.ended(f"/campaigns/{campaign}/preflight")
    assert (done["state"], done["checked"], done["stale"]) == ("done", 3, False)
    found = {missing["variable"]: missing for missing in done["missing"]}
    assert {name: missing["contacts"] for name, missing in found.items()} == {"param2": 1, "City": 1}
    assert re.fullmatch("(Hi|Good day), your", found["param2"]["example"]["subject"])
    customer.api.patch(f"/campaigns/{campaign}", {"subject": "Hi"})
    assert customer.api.get(f"/campaigns/{campaign}/preflight")["stale"] is True
    assert customer.totals(campaign)["not_sent"] == 3


def test_the_report_tells_which_option_each_message_had(customer: Customer) -> None:
    campaign = prepared(customer)
    customer.launch(campaign)
    assert customer.finished(campaign)["sent"] == 3
    mail = dict(customer.mail())
    said = {recipient: str(message["Subject"]).partition(",")[0] for recipient, message in mail.items()}
    for name, text in {"ann": "ANN: a child of Perm", "ben": "&lt;BEN&gt;: an adult of Kazan"}.items():
        address = customer.address(name)
        assert f"<p>{said[address]} {text}</p>" in html_of(mail[address])
    export = customer.api.post(f"/campaigns/{campaign}/exports")
    export = customer.ended(f"/exports/{export['export_id']}")
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(download(export["url"])))
    header, *rows = workbook.get_sheet_by_name("Contacts").to_python()
    shown = {row[0]: str(row[header.index("Option of Greeting")]).partition(": ")[2] for row in rows}
    assert shown == said
    summary = workbook.get_sheet_by_name("Summary").to_python()
    split = {str(row[1]).partition(": ")[2]: row[2] for row in summary if row[0] == "Greeting"}
    assert split == {option: list(said.values()).count(option) for option in GREETING["options"]}
