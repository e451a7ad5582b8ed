"""Workbooks made to do harm, or damaged on the way: each is refused, and nothing else dies of it."""

import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.spreadsheets import workbook_reader
from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.adapters.spreadsheets.workbook_reader import read_xlsx
from chalicelib.domain.contact_file import (
    FileRejected,
    SheetRow,
)
from tests.contract.workbook_builders import row, table, text, workbook

LIST = table(("email", "P1"), ("a@example.com", "x"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload.xlsx"


def rows(path: Path) -> list[tuple[int, list[str]]]:
    return [(row.number, row.cells) for row in read_rows(path) if isinstance(row, SheetRow)]


def code(path: Path) -> str:
    with pytest.raises(FileRejected) as caught:
        list(read_rows(path))
    return caught.value.code


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/hostname">',
        "<!-- padding -->" * 100 + "<!doctype x>",
    ],
)
@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_document_type_declarations_are_refused(path: Path, part: str, prolog: str) -> None:
    workbook(path, LIST)
    with ZipFile(path) as archive:
        old = archive.read(part).decode() if part in archive.namelist() else "<sst/>"
    workbook(path, LIST, extra={part: prolog + old})
    with pytest.raises(FileRejected, match="document type"):
        list(read_rows(path))


ENTRIES: Mapping[str, Mapping[str, str | bytes]] = {
    "climbs": {"../evil.xml": "<x/>"},
    "absolute": {"/etc/evil.xml": "<x/>"},
    "drive": {"C:evil.xml": "<x/>"},
    "backslash": {"xl\\..\\..\\evil.xml": "<x/>"},
    "many": {f"xl/media/{n}": "" for n in range(1_001)},
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_archives_with_parts_no_workbook_has_are_refused(path: Path, kind: str) -> None:
    assert code(workbook(path, LIST, extra=ENTRIES[kind])) == "not_a_workbook"


def test_two_parts_of_one_name_are_refused(path: Path) -> None:
    workbook(path, LIST)
    with ZipFile(path, "a") as archive:
        content = archive.read("xl/workbook.xml")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("xl/workbook.xml", content)
    with pytest.raises(FileRejected, match="names of its parts"):
        list(read_rows(path))


def test_a_packing_that_workbooks_do_not_use_is_refused(path: Path) -> None:
    with ZipFile(workbook(path, LIST), "a", ZIP_LZMA) as archive:
        archive.writestr("xl/media/1", "x")
    with pytest.raises(FileRejected, match="packed in a way"):
        list(read_rows(path))


def test_a_directory_that_would_fill_the_memory_is_not_read(path: Path) -> None:
    with ZipFile(path, "w") as archive:
        for number in range(30):
            archive.writestr(f"{number:02}" + "x" * 50_000, "")
    with pytest.raises(FileRejected, match="too many parts"):
        list(read_rows(path))


def zip64(content: bytes, directory_size: int | None = None) -> bytes:
    """The archive with the records that streaming writers add (APPNOTE 4.3.14 and 4.3.15)."""
    head, end = content[:-22], content[-22:]
    entries, size, offset = struct.unpack_from("<HLL", end, 10)
    claimed = size if directory_size is None else directory_size
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, claimed, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(head), 1)
    return head + record + locator + end[:12] + b"\xff" * 8 + end[20:]


@pytest.mark.parametrize("comment", [b"", b"written by a person"])
def test_a_directory_in_the_format_for_large_archives_is_read(path: Path, comment: bytes) -> None:
    content = zip64(workbook(path, LIST).read_bytes())
    path.write_bytes(content[:-2] + struct.pack("<H", len(comment)) + comment)
    assert rows(path)[0] == (1, ["email", "P1"])


def test_a_directory_too_large_in_that_format_is_not_read(path: Path) -> None:
    path.write_bytes(zip64(workbook(path, LIST).read_bytes(), directory_size=2 << 20))
    with pytest.raises(FileRejected, match="too many parts"):
        list(read_rows(path))


def test_another_archive_is_no_workbook(path: Path) -> None:
    with ZipFile(path, "w") as archive:
        archive.writestr("contacts.csv", "email\na@example.com\n")
    with pytest.raises(FileRejected, match="another kind of archive"):
        list(read_rows(path))


@pytest.mark.parametrize("keep", [4, 30, 0.5, 0.99])
def test_a_workbook_that_was_cut_off_is_refused(path: Path, keep: float) -> None:
    content = workbook(path, LIST).read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    assert code(path) == "not_a_workbook"


def test_a_password_is_named(path: Path) -> None:
    content = bytearray(workbook(path, LIST).read_bytes())
    flags = content.index(b"PK\x01\x02") + 8
    content[flags] |= 1
    path.write_bytes(content)
    assert code(path) == "encrypted_workbook"


def test_parts_that_unpack_to_too_much_are_refused_before_unpacking(path: Path) -> None:
    assert code(workbook(path, LIST, extra={"xl/media/zeros": bytes(2_000_000)})) == "file_too_large_unpacked"


def test_the_declared_sizes_are_added_up(path: Path) -> None:
    content = bytearray(workbook(path, LIST, extra={"xl/media/1": b"", "xl/media/2": b""}).read_bytes())
    for name in (b"xl/media/1", b"xl/media/2"):
        entry = content.rindex(name) - 46
        struct.pack_into("<II", content, entry + 20, 310 << 20, 310 << 20)
    path.write_bytes(content)
    assert code(path) == "file_too_large_unpacked"


def test_a_size_that_was_declared_falsely_ends_the_child_only(path: Path) -> None:
    """The directory says 1 KB, the part unpacks to 300 MB."""
    workbook(path, row(1, text("A1", "x" * 300_000_000)))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"xl/worksheets/sheet1.xml") - 46
    struct.pack_into("<I", content, entry + 24, 1_000)
    path.write_bytes(content)
    with pytest.raises(FileRejected) as caught:
        list(read_xlsx(path, memory_limit=200 << 20))
    assert caught.value.code in {"workbook_too_heavy", "not_a_workbook"}


def test_two_cells_in_opposite_corners_end_the_child_only(path: Path) -> None:
    """Less than 2 KB; the parser asks for the 17 billion cells between them."""
    workbook(path, row(1, text("A1", "email")) + row(1_048_576, text("XFD1048576", "x")))
    assert code(path) == "workbook_too_heavy"


def test_a_child_that_computes_too_long_is_ended(path: Path) -> None:
    workbook(path, row(1, text("ZZZZZZZZ99999999999999", "email")))
    with pytest.raises(FileRejected) as caught:
        list(read_xlsx(path, cpu_seconds=1))
    assert caught.value.code == "workbook_too_heavy"


def test_a_reader_that_cannot_start_is_not_blamed_on_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_reader, "_CHILD", path.with_name("missing.py"))
    with pytest.raises(RuntimeError):
        list(read_xlsx(workbook(path, LIST)))


def test_a_child_that_dies_in_the_middle_of_a_row_leaves_the_rows_before_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = path.with_name("child.py")
    script.write_text(
        'import os\nos.write(1, b\'[1, ["email"]]\\n[2, ["a@ex\')\nos.abort()\n', encoding="utf-8"
    )
    monkeypatch.setattr(workbook_reader, "_CHILD", script)
    reading = read_xlsx(workbook(path, LIST))
    assert next(reading).cells == ["email"]
    with pytest.raises(FileRejected) as caught:
        next(reading)
    assert caught.value.code == "workbook_too_heavy"


def test_no_secret_of_the_process_reaches_the_child(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = path.with_name("child.py")
    script.write_text(
        "import json, os\nprint(json.dumps([1, sorted(os.environ)]))\nprint('{\"end\": true}')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(workbook_reader, "_CHILD", script)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    [told] = read_xlsx(workbook(path, LIST))
    assert "PYTHONPATH" in told.cells
    assert not any(name.startswith("AWS") for name in told.cells)


def test_leaving_early_ends_the_child(path: Path) -> None:
    workbook(path, table(("email",), *((f"a{n}@example.com",) for n in range(20_000))))
    reading = read_xlsx(path)
    assert next(reading).number == 1
    reading.close()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_workbook_is_rows_or_a_refusal(path: Path, data: st.DataObject) -> None:
    content = bytearray(workbook(path, LIST).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(FileRejected):
        assert all(isinstance(row, SheetRow) for row in read_rows(path))
