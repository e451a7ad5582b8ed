"""Leave for imports and files: not too many at once, nor more bytes in seven days than the account may have.

What is taken is written in one conditional write before the job is made, so that of two which come at once
one sees the other. A place is given back by nobody: when all are taken, those whose job is over are free.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.api_call import CALL_IS_OVER
from chalicelib.domain.ids import time_of
from chalicelib.domain.job import JobState
from chalicelib.domain.quota import Quota, reached
from chalicelib.domain.usage import STORED_DAYS, Usage
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import Clock, ImportStore, LimitOf, UsageStore

FORM_IS_DEAD = timedelta(hours=1)  # a form takes a file for 15 minutes: nothing came for this one
IMPORT_IS_LOST = timedelta(days=STORED_DAYS)  # its file is gone; perhaps no message tells of it any more
_TRIES = 10
_OVER = (JobState.DONE, JobState.FAILED)


def change_usage(account_id: str, store: UsageStore, wish: Callable[[Usage], Usage]) -> Usage:
    """Replace what is taken by what is wished, unless that is the same; returns it.

    Raises Outdated when others were faster again and again.
    """
    for _ in range(_TRIES):
        usage = store.get(account_id)
        wished = wish(usage)
        if wished is usage or store.replace(account_id, wished):
            return wished
    raise Outdated


@dataclass(frozen=True, slots=True)
class Leave:
    """Gives leave for imports; called with the account, the import's id and the bytes of its file."""

    usage: UsageStore
    imports: ImportStore
    limit_of: LimitOf
    clock: Clock

    def __call__(self, account_id: str, import_id: str, size: int) -> None:
        """Take a place, and the bytes. Asked for an import that has it already, it changes nothing.

        Raises QuotaReached, and Outdated when many others were faster.
        """
        change_usage(account_id, self.usage, lambda usage: self._wished(account_id, usage, import_id, size))

    def for_attachment(self, account_id: str, size: int) -> None:
        """Take the bytes of an attachment's upload, for which there has to be room where it is kept, too.

        Raises as above; asked for again, it counts again. What is kept is counted by its store.
        """
        change_usage(account_id, self.usage, lambda usage: self._with_attachment(account_id, usage, size))

    def _with_attachment(self, account_id: str, usage: Usage, size: int) -> Usage:
        now, most = self.clock.now(), self.limit_of(account_id, Quota.ATTACHMENTS)
        if usage.attachments + size > most:
            raise reached(Quota.ATTACHMENTS, most)
        self._check_bytes(account_id, usage, size, now)
        return usage.with_file(size, now)

    def _check_bytes(self, account_id: str, usage: Usage, size: int, now: datetime) -> None:
        most = self.limit_of(account_id, Quota.STORAGE)
        if size and usage.stored(now) + size > most:
            raise reached(Quota.STORAGE, most)

    def _wished(self, account_id: str, usage: Usage, import_id: str, size: int) -> Usage:
        if import_id in usage.imports:
            return usage
        now, most = self.clock.now(), self.limit_of(account_id, Quota.IMPORTS)
        if len(usage.imports) >= most:
            alive = tuple(one for one in usage.imports if self._is_alive(account_id, one, now))
            usage = replace(usage, imports=alive)
        if len(usage.imports) >= most:
            raise reached(Quota.IMPORTS, most)
        self._check_bytes(account_id, usage, size, now)
        return usage.with_import(import_id, size, now)

    def _is_alive(self, account_id: str, import_id: str, now: datetime) -> bool:
        """Whether it still takes a place; one that isn't there (yet) does while its call may last."""
        try:
            job = self.imports.get(account_id, import_id)
        except NotFound:
            asked_at = time_of(import_id)
            return asked_at is not None and asked_at > now - CALL_IS_OVER
        if job.state is JobState.WAITING:
            return job.created_at > now - FORM_IS_DEAD
        return job.state not in _OVER and job.created_at > now - IMPORT_IS_LOST
