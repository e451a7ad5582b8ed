"""How fast contact files are imported, and in how much memory: `python -m bench.imports`.

Each way runs in a process of its own, so that its peak of memory is its own; a workbook's unpacking child is
counted with it. Beside the importer stand the csv module and openpyxl, which only read: they check no
address, find no column and store nothing. Rows per second are of CPU time, so other programs disturb little.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
from tqdm import tqdm

from bench.requests import environment, running_campaign
from chalicelib import wiring
from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.adapters.spreadsheets.xlsx_writer import WorkbookWriter
from chalicelib.domain.content import Content
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import ImportJob, ImportProgress, JobState
from chalicelib.flow.imports import ImportPorts, import_contacts, start_import, upload_key
from chalicelib.ports import NewContact
from local.emulator import ROOT
from local.stack import start

HEADER = ("email", "First Name", "Last Name", "Middle Name", "P1", "P2", "P3", "City")
_WAYS = ("csv_importer", "csv_module", "xlsx_importer", "openpyxl")
_NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_LONG = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of reading a file."""

    way: str
    rows: int
    cpu_seconds: float
    peak_mib: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.cpu_seconds


class CountingStore:
    """The part of ``ContactStore`` and ``ImportStore`` that an importer uses; keeps a count only."""

    def __init__(self, job: ImportJob) -> None:
        self.job = job

    def begin(self, account_id: str, import_id: str) -> ImportJob:  # noqa: ARG002
        return self.job

    def get(self, account_id: str, import_id: str) -> ImportJob:  # noqa: ARG002
        return self.job

    def finish(self, account_id: str, import_id: str, progress: ImportProgress, now: datetime) -> None:
        """It is over; the count stays."""

    def add_imported(
        self,
        account_id: str,  # noqa: ARG002
        campaign_id: str,  # noqa: ARG002
        import_id: str,  # noqa: ARG002
        contacts: Sequence[NewContact],
        seen: ImportProgress,  # noqa: ARG002
        read: ImportProgress,
    ) -> ImportProgress:
        self.job = replace(self.job, progress=replace(read, added=read.added + len(contacts)))
        return self.job.progress


class OneFile:
    """Port ``FileStore`` of one upload, which is not even copied."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self, key: str, path: Path) -> None:  # noqa: ARG002
        path.symlink_to(self._path)

    def put(self, key: str, path: Path, content_type: str) -> None:
        """The list of rejected rows, which nobody reads here."""

    def purge(self, prefix: str) -> None:
        """Nothing is kept."""


class NoColumns:
    """Port ``CampaignStore``, as far as an importer needs it."""

    columns: tuple[str, ...] = ()

    def get(self, account_id: str, campaign_id: str) -> "NoColumns":  # noqa: ARG002
        return self

    def add_columns(self, account_id: str, campaign_id: str, names: object) -> None:
        """Forget them."""


class Nobody:
    """Ports ``Clock`` and ``JobQueue``: it is always the same time, and nobody waits."""

    def now(self) -> datetime:
        return _NOW

    def put(self, message: Mapping[str, str], after: timedelta = timedelta(0)) -> None:
        """Nobody reads it."""


def row(number: int) -> tuple[str, ...]:
    """A row such as a customer's file has."""
    return (
        f"reader.{number}@mail{number % 400}.example",
        ("Anna", "Jürgen", "Мария", "Seán")[number % 4],
        ("O'Brien", "Müller", "Иванова")[number % 3],
        "",
        f"A-{number}",
        f"{number % 900}.50 €",
        f"{1 + number % 28} March",
        "York",
    )


def main() -> None:
    """Measure all ways and print them; the last line is JSON."""
    options = _options()
    if options.way:
        found = _measure(options.way, Path(options.file))
        print(json.dumps([found.way, found.rows, found.cpu_seconds, found.peak_mib]))
        return
    with tempfile.TemporaryDirectory() as folder:
        text, workbook = Path(folder, "contacts.csv"), Path(folder, "contacts.xlsx")
        _write_csv(text, options.csv_rows)
        _write_xlsx(workbook, options.xlsx_rows)
        measured = [_in_a_process(way, text if "csv" in way else workbook) for way in _WAYS]
        stored = _through_emulator(workbook, options.emulator_rows)
    _show(measured, stored)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--csv-rows", type=int, default=1_000_000)
    parser.add_argument("--xlsx-rows", type=int, default=100_000)
    parser.add_argument("--emulator-rows", type=int, default=100_000)
    parser.add_argument("--way", choices=_WAYS)
    parser.add_argument("--file")
    return parser.parse_args()


def _write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file)
        write.writerow(HEADER)
        write.writerows(map(row, range(rows)))


def _write_xlsx(path: Path, rows: int) -> None:
    with WorkbookWriter(path) as workbook:
        workbook.sheet("Contacts", HEADER)
        for number in tqdm(range(rows), desc="Writing", unit=" rows", file=sys.stderr, disable=None):
            workbook.append(row(number))


def _in_a_process(way: str, file: Path) -> Measured:
    print(f"{way} …", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench.imports", "--way", way, "--file", str(file)]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603
    return Measured(*json.loads(ran.stdout))


def _measure(way: str, file: Path) -> Measured:
    ways: dict[str, Callable[[Path], int]] = {
        "csv_importer": _importer,
        "xlsx_importer": _importer,
        "csv_module": _csv_module,
        "openpyxl": _openpyxl,
    }
    before = _cpu()
    rows = ways[way](file)
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Measured(way, rows, _cpu() - before, peak / 1024)


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _importer(file: Path) -> int:
    job = ImportJob(new_id(_NOW), new_id(_NOW), "contacts", JobState.RUNNING, _NOW)
    store, nobody = CountingStore(job), Nobody()
    ports = ImportPorts(
        campaigns=NoColumns(),  # type: ignore[arg-type]
        contacts=store,  # type: ignore[arg-type]
        lines=nobody,  # type: ignore[arg-type]
        dialogs=nobody,  # type: ignore[arg-type]
        imports=store,  # type: ignore[arg-type]
        suppressions=nobody,  # type: ignore[arg-type]
        files=OneFile(file),  # type: ignore[arg-type]
        read_rows=read_rows,
        import_queue=nobody,
        dispatch_queue=nobody,
        clock=nobody,
    )
    import_contacts("account", job.import_id, ports, _NOW + _LONG)
    return store.job.progress.added


def _csv_module(file: Path) -> int:
    with file.open(encoding="utf-8", newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


def _openpyxl(file: Path) -> int:
    sheet = openpyxl.load_workbook(file, read_only=True).worksheets[0]
    return sum(1 for _ in sheet.iter_rows(values_only=True)) - 1


def _through_emulator(workbook: Path, rows: int) -> float:
    """Import a workbook into real tables by way of S3; returns the rows stored per second of this clock."""
    if rows == 0:
        return 0.0
    with start(None) as stack, tempfile.TemporaryDirectory() as folder:
        os.environ.update(environment(stack))
        os.environ["FILE_BUCKET"] = stack.outputs["FileBucketName"]
        os.environ["TABLE_IMPORTS"] = stack.resource("ImportTable")
        os.environ["TABLE_SUPPRESSIONS"] = stack.resource("SuppressionTable")
        wiring.settings()
        now = datetime.now(UTC)
        account_id = new_id(now)
        campaign = running_campaign()
        wiring.campaigns().add(account_id, campaign, Content("Hello", "<p>Hello</p>"))
        job, _ = start_import(account_id, campaign.campaign_id, "c", "xlsx", wiring.contact_ports())
        sized = workbook if rows == _rows_in(workbook) else Path(folder, "sized.xlsx")
        if sized != workbook:
            _write_xlsx(sized, rows)
        key = upload_key(account_id, campaign.campaign_id, job.import_id)
        ports = replace(wiring.import_ports(), files=OneFile(sized), dispatch_queue=Nobody())  # type: ignore[arg-type]
        began = time.monotonic()
        import_contacts(account_id, job.import_id, ports, now + _LONG, key)
        seconds = time.monotonic() - began
        done = wiring.imports().get(account_id, job.import_id)
        if (done.state, done.progress.added) != (JobState.DONE, rows):
            sys.exit(f"the import did not end as it should: {done}")
    return rows / seconds


def _rows_in(workbook: Path) -> int:
    return (openpyxl.load_workbook(workbook, read_only=True).worksheets[0].max_row or 1) - 1


def _show(measured: Sequence[Measured], stored: float) -> None:
    for one in measured:
        print(
            f"  {one.way:14} {one.rows:9,} rows  {one.rows_per_second:9,.0f} rows/s of CPU"
            f"  {one.peak_mib:6,.0f} MiB at most"
        )
    if stored:
        print(f"  into the emulator's tables: {stored:,.0f} rows/s")
    numbers = {
        one.way: {
            "rows": one.rows,
            "rows_per_second": round(one.rows_per_second),
            "peak_mib": round(one.peak_mib),
        }
        for one in measured
    }
    print(json.dumps(numbers | {"emulator_rows_per_second": round(stored)}))


if __name__ == "__main__":
    main()
