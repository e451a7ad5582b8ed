"""Contact files as text: what spreadsheet programs write, what goes wrong, and that nothing is lost."""

import codecs
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
    read_contacts,
)
from chalicelib.domain.csv_cells import harmless

RUSSIAN = "email;Имя;Фамилия;P1\nanna@example.com;Анна;Ёлкина;Ян\nivan@example.com;Иван;Щукин;ул. Мира\n"
FRENCH = "email;First Name;P1\nzoe@example.com;Zoé;Noël à Besançon, créée\nrene@example.com;René;œuf où\n"
LONE = "email;P1\n" + "a@example.com;Ö\n" * 5 + "b@example.com;für\n"
GERMAN = "email;First Name;P1\njuergen@example.com;Jürgen;Grüße, Größe, Öl\nuwe@example.com;Änne;Füße\n"


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
def test_utf_8_that_breaks_in_the_middle_is_refused_with_the_line(path: Path, mark: bytes) -> None:
    lines = ["email,First Name", *["a@example.com,Анна"] * 5_000]
    damaged = mark + "\n".join(lines).encode() + b"\nb@example.com,\xc0\xed\xed\xe0\n"
    error = refusal(path, damaged)
    assert error.code == "undecodable"
    assert "Line 5002 " in error.text


def test_utf_16_that_ends_in_half_a_sign_is_refused(path: Path) -> None:
    assert refusal(path, RUSSIAN.encode("utf-16") + b"\x41").code == "undecodable"


def test_bytes_of_no_code_page_are_refused(path: Path) -> None:
    assert refusal(path, b"email\na\x98\x81@example.com\n").code == "undecodable"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_counted_outside_quotes_in_the_header(path: Path, delimiter: str) -> None:
    other = ";" if delimiter == "," else ","
    header = f'email{delimiter}"a{other}{other}{other}b"{delimiter}P1\n'
    assert cells(path, header)[0] == ["email", f"a{other * 3}b", "P1"]


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
        ("email\na@example.com\0\n", "nul_bytes"),
        ("email\n" + "x" * (MAX_LINE + 1) + "\na@example.com\n", "line_too_long"),
        ('email,P1\na@example.com,"never closed\nb@example.com,\n', "unclosed_quote"),
        ('email,P1\na@example.com,"\n' + "b@example.com,\n" * 1_000, "unclosed_quote"),
        ('email,P1\na@example.com,"' + "x\n" * 60 + '"\nb@example.com,\n', "unclosed_quote"),
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


def test_two_stray_quotes_do_not_swallow_the_rows_between_them_silently(path: Path) -> None:
    text = 'email,P1\na@example.com,"12\nb@example.com,x\nc@example.com,14"\nd@example.com,y\n'
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
        st.sampled_from([b"email", b"a@b.co", b",", b";", b'"', b"\n", b"\r", b"\0", b"\xd0\xb0", b"\xc0"])
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
