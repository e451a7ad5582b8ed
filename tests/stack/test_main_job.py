"""A contact list becomes delivered mail with a true report, through the doors a customer has."""

import io
import zipfile
from collections import Counter
from xml.etree import ElementTree

from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from tests.stack.api import download
from tests.stack.customer import Customer, csv_file

PEOPLE = [("anna", "Анна", "Gold"), ("zoe", "Zoë", ""), ("o'brien", "O'Brien", "=1+1"), ("nameless", "", "")]


def csv_of_people(customer: Customer) -> bytes:
    rows = [f"{customer.address(local)},{name},,,{p1},," for local, name, p1 in PEOPLE]
    return csv_file(*rows, rows[0], "nobody-at-all,Nobody,,,,,")


def xlsx_of_people(customer: Customer) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(["Email", "First Name", "P1"])
    for number in range(20):
        sheet.append([customer.address(f"guest-{number}"), f"Guest {number}", number])
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def test_everybody_in_two_files_gets_one_personal_mail_and_the_report_says_so(customer: Customer) -> None:
    campaign = customer.campaign()
    from_csv = customer.import_file(campaign, csv_of_people(customer))
    assert {name: from_csv[name] for name in ("state", "rows", "added", "duplicates", "rejected")} == {
        "state": "done",
        "rows": 6,
        "added": 4,
        "duplicates": 1,
        "rejected": 1,
    }
    assert "nobody-at-all" in download(from_csv["rejected_url"]).decode("utf-8-sig")
    from_xlsx = customer.import_file(campaign, xlsx_of_people(customer), "xlsx")
    assert (from_xlsx["state"], from_xlsx["added"]) == ("done", 20)
    assert customer.api.get(f"/campaigns/{campaign}")["status"] == "ready"

    customer.launch(campaign)
    totals = customer.finished(campaign)

    assert (totals["contacts"], totals["sent"], totals["error"]) == (24, 24, 0)
    everybody = [local for local, _, _ in PEOPLE] + [f"guest-{number}" for number in range(20)]
    assert customer.received() == dict.fromkeys(everybody, 1)
    assert {recipient: text_of(message) for recipient, message in customer.mail()} == {
        **{
            customer.address(local): f"Hello {name or 'friend'}, {p1 or 'nothing'}!"
            for local, name, p1 in PEOPLE
        },
        **{customer.address(f"guest-{n}"): f"Hello Guest {n}, {n}!" for n in range(20)},
    }
    subjects = {recipient: message["Subject"] for recipient, message in customer.mail()}
    assert subjects[customer.address("anna")] == "For Анна"
    assert subjects[customer.address("nameless")] == "For you"


def text_of(message: object) -> str:
    part = message.get_body(("plain",))  # type: ignore[attr-defined]
    words, _, link = str(part.get_content()).strip().rpartition("Unsubscribe · Отписаться: ")
    assert message["List-Unsubscribe"] == f"<{link}>"  # type: ignore[index]
    return words.strip()


def test_the_excel_report_holds_every_row_and_its_counts(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["one", "two", "refuse+three"])
    customer.launch(campaign)
    totals = customer.finished(campaign)
    export = customer.api.post(f"/campaigns/{campaign}/exports")
    export = customer.ended(f"/exports/{export['export_id']}")
    assert export["state"] == "done"
    assert export["rows"] == 3

    file = download(export["url"])

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(file))
    header, *rows = workbook.get_sheet_by_name("Contacts").to_python()
    statuses = Counter(str(row[header.index("Status")]).lower().replace(" ", "_") for row in rows)
    assert statuses == {"sent": 2, "error": 1} == {k: v for k, v in export["counted"].items() if v}
    assert all(totals[status] == count for status, count in export["counted"].items())
    assert {str(row[header.index("Email")]) for row in rows} == {
        customer.address(local) for local in ("one", "two", "refuse+three")
    }
    summary = {str(row[0]): row[1] for row in workbook.get_sheet_by_name("Summary").to_python()}
    assert (summary["Contacts"], summary["Sent"], summary["Error"]) == (3, 2, 1)
    assert_is_plain_xml(file)


def assert_is_plain_xml(workbook: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            if name.endswith(".xml"):
                ElementTree.fromstring(archive.read(name))
