"""The process that unpacks a workbook; started by ``workbook_reader`` as a script of its own.

python-calamine holds a sheet as one full matrix: a file of 2 KB with a cell in A1 and one in XFD1048576
makes it ask for 500 GB, and the failed allocation aborts the process. So it is this process that dies.
It writes one JSON document a line to standard output: ``[row number, [cells]]`` for each row with content,
then ``{"end": true}``, or ``{"error": why}``. It imports nothing of the project, to be up in 30 ms.
"""

import json
import math
import os
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import python_calamine

Value = str | float | bool | date | datetime | time | timedelta
_LONGEST = 1e21  # numbers of bank cards and accounts have up to 20 digits, and no exponent


def main(path: str, memory_limit: int, cpu_seconds: int) -> None:
    """Write the first visible sheet with content of the workbook to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        for row in sheet_rows(path):
            sys.stdout.write(json.dumps(row) + "\n")
        answer: dict[str, object] = {"end": True}
    except (python_calamine.CalamineError, OSError):
        answer = {"error": "it is damaged"}
    except LookupError as error:
        answer = {"error": str(error.args[0])}
    except MemoryError:
        os.abort()  # as a failed allocation in the parser does
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":  # what PyO3 makes of a panic in Rust
            raise
        answer = {"error": "it is damaged"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def sheet_rows(path: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row that isn't blank, as text; cells after the last one with content are cut.

    Raises LookupError if no worksheet is visible, CalamineError for a file that can't be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123  (calamine goes by the name unless it gets an open file)
        workbook = python_calamine.CalamineWorkbook.from_filelike(file)
        is_empty = True
        for name in _visible(workbook):
            for number, values in enumerate(workbook.get_sheet_by_name(name).iter_rows(), start=1):
                cells = [value if isinstance(value, str) else cell_text(value) for value in values]
                while cells and not cells[-1]:
                    cells.pop()
                if cells:
                    is_empty = False
                    yield number, cells
            if not is_empty:
                return


def cell_text(value: Value) -> str:
    """A cell as a person types it: no ``.0`` or exponent in a number of a phone, ISO dates, TRUE, FALSE."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        is_whole = math.isfinite(value) and value.is_integer() and abs(value) < _LONGEST
        return f"{Decimal(repr(value)):.0f}" if is_whole else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _visible(workbook: python_calamine.CalamineWorkbook) -> list[str]:
    names = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    if not names:
        raise LookupError("it has no visible sheet")
    return names


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
