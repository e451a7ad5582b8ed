"""Contact files as text: what spreadsheet programs write, what goes wrong, and that nothing is lost."""

import codecs
import resource
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.spreadsheets.csv_reader import MAX_LINE
from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.adapters.spreadsheets.samples import sample_csv
from chalicelib.domain.contact_file import (
    SAMPLE_HEADER,
    SAMPLE_ROWS,
    Candidate,
    FileRejected,
    RejectedRow,
    SheetRow,
    open_sheet,
    read_contacts,
)
from chalicelib.domain.csv_cells import harmless

RUSSIAN = "email;Имя;Фамилия;P1\nanna@example.com;Анна;Ёлкина;Ян\nivan@example.com;Иван;Щукин;ул. Мира\n"
FRENCH = "email;First Name;P1\nzoe@example.com;Zoé;Noël à Besançon, créée\nrene@example.com;René;œuf où\n"
LONE = "email;P1\n" + "a@example.com;Ö\n" * 5 + "b@example.com;für\n"
GERMAN = "email;First Name;P1\njuergen@example.com;Jürgen;Grüße, Größe, Öl\nuwe@example.com;Änne;Füße\n"

READ = """
import sys
from pathlib import Path
from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.domain.contact_file import FileRejected
try:
    print(sum(1 for _ in read_rows(Path(sys.argv[1]))))
except FileRejected as refusal:
    print(refusal.code)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def cells(path: Path, content: bytes | str) -> list[list[str]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows = list(read_rows(path))
    assert all(isinstance(row, SheetRow) for row in rows), rows
    return [row.cells for row in rows if isinstance(row, SheetRow) and row.cells]


def refusal(path: Path, content: bytes | str) -> FileRejected:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(FileRejected) as caught:
        list(read_contacts(read_rows(path)))
    return caught.value


def outcomes(path: Path, content: str) -> list[tuple[int, str]]:
    path.write_text(content, encoding="utf-8", newline="")
    rows = read_contacts(read_rows(path))
    return [(row.row_number, row.code if isinstance(row, RejectedRow) else "ok") for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [RUSSIAN, FRENCH, GERMAN])
def test_unicode_is_read_with_and_without_a_byte_order_mark(path: Path, text: str, encoding: str) -> None:
    assert cells(path, text.encode(encoding)) == [line.split(";") for line in text.splitlines()]


def test_big_endian_utf_16_is_known_by_its_mark(path: Path) -> None:
    expected = [line.split(";") for line in RUSSIAN.splitlines()]
    assert cells(path, codecs.BOM_UTF16_BE + RUSSIAN.encode("utf-16-be")) == expected


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        (FRENCH, "cp1252"),
        (GERMAN, "cp1252"),
        (LONE, "cp1252"),
        (RUSSIAN * 3000, "cp1251"),
    ],
)
def test_code_pages_are_told_apart_by_their_letters(path: Path, text: str, encoding: str) -> None:
    assert cells(path, text.encode(encoding)) == [line.split(";") for line in text.splitlines()]


def test_a_code_page_is_known_by_letters_that_only_come_late(path: Path) -> None:
    text = "email,First Name\n" + "a@example.com,Anna\n" * 20_000 + "b@example.com,Борис\n"
    assert cells(path, text.encode("cp1251"))[-1] == ["b@example.com", "Борис"]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (b"\xc0\xed\xed\xe0", "undecodable"),  # from a file in another encoding
        ("Анна".encode()[:-1], "undecodable"),  # cut off by a CRM that counts bytes
        ("日本".encode()[:-2], "undecodable"),
        (b"Anna\0", "nul_bytes"),
    ],
)
def test_a_row_that_is_damaged_is_told_and_spoils_no_other(
    path: Path, damage: bytes, code: str, mark: bytes
) -> None:
    """One bad row never spoils the rest: P3.6. Such a file was refused as a whole once."""
    lines = [mark + b"email,First Name", *["a@example.com,Анна".encode()] * 20]
    path.write_bytes(b"\n".join([*lines, b"b@example.com," + damage, b"c@example.com,\xd0\x9b\n"]))
    rows = list(read_contacts(read_rows(path)))
    assert [(row.row_number, row.code) for row in rows if isinstance(row, RejectedRow)] == [(22, code)]
    assert [row.row_number for row in rows if isinstance(row, Candidate)] == [*range(2, 22), 23]


@pytest.mark.parametrize(("encoding", "byte"), [("cp1251", b"\x98"), ("cp1252", b"\x81")])
def test_a_byte_that_a_code_page_lacks_does_not_make_another_of_it(
    path: Path, encoding: str, byte: bytes
) -> None:
    text = RUSSIAN if encoding == "cp1251" else FRENCH * 2
    path.write_bytes(text.encode(encoding) + b"c@example.com;" + byte + b";\n")
    *rows, last = read_rows(path)
    lines = text.splitlines()
    assert [row.cells for row in rows if isinstance(row, SheetRow)] == [line.split(";") for line in lines]
    assert isinstance(last, RejectedRow)
    assert (last.row_number, last.code, last.value) == (len(lines) + 1, "undecodable", "\ufffd")


def test_a_header_that_is_damaged_can_not_be_guessed(path: Path) -> None:
    error = refusal(path, "email,Имя".encode()[:-1] + ("\na@example.com,Анна" * 9).encode())
    assert error.code == "undecodable"
    assert "header" in error.text


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_file_that_is_half_in_another_encoding_is_refused_with_the_line(path: Path, mark: bytes) -> None:
    lines = ["email,First Name", *["a@example.com,Анна"] * 50]
    damaged = mark + "\n".join(lines).encode() + b"\nb@example.com,\xc0\xed\xed\xe0" * 20
    error = refusal(path, damaged)
    assert error.code == "undecodable"
    assert "Line 52 " in error.text


@pytest.mark.parametrize("half", [b"\x41", b"\x91"])
def test_utf_16_that_ends_in_half_a_sign_is_refused(path: Path, half: bytes) -> None:
    assert refusal(path, RUSSIAN.encode("utf-16") + half).code == "undecodable"


def test_bytes_of_no_code_page_are_refused(path: Path) -> None:
    assert refusal(path, b"email\na\x98\x81@example.com\n").code == "undecodable"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_counted_outside_quotes_in_the_header(path: Path, delimiter: str) -> None:
    other = ";" if delimiter == "," else ","
    header = f'email{delimiter}"a{other}{other}{other}b"{delimiter}P1\n'
    assert cells(path, header)[0] == ["email", f"a{other * 3}b", "P1"]


@pytest.mark.parametrize("delimiter", [*",;\t|^:~#!*=$\\§¦\x1f\x01"])
def test_any_delimiter_is_found(path: Path, delimiter: str) -> None:
    rows = [["Имя", "E-mail", "P1"], ["Анна", "a@example.com", "x"], ["", "b@example.com", ""]]
    assert cells(path, "\n".join(map(delimiter.join, rows))) == rows


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("Имя, фамилия;Email\nАнна Ли;a@example.com\n", ["Имя, фамилия", "Email"]),
        ("Имя, фамилия;Email\nЛи, Анна;a@example.com\n", ["Имя, фамилия", "Email"]),
        ("Имя, отчество, фамилия;Email\nЛи;a@example.com\n", ["Имя, отчество, фамилия", "Email"]),
        ("email;P1\na@example.com, b@example.com;x\nc@example.com, d@example.com;y\n", ["email", "P1"]),
        ("email,P1\na@example.com,10:30; later\nb@example.com,11:30; now\n", ["email", "P1"]),
        ("email,P1\na@example.com\nb@example.com\n", ["email", "P1"]),
        ("email,P1: from: to\n", ["email", "P1: from: to"]),
        ("E-mail*\na@example.com\nb@example.com\n", ["E-mail*"]),
        ("email\na@example.com;\nb@example.com;\n", ["email"]),
        ('"email","Name"\n"a@example.com","Lee; Ann; x"\n"b@example.com","Ray; Bob; y"\n', ["email", "Name"]),
        ('email;P1\na@example.com;"a, b\nc, d, e\nf"\nb@example.com;x\n', ["email", "P1"]),
        ("\n" * 100 + "email;P1,P2\na@example.com;x,y\n", ["email", "P1,P2"]),
    ],
)
def test_the_delimiter_is_the_one_that_makes_a_table(path: Path, text: str, header: list[str]) -> None:
    path.write_text(text, encoding="utf-8")
    [first, *rows] = [row for row in read_rows(path) if isinstance(row, SheetRow) and row.cells]
    assert first.cells == header
    assert not rows or all(isinstance(row, Candidate) for row in read_contacts([first, *rows]))


@pytest.mark.parametrize("title", ["Contacts", "Contacts, of 2024, all", '"Contacts; all"', "Contacts;;"])
def test_titles_above_the_header_are_no_rows(path: Path, title: str) -> None:
    text = f"{title}\n\nName;email;P1\nAnna;a@example.com;x, y\nBob;b@example.com;z\n"
    path.write_text(text, encoding="utf-8")
    sheet = open_sheet(read_rows(path))
    people = [row for row in sheet.contacts() if isinstance(row, Candidate)]
    assert (sheet.header_row, [row.row_number for row in people]) == (3, [4, 5])
    assert (people[0].person.email, people[0].person.p1) == ("a@example.com", "x, y")


def test_what_is_wrong_above_a_header_is_not_hidden(path: Path) -> None:
    assert refusal(path, '"x" y\nemail,P1\na@example.com,\n').code == "misplaced_quote"


def test_one_column_is_one_column(path: Path) -> None:
    """csv.Sniffer took the letter m for the delimiter of such a file."""
    assert cells(path, "email\nmark@example.com\ntim@example.com\n") == [
        ["email"],
        ["mark@example.com"],
        ["tim@example.com"],
    ]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_a_sep_line_names_the_delimiter_and_is_no_header(path: Path, line: str) -> None:
    assert cells(path, f"{line}\r\nemail;P1,P2,P3\r\na@example.com;1\r\n") == [
        ["email", "P1,P2,P3"],
        ["a@example.com", "1"],
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_ends_a_line(path: Path, end: str) -> None:
    text = end.join(["", "email,P1", "", 'a@example.com,"one', 'two"', "b@example.com,", ""])
    assert outcomes(path, text) == [(4, "ok"), (6, "ok")]


def test_quotes_hold_delimiters_quotes_and_line_breaks(path: Path) -> None:
    text = 'email,P1\na@example.com, "a, ""b""\nc"\n'
    assert cells(path, text) == [["email", "P1"], ["a@example.com", 'a, "b"\nc']]


def test_cells_that_look_like_formulas_numbers_or_prefixed_text_stay_as_they_are(path: Path) -> None:
    row = ["a@example.com", "=1+1", "'+7 999", "1e5", "007"]
    assert cells(path, "email,P1,P2,P3,x\n" + ",".join(row))[1] == row


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty_file"),
        ("\ufeff", "empty_file"),
        ("\n" * 300_000, "empty_file"),
        ("sep=;\n", "empty_file"),
        ("email,First Name\n", "header_only"),
        ("name,city\nAnna,Berlin\n", "no_email_column"),
        (",".join(["email", *map(str, range(10_000))]) + "\na@example.com\n", "too_many_columns"),
        ("email\na@example.com\n" + "\0" * 20, "nul_bytes"),
        ("email\n" + "x" * (MAX_LINE + 1) + "\na@example.com\n", "line_too_long"),
        ('email,P1\na@example.com,"never closed\nb@example.com,\n', "unclosed_quote"),
        ('email,P1\na@example.com,"\n' + "b@example.com,\n" * 1_000, "unclosed_quote"),
        ('email,P1\na@example.com,"\n' + "b@example.com,\n" * 90 + 'c@example.com,"\n', "unclosed_quote"),
        ("email,P1\n" + ('"' + "x\n" * 60_000 + '",') * 10 + '""\n', "unclosed_quote"),
        ('email,P1\na@example.com,"open\nb@example.com,"closed"\n', "unclosed_quote"),
        ('email,P1\na@example.com,"' + ("x" * 60_000 + "\n") * 3 + '"\n', "unclosed_quote"),
        ('"email" x,P1\na@example.com,\n', "misplaced_quote"),
        (b"\x1f\x8b\x08\x00packed", "not_a_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1an old workbook", "not_a_workbook"),
        (b"%PDF-1.7\n", "not_a_workbook"),
        ('\ufeff<meta http-equiv="Content-type"/><p>email</p>', "not_a_workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "nul_bytes"),
    ],
)
def test_a_file_that_is_no_contact_list_is_refused_with_its_reason(
    path: Path, content: str | bytes, code: str
) -> None:
    error = refusal(path, content)
    assert error.code == code
    assert error.text.endswith(".")


@pytest.mark.parametrize("before", [b"", b"email\na@example.com\n"])
def test_sixty_megabytes_of_one_line_are_refused_in_flat_memory(path: Path, before: bytes) -> None:
    with path.open("wb") as file:
        file.write(before)
        for _ in range(60):
            file.write(b"x" * 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FileRejected, match="longer than"):
            list(read_rows(path))
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


SYMBOLS = "".join(map(chr, range(0xF0000, 0xFFFF0)))  # for private use: none is a letter


@pytest.mark.parametrize(
    "content",
    [
        '"' * 131_000 + "x\n",
        '"' + ' ""' * 40_000 + "\n",
        "email," + '"x" ' * 30_000 + "\n",
        f"{SYMBOLS * 2}\n" * 3,
        "email;P1\n" + "a@b.co,a@b.co " * 9_000 + "!\n",
        'email,P1\n"' + ("a@b.co," * 15_000 + '"\n"') * 50 + '"\n',
    ],
)
def test_text_made_to_be_slow_takes_time_by_its_length_only(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    limit = (20, 20)  # seconds of CPU; it is less than one
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout


def test_rows_are_streamed_in_flat_memory(path: Path) -> None:
    path.write_text("email,P1\n" + f"a@example.com,{'x' * 200}\n" * 50_000, encoding="utf-8")
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(path)) == 50_001
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_bad_rows_are_told_by_their_line_and_the_rest_is_read(path: Path) -> None:
    text = (
        "email,First Name,P1\n"
        "a@example.com,Anna\n"  # too few cells
        "b@example.com,Bob,,eight,nine\n"
        'c@example.com,"Ann" Lee,x\n'
        '"d@example.com\nx@example.com",Dan,\n'
        "e@example.com,Eve,,,,\n"  # a delimiter too many, with nothing behind it
        f"f@example.com,{'x' * 100_000},\n"
        'g@example.com,Gus,"two\nlines"\n'
        "h@example.com,Hal,last\n"
    )
    assert outcomes(path, text) == [
        (2, "ok"),
        (3, "too_many_cells"),
        (4, "misplaced_quote"),
        (5, "ok"),
        (7, "ok"),
        (8, "cell_too_long"),
        (9, "ok"),
        (11, "ok"),
    ]


def test_a_row_with_a_misplaced_quote_is_shown_as_it_stands_in_the_file(path: Path) -> None:
    path.write_text('email,P1\na@example.com,"5" tall\n', encoding="utf-8")
    [told] = read_contacts(read_rows(path))
    assert isinstance(told, RejectedRow)
    assert told.value == 'a@example.com,"5" tall'


def test_a_note_of_many_lines_is_a_value(path: Path) -> None:
    note = "a line, and another\n" * 60
    text = f'email,P1\na@example.com,"{note}"\nb@example.com,\n'
    assert cells(path, text) == [["email", "P1"], ["a@example.com", note], ["b@example.com", ""]]


@pytest.mark.parametrize("header", ["email,P1", "email,P1,P2", "P1,email", "email,P1,P2,P3"])
@pytest.mark.parametrize(
    "note",
    ["calls at ten\nsee also Bob, bob@example.com", "Team:\nbob@example.com\nann@example.com and so on"],
)
def test_an_address_in_a_note_is_no_row(path: Path, header: str, note: str) -> None:
    row = {"email": "a@example.com", "P1": f'"{note}"'}
    written = ",".join(row.get(name, "") for name in header.split(","))
    assert outcomes(path, f"{header}\n{written}\nb@example.com,c@example.com\n")[0] == (2, "ok")


@pytest.mark.parametrize(
    "text",
    [
        'email,P1\na@example.com,"12\nb@example.com,x\nc@example.com,14"\nd@example.com,y\n',
        'P1,email\n"12,a@example.com\nx,b@example.com\n14",c@example.com\ny,d@example.com\n',
        'P1,email,P2\nx,a@example.com,"12\nx,b@example.com\nx,c@example.com,14"\ny,d@example.com,\n',
        'email,P1,P2\na@example.com,"12\nb@example.com,x\nc@example.com,14"\nd@example.com,y\n',
    ],
)
def test_two_stray_quotes_do_not_swallow_the_rows_between_them_silently(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    told, last = read_contacts(read_rows(path))
    assert isinstance(told, RejectedRow)
    assert (told.row_number, told.code) == (2, "unclosed_quote")
    assert "Lines 2 to 4" in told.text
    assert isinstance(last, Candidate)


def test_the_sample_is_read_back_as_it_is_shown(path: Path) -> None:
    assert cells(path, sample_csv()) == [list(SAMPLE_HEADER), *map(list, SAMPLE_ROWS)]
    assert sample_csv().startswith(codecs.BOM_UTF8)
    assert not [cell for row in (SAMPLE_HEADER, *SAMPLE_ROWS) for cell in row if harmless(cell) != cell]


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=65_536)
    | st.lists(
        st.sampled_from(
            [b"email", b"a@b.co", b",", b";", b'"', b"\n", b"\r", b"\0", b"\xd0\xb0", b"\xc0", b"^"]
        )
    )
    .map(b"".join)
    .map(b"email,P1\n".__add__)
)
@example(b"PK\x03\x04")
@example(b"PK\x05\x06" + b"\0" * 18)
@example(b"\xff\xfe")
@example(b"\xff\xfe\x00\xd8")
def test_any_bytes_are_rows_or_a_refusal(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(FileRejected):
        assert all(isinstance(row, Candidate | RejectedRow) for row in read_contacts(read_rows(path)))
