"""The importer's door: an upload arrived in S3, or an import asks to go on."""

from typing import NamedTuple

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in, keys_in
from chalicelib.blueprints.deadline import stop_at
from chalicelib.flow.imports import import_contacts
from chalicelib.observability import log

importer = Blueprint(__name__)


@importer.on_sqs_message(queue="imports", batch_size=1)
def import_uploads(event: SQSEvent) -> BatchAnswer:
    """Import uploaded files."""
    end = stop_at(event.context)

    def handle(body: str) -> None:
        for job in jobs_in(body):
            state = import_contacts(job.account_id, job.import_id, wiring.import_ports(), end, job.key)
            log("import_run", account_id=job.account_id, import_id=job.import_id, state=state)

    return handle_each(event, handle)


class Job(NamedTuple):
    """An import to run; ``key`` is its file's, when S3 told of it."""

    account_id: str
    import_id: str
    key: str | None = None


def jobs_in(body: str) -> list[Job]:
    """The imports of an S3 notification or of our own message; S3's test event names none."""
    keys = keys_in(body)
    if keys is None:
        return [Job(*ids_in(body, "account_id", "import_id"))]
    return [_job_of(key) for key in keys]


def _job_of(key: str) -> Job:
    """The key of an upload was minted by us: uploads/<account>/<campaign>/<import>."""
    _, account_id, _, import_id = key.split("/")
    return Job(account_id, import_id, key)
