"""The list that the demo sends to: what is in it is counted here, and nowhere else."""

from pathlib import Path

from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.domain.contact_file import Candidate, RejectedRow, read_contacts

EXAMPLE = Path(__file__).parents[2] / "examples" / "contacts.csv"


def test_the_example_has_the_contacts_it_is_said_to_have() -> None:
    rows = list(read_contacts(read_rows(EXAMPLE)))
    accepted = [row for row in rows if isinstance(row, Candidate)]
    keys = {row.key for row in accepted}
    assert (len(rows), len(accepted), len(keys)) == (252, 244, 238)
    assert [row.row_number for row in rows if isinstance(row, RejectedRow)] == [
        33, 58, 78, 149, 174, 189, 214, 230,
    ]  # fmt: skip
    domains = {key.rpartition("@")[2] for key in keys}
    assert {"xn--bcher-kva.example", "xn--e1afmkfd.example"} <= domains
    assert any("\n" in row.person.p3 for row in accepted)
