"""The rows of an XLSX workbook, unpacked in a child process that may die of it.

Values only: formulas give the value the spreadsheet program saved, macros and links are not looked at, hidden
sheets are passed over.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.adapters.spreadsheets.xlsx_checks import check_workbook, not_a_workbook
from chalicelib.domain.contact_file import FileRejected, SheetRow

# Bytes of address space. A row of seven cells takes about 1 KB of it; 200 MB unpacked need some 550 MB.
MEMORY_LIMIT = 768 * 1024 * 1024
CPU_SECONDS = 30  # of the child's own time: one that waits for its reader spends none
_CHILD = Path(__file__).with_name("xlsx_child.py")


def read_xlsx(
    path: Path, memory_limit: int = MEMORY_LIMIT, cpu_seconds: int = CPU_SECONDS
) -> Iterator[SheetRow]:
    """Yield the rows with content of the first visible sheet, numbered as in the sheet.

    Raises FileRejected: not_a_workbook, encrypted_workbook, file_too_large_unpacked, or workbook_too_heavy if
    the child ran out of memory or time. Closing the iterator ends the child.
    """
    check_workbook(path)
    with _child(path, memory_limit, cpu_seconds) as child:
        for line in child.stdout or ():
            if not line.endswith(b"\n"):  # it died while writing
                break
            message = json.loads(line)
            if isinstance(message, list):
                yield SheetRow(*message)
            elif "error" in message:
                raise not_a_workbook(message["error"])
            else:
                return
        raise _verdict_on_a_dead_child(child.wait())


@contextmanager
def _child(path: Path, memory_limit: int, cpu_seconds: int) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [sys.executable, "-P", str(_CHILD), str(path), str(memory_limit), str(cpu_seconds)]
    with subprocess.Popen(  # noqa: S603  (our own script, no shell, no text of the customer)
        arguments,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def _environment() -> dict[str, str]:
    """What Python needs to start, and no credentials: a hostile file may own the child."""
    needed = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
    path = os.pathsep.join(filter(None, sys.path))
    return {**needed, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def _verdict_on_a_dead_child(status: int) -> Exception:
    """A signal is a failed allocation (SIGABRT) or the CPU limit; all else is not the file's fault."""
    if status >= 0:
        return RuntimeError(f"the workbook reader ended with status {status} before the end of the sheet")
    text = "The workbook takes too much memory or time to unpack. Save the sheet as CSV, or split it."
    return FileRejected("workbook_too_heavy", text)
