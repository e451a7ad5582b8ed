"""Contact files that are web pages: what programs write, what strangers may, and that nothing is lost."""

import resource
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.spreadsheets.markup import MAX_TAG, Markup, Tag
from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.domain.contact_file import Candidate, FileRejected, RejectedRow, SheetRow, read_contacts

HEADER = "<table><tr><td>email</td><td>P1</td></tr>"
BOB = "<tr><td>bob@example.com</td><td>last</td></tr></table>"
CPU_SECONDS = 20  # what the attacks below take now is a tenth of a second; they took minutes and hours
READ = """
import sys
from pathlib import Path
from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.domain.contact_file import FileRejected, read_contacts
try:
    print(len(list(read_contacts(read_rows(Path(sys.argv[1]))))))
except FileRejected as refusal:
    print(refusal.code)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload.xls"


def cells(path: Path, content: bytes | str) -> list[list[str]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [row.cells for row in read_rows(path) if isinstance(row, SheetRow)]


def refusal(path: Path, content: bytes | str) -> FileRejected:
    with pytest.raises(FileRejected) as caught:
        cells(path, content)
    return caught.value


def note(path: Path, inside: str) -> list[list[str]]:
    """The rows of a table in one cell of which stands what is given."""
    found = cells(path, f"{HEADER}<tr><td>a@example.com</td><td>{inside}</td></tr>{BOB}")
    assert (found[0], found[-1]) == (["email", "P1"], ["bob@example.com", "last"])
    return found[1:-1]


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<b>x</b> &amp; <i class='&gt;'>y</i>", "x & y"),
        ("one<br>two<br/>three<p>four</p>", "one\ntwo\nthree\nfour"),
        ("<a title='a > b' href=x>x</a>", "x"),
        ("<a title=it's>x</a>", "x"),
        ("&nbsp; x &nbsp;", "x"),
        ("&#1040;&#x410;&Eacute;&eacute", "ААÉé"),
        ("a<!-- <td>no</td> -->b<!-->c<!--->d", "abcd"),
        ("a<![if !mso]>b<![endif]>c<?xml:namespace prefix='o' />d", "abcd"),
        ('<script>if (a<b && c="\'") x()</script>x<style>td > p {}</style>', "x"),
        ("<table><tr><td>inner</td></tr></table>x", "innerx"),
    ],
)
def test_a_cell_is_read_as_a_browser_shows_it(path: Path, inside: str, text: str) -> None:
    assert note(path, inside) == [["a@example.com", text]]


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("1 < 2 <3 <", "1 < 2 <3 <"),
        ("Anna <anna@example.com>", "Anna <anna@example.com>"),
        ("x<b and no more", "x<b and no more"),
        ('x<a b="', 'x<a b="'),
        ("x<a b='", "x<a b='"),
        ("x<![ y", "x<![ y"),
        ("x</ y", "x</ y"),
        ("x<![1]>", "x"),
        ("x<![foo[ ]>", "x"),
        ("&#" + "9" * 5_000 + ";&#x" + "f" * 5_000, "\ufffd\ufffd"),
        ("&" * 100, "&" * 100),
    ],
)
def test_what_opens_nothing_is_text_and_takes_no_row_with_it(path: Path, inside: str, text: str) -> None:
    assert note(path, inside) == [["a@example.com", text]]


@pytest.mark.parametrize("name", ["script", "style", "template", "SCRIPT"])
def test_what_never_closes_in_a_cell_ends_with_the_cell(path: Path, name: str) -> None:
    assert note(path, f"x<{name}>silence") == [["a@example.com", "x"]]


@pytest.mark.parametrize("name", ["script", "style", "template"])
def test_what_never_closes_between_rows_ends_with_the_next(path: Path, name: str) -> None:
    assert cells(path, f"{HEADER}<{name}>silence{BOB}") == [["email", "P1"], ["bob@example.com", "last"]]


@pytest.mark.parametrize("opened", ["<!-- ", "<!--", "<script>", "<style>", "<template>"])
@pytest.mark.parametrize("before", ["", f"{HEADER}<tr><td>a@example.com</td><td>"])
def test_a_page_that_ends_in_silence_is_refused(path: Path, before: str, opened: str) -> None:
    error = refusal(path, f"<html>{before}{opened}a lot of text" + "." * 100_000)
    assert error.code == "not_a_workbook"
    assert "never ends" in error.text


def test_a_table_whose_end_is_missing_is_read_to_the_end(path: Path) -> None:
    assert cells(path, f"{HEADER}<tr><td>a@example.com<td>x") == [["email", "P1"], ["a@example.com", "x"]]


def test_a_cell_over_several_columns_leaves_the_others_where_they_are(path: Path) -> None:
    header = HEADER.replace("</tr>", "<td>P2</td></tr>")
    page = f"{header}<tr><td data-colspan=9 class=x colspan='2'>x<td>y</td></tr>{BOB}"
    assert cells(path, page)[1] == ["", "x", "y"]


@pytest.mark.parametrize("span", ["0", "-1", "x", "1e3", "9999", ""])
def test_a_span_that_makes_no_sense_is_one(path: Path, span: str) -> None:
    page = f"{HEADER}<tr><td colspan={span}>x<td>y</td></tr>{BOB}"
    assert cells(path, page)[1] == ["x", "y"]


def test_cells_beside_a_table_are_left_out_also_below_a_title(path: Path) -> None:
    rows = ("email", "P1"), ("a@example.com", "x</td><td>y")
    page = "".join(f"<tr><td>{one}</td><td>{two}</td></tr>" for one, two in rows)
    assert cells(path, f"<table><tr><td>Contacts</td></tr>{page}") == [
        ["Contacts"],
        ["email", "P1"],
        ["a@example.com", "x"],
    ]


def test_a_row_that_never_ends_is_refused(path: Path) -> None:
    assert "row that never ends" in refusal(path, HEADER + "<tr>" + "<td>x" * 3_000).text


@pytest.mark.parametrize(
    "beginning",
    [
        "<!DOCTYPE html><html><body>",
        "\ufeff \n<html>",
        "<div class='x'>",
        "<!-- saved from a CRM -->\n<div>",
        "<!-- " + "x" * 10_000 + " -->",
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
        '<?xml version="1.0"?><!-- x --><html xmlns="http://www.w3.org/1999/xhtml">',
        "<CENTER>",
    ],
)
def test_a_page_is_known_by_how_it_begins(path: Path, beginning: str) -> None:
    assert cells(path, beginning + HEADER + BOB) == [["email", "P1"], ["bob@example.com", "last"]]


@pytest.mark.parametrize(
    "content", ['<?xml version="1.0"?><Workbook><Table/></Workbook>', '<?xml version="1.0"?><!-- x --><a/>']
)
def test_another_kind_of_xml_is_none(path: Path, content: str) -> None:
    assert "an XML document" in refusal(path, content).text


def test_text_that_begins_with_a_bracket_is_no_page(path: Path) -> None:
    assert cells(path, "<anna@example.com>;Anna\n")[0] == ["<anna@example.com>", "Anna"]


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ("<meta charset=windows-1251>", "cp1251"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        ('<?xml version="1.0" encoding="windows-1251"?><html>', "cp1251"),
        ("<meta charset='cp866'>", "cp866"),
        ("<meta charset=utf-16>", "utf-8"),
        ("<meta charset=utf-8>", "cp1251"),
        ("<meta charset=windows-1251>", "utf-16"),
    ],
)
def test_the_encoding_that_a_page_declares_is_believed_if_it_can_be(
    path: Path, declaration: str, encoding: str
) -> None:
    page = f"{declaration}{HEADER}<tr><td>a@example.com</td><td>Объявление</td></tr>{BOB}"
    assert cells(path, page.encode(encoding))[1] == ["a@example.com", "Объявление"]


def test_latin_1_means_windows_1252(path: Path) -> None:
    page = f"<meta charset=iso-8859-1>{HEADER}<tr><td>a@example.com</td><td>10 € “x”</td></tr>{BOB}"
    assert cells(path, page.encode("cp1252"))[1] == ["a@example.com", "10 € “x”"]


@pytest.mark.parametrize(
    "label",
    [
        *("hex", "zlib", "rot13", "base64", "bz2", "uu", "quopri", "idna", "punycode", "unicode_escape"),
        *("raw_unicode_escape", "utf-7", "undefined", "mbcs", "x", "....", "-", "utf_8_sig", "charmap"),
    ],
)
def test_what_is_no_encoding_of_text_is_not_believed(path: Path, label: str) -> None:
    page = f"<meta charset={label}>{HEADER}<tr><td>a@example.com</td><td>Имя</td></tr>{BOB}"
    assert cells(path, page)[1] == ["a@example.com", "Имя"]


@pytest.mark.parametrize(
    "inside",
    ["<a ", '<a b="', "<a b='>", "<!--", "<!x", "</a ", "<", "<td ", "&", "&#1", "<script>", "<a =", "<br>"],
)
def test_markup_without_end_takes_time_by_its_length_only(path: Path, inside: str) -> None:
    path.write_text(HEADER + "<tr><td>" + inside * (1_000_000 // len(inside)), encoding="utf-8")
    limit = (CPU_SECONDS, CPU_SECONDS)
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() in {"0", "1", "header_only", "not_a_workbook"}


@pytest.mark.parametrize("inside", ["<a ", "x", "<!-- ", "<script>"])
def test_a_cell_without_end_is_read_in_flat_memory(path: Path, inside: str) -> None:
    path.write_text(HEADER + "<tr><td>" + inside * (4_000_000 // len(inside)), encoding="utf-8")
    tracemalloc.start()
    try:
        with suppress(FileRejected):
            list(read_rows(path))
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


def test_breaks_count_as_what_a_cell_has(path: Path) -> None:
    assert len(note(path, "x" + "<br>" * 100_000 + "x")[0][1]) <= 1 << 16


def tokens(page: str, block: int) -> list[Tag | str]:
    """The tokens of a page that comes in such blocks, text that belongs together in one."""
    blocks = iter([page[at : at + block] for at in range(0, len(page), block)])
    found: list[Tag | str] = []
    for token in Markup(blocks):
        if isinstance(token, str) and found and isinstance(found[-1], str):
            found[-1] += token
        else:
            found.append(token)
    return found


PIECES = (
    *("<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<TD colspan=2>", "<td title='a>b'>", "<br/>"),
    *(
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<![if x]>",
        "<![",
        "]>",
        "<?x",
        "<!",
        "</",
        "<a ",
        "<",
        ">",
        "=",
    ),
    *(
        '"',
        "'",
        " ",
        "&amp;",
        "&#",
        "&#x41;",
        "9" * 50,
        ";",
        "email",
        "a@example.com",
        "я",
        "\n",
        "\0",
        "\udc80",
    ),
)
pages = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(pages, st.integers(1, 50))
@example("<table><tr><td>" + "x" * (MAX_TAG - 30) + "<a title='" + "y" * 200 + "'>&am" + "p;", MAX_TAG)
def test_where_a_block_ends_makes_no_difference(page: str, block: int) -> None:
    whole: list[Tag | str] | None = None
    with suppress(FileRejected):
        whole = tokens(page, max(len(page), 1))
    if whole is None:
        with pytest.raises(FileRejected):
            tokens(page, block)
    else:
        assert tokens(page, block) == whole


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["<html>", "<table>", "<meta charset=", HEADER]),
    pages.map(lambda page: page.encode("utf-8", "surrogatepass")) | st.binary(max_size=2_000),
)
def test_any_page_is_rows_or_a_refusal(path: Path, beginning: str, content: bytes) -> None:
    path.write_bytes(beginning.encode() + content)
    with suppress(FileRejected):
        assert all(isinstance(row, Candidate | RejectedRow) for row in read_contacts(read_rows(path)))


@given(pages)
def test_no_row_is_lost_whatever_stands_in_a_cell_before_it(page: str) -> None:
    """But by a comment or a table of its own, which may go on as long as they like."""
    inside = page
    for piece in ("<!--", "<!-", "<table>", "</table>"):
        inside = inside.replace(piece, "")
    if "<!--" in inside or "table" in inside:
        return
    found = tokens(f"<table><tr><td>{inside}</td></tr><tr><td>bob@example.com</td></tr></table>", MAX_TAG)
    assert found[-6:] == [
        Tag("tr", is_end=False, attributes=""),
        Tag("td", is_end=False, attributes=""),
        "bob@example.com",
        Tag("td", is_end=True, attributes=""),
        Tag("tr", is_end=True, attributes=""),
        Tag("table", is_end=True, attributes=""),
    ]
