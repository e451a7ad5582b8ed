"""The suppression list as a CSV file, written as a job."""

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.job import ExportJob
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.domain.suppression_file import HEADER, exported
from chalicelib.errors import NotFound
from chalicelib.flow.report import export_key
from chalicelib.ports import Clock, ExportStore, FileStore, SuppressionStore, all_items

_READ_AT_ONCE = 1_000
_PROGRESS_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class ListExportPorts:
    """What an exporter of the list needs."""

    suppressions: SuppressionStore
    exports: ExportStore
    files: FileStore
    clock: Clock


def export_subject(account_id: str, export_id: str, exports: ExportStore) -> str | None:
    """What the job is about: a campaign's id or SUPPRESSION_LIST; None when the job is gone."""
    try:
        return exports.get(account_id, export_id).campaign_id
    except NotFound:
        return None


def export_list(account_id: str, export_id: str, ports: ListExportPorts) -> None:
    """Write the file and put it where it can be downloaded. Done twice, it is the same file again."""
    job = ports.exports.get(account_id, export_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.csv")
        counted = _write(account_id, job, path, ports)
        if counted is None:
            return
        ports.files.put(export_key(account_id, job), path, "text/csv")
    ports.exports.finish(account_id, export_id, counted, ports.clock.now())


def _write(account_id: str, job: ExportJob, path: Path, ports: ListExportPorts) -> Counter[str] | None:
    """Write all entries, counted by the first reason; None when the job is over already."""
    counted: Counter[str] = Counter(dict.fromkeys(SuppressionReason, 0))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write = csv.writer(file).writerow
        write(HEADER)
        for number, suppression in enumerate(_whole_list(account_id, ports.suppressions)):
            if number % _PROGRESS_EVERY == 0 and not ports.exports.progress(
                account_id, job.export_id, number
            ):
                return None
            write(exported(suppression))
            counted[suppression.reason] += 1
    return counted if ports.exports.progress(account_id, job.export_id, counted.total()) else None


def _whole_list(account_id: str, suppressions: SuppressionStore) -> Iterator[Suppression]:
    return all_items(lambda cursor: suppressions.page(account_id, cursor, _READ_AT_ONCE))
