"""Workbooks by hand: the smallest archives that a spreadsheet program opens, and broken ones.

Parts are given as XML text (ECMA-376, part 1), so that a test can write what no library would.
"""

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(
    path: Path, *sheets: str, states: tuple[str, ...] = (), extra: Mapping[str, str | bytes] = {}
) -> Path:
    """Write a workbook whose sheets have the given ``sheetData`` contents; ``extra`` parts replace or add."""
    parts: dict[str, str | bytes] = dict(_frame(len(sheets), states))
    for number, rows in enumerate(sheets, start=1):
        sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in {**parts, **extra}.items():
            archive.writestr(name, content)
    return path


def row(number: int, *cells: str) -> str:
    """A row element with the given cell elements."""
    return f'<row r="{number}">{"".join(cells)}</row>'


def text(reference: str, value: str) -> str:
    """A cell with an inline string."""
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def table(*rows: tuple[str, ...]) -> str:
    """Rows of text cells from A1 on."""
    return "".join(
        row(number, *(text(f"{'ABCDEFGHIJ'[column]}{number}", value) for column, value in enumerate(cells)))
        for number, cells in enumerate(rows, start=1)
    )


def _frame(count: int, states: tuple[str, ...]) -> dict[str, str]:
    numbers = range(1, count + 1)
    state = dict(zip(numbers, states, strict=False))
    sheets = "".join(
        f'<sheet name="S{n}" sheetId="{n}" state="{state.get(n, "visible")}" r:id="rId{n}"/>' for n in numbers
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{overrides}</Types>',
        "_rels/.rels": _links(
            f'<Relationship Id="rId1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/_rels/workbook.xml.rels": _links(links),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}">'
        f"<sheets>{sheets}</sheets></workbook>",
    }


def _links(elements: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{elements}</Relationships>'
