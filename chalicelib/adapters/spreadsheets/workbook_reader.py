"""The rows of an XLSX or old XLS workbook, unpacked in a child process that may die of it.

Values only: formulas give the value the spreadsheet program saved, macros and links are not looked at, hidden
sheets and empty ones are passed over.
"""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.adapters.spreadsheets.xlsx_checks import check_workbook, encrypted_workbook, not_a_workbook
from chalicelib.domain.contact_file import FileRejected, SheetRow

# Bytes of address space: 1,000,000 rows of eight cells, 485 MiB unpacked, take 875 MiB and 13 s. The function
# has 1,769 MB, of which its own process takes some 60.
MEMORY_LIMIT = 1_200 * 1024 * 1024
CPU_SECONDS = 60  # of the child's own time: one that waits for its reader spends none
_CFB_HEADER = 512  # bytes
_CFB_DIRECTORY = 4_096  # bytes of the directory that are looked at: 32 entries
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_CHILD = Path(__file__).with_name("workbook_child.py")


def read_xlsx(
    path: Path, memory_limit: int = MEMORY_LIMIT, cpu_seconds: int = CPU_SECONDS
) -> Iterator[SheetRow]:
    """Yield the rows with content of the first visible sheet that has any, numbered as in the sheet.

    Raises FileRejected: not_a_workbook, encrypted_workbook, file_too_large_unpacked, or workbook_too_heavy if
    the child ran out of memory or time. Closing the iterator ends the child.
    """
    check_workbook(path)
    return _rows(path, memory_limit, cpu_seconds)


def read_xls(
    path: Path, memory_limit: int = MEMORY_LIMIT, cpu_seconds: int = CPU_SECONDS
) -> Iterator[SheetRow]:
    """As ``read_xlsx``, for the workbooks of Excel 97 to 2003 ([MS-XLS]), which are not packed.

    Their container ([MS-CFB]) is also that of a newer workbook with a password.
    """
    if _holds_encrypted_package(path):
        raise encrypted_workbook()
    return _rows(path, memory_limit, cpu_seconds)


def _holds_encrypted_package(path: Path) -> bool:
    """Whether the container's directory names such a stream ([MS-OFFCRYPTO], 2.3.4.4; [MS-CFB], 2.2)."""
    with path.open("rb") as file:
        header = file.read(_CFB_HEADER)
        if len(header) < _CFB_HEADER:
            return False
        (shift,) = struct.unpack_from("<H", header, 30)
        (directory,) = struct.unpack_from("<L", header, 48)
        file.seek((directory + 1) << min(shift, 12))
        return _ENCRYPTED_PACKAGE in file.read(_CFB_DIRECTORY)


def _rows(path: Path, memory_limit: int, cpu_seconds: int) -> Iterator[SheetRow]:
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
