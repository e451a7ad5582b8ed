"""Contracts of ``ImportStore`` and ``ExportStore``."""

from dataclasses import replace

import pytest

from chalicelib.adapters.dynamodb import jobs, reading
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery import Reason
from chalicelib.domain.dialog import DialogSource, TagFilter
from chalicelib.domain.file_columns import Choice, Use
from chalicelib.domain.job import ExportJob, ImportProgress, JobState
from chalicelib.errors import Invalid, NotFound
from chalicelib.ports import ExportStore
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON, add_campaign, import_job, new_id, people

WHY = Reason("empty_file", "The file is empty.")
DONE, FAILED, RUNNING = JobState.DONE, JobState.FAILED, JobState.RUNNING


class TestImportStore:
    def test_a_job_is_read_as_it_was_stored(self, stores: Stores) -> None:
        job = import_job("c1")
        stores.imports.add(stores.account, job)
        assert stores.imports.get(stores.account, job.import_id) == job

    def test_a_job_without_a_file_is_read_with_its_source(self, stores: Stores) -> None:
        source = DialogSource("line1", TagFilter(("VIP", "Été"), (), ("left",)))
        job = import_job("camp1", file_name="", state=JobState.QUEUED, source=source)
        stores.imports.add(stores.account, job)
        assert stores.imports.get(stores.account, job.import_id) == job

    def test_another_accounts_job_is_not_there(self, stores: Stores) -> None:
        job = import_job("c1")
        stores.imports.add(stores.account, job)
        with pytest.raises(NotFound):
            stores.imports.get(stores.stranger, job.import_id)
        assert stores.imports.begin(stores.stranger, job.import_id, NOON) is None
        stores.imports.fail(stores.stranger, job.import_id, WHY, NOON)
        stores.imports.finish(stores.stranger, job.import_id, ImportProgress(), NOON)
        stores.imports.purge(stores.stranger, "c1")
        assert stores.imports.page(stores.stranger, "c1", None, 10).items == []
        with pytest.raises(NotFound):
            stores.imports.get(stores.stranger, job.import_id)
        assert stores.imports.get(stores.account, job.import_id) == job

    def test_pages_show_the_jobs_of_one_campaign_newest_first(self, stores: Stores) -> None:
        for number in range(3):
            stores.imports.add(stores.account, replace(import_job("c1"), import_id=f"i{number}"))
        stores.imports.add(stores.account, replace(import_job("c2"), import_id="i9"))
        seen, cursor = [], None
        for _ in range(4):
            page = stores.imports.page(stores.account, "c1", cursor, 2)
            seen += [job.import_id for job in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == ["i2", "i1", "i0"]

    def test_a_page_among_many_of_other_campaigns_is_handed_out_short(
        self, dynamodb: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "_READ_AT_ONCE", 2)
        monkeypatch.setattr(reading, "SCANNED_ENOUGH", 4)
        for number in range(10):
            job = replace(import_job("c1" if number == 3 else "c2"), import_id=f"i{number}")
            dynamodb.imports.add(dynamodb.account, job)
        first = dynamodb.imports.page(dynamodb.account, "c1", None, 2)
        assert first.items == []
        second = dynamodb.imports.page(dynamodb.account, "c1", first.cursor, 2)
        assert [job.import_id for job in second.items] == ["i3"]

    @pytest.mark.parametrize("cursor", ["", "x", "WzFd", "WyIiXQ"])
    def test_an_edited_cursor_is_refused(self, stores: Stores, cursor: str) -> None:
        with pytest.raises(Invalid):
            stores.imports.page(stores.account, "c1", cursor, 2)

    def test_a_job_may_begin_again_until_it_is_over(self, stores: Stores) -> None:
        job = import_job("c1")
        stores.imports.add(stores.account, job)
        for _ in range(2):
            begun = stores.imports.begin(stores.account, job.import_id, NOON)
            assert begun == replace(job, state=RUNNING, begun_at=NOON)
        stores.imports.finish(stores.account, job.import_id, ImportProgress(), NOON)
        assert stores.imports.begin(stores.account, job.import_id, NOON) is None
        assert stores.imports.begin(stores.account, "nothing", NOON) is None
        over = stores.imports.get(stores.account, job.import_id)
        assert (over.state, over.finished_at) == (DONE, NOON)

    def test_a_previewed_job_waits_in_review_until_somebody_says_so(self, stores: Stores) -> None:
        job = replace(import_job("c1"), previews=True)
        stores.imports.add(stores.account, job)
        assert stores.imports.approve(stores.account, job.import_id) is False, "there is no preview yet"
        stores.imports.begin(stores.account, job.import_id, NOON)
        stores.imports.present(stores.account, job.import_id)
        assert stores.imports.begin(stores.account, job.import_id, NOON) is None, "it waits for a person"
        assert stores.imports.get(stores.account, job.import_id).state is JobState.REVIEW
        choice = Choice(((2, Use.EMAIL), (1, Use.VARIABLE)), every_address=True)
        assert stores.imports.preview_again(stores.stranger, job.import_id, choice) is False
        assert stores.imports.preview_again(stores.account, job.import_id, choice) is True
        assert stores.imports.preview_again(stores.account, job.import_id, Choice()) is False
        stores.imports.begin(stores.account, job.import_id, NOON)
        stores.imports.present(stores.account, job.import_id)
        assert stores.imports.approve(stores.stranger, job.import_id) is False
        assert stores.imports.approve(stores.account, job.import_id) is True
        assert stores.imports.approve(stores.account, job.import_id) is False
        begun = stores.imports.begin(stores.account, job.import_id, NOON)
        assert begun is not None
        assert (begun.previews, begun.choice) == (False, choice)

    def test_what_was_started_does_not_go_back_to_review(self, stores: Stores) -> None:
        job = replace(import_job("c1"), previews=True)
        stores.imports.add(stores.account, job)
        stores.imports.begin(stores.account, job.import_id, NOON)
        stores.imports.present(stores.account, job.import_id)
        stores.imports.approve(stores.account, job.import_id)
        stores.imports.begin(stores.account, job.import_id, NOON)
        stores.imports.present(stores.account, job.import_id)  # a slow run of the preview
        assert stores.imports.get(stores.account, job.import_id).state is RUNNING

    def test_a_run_that_was_overtaken_does_not_finish_the_job(self, stores: Stores) -> None:
        one = add_campaign(stores)
        job = import_job(one)
        stores.imports.add(stores.account, job)
        stores.imports.begin(stores.account, job.import_id, NOON)
        read = ImportProgress(next_row=1, rows=1)
        stores.contacts.add_imported(
            stores.account, one, job.import_id, people("ann"), ImportProgress(), read
        )
        stores.imports.finish(stores.account, job.import_id, ImportProgress(), NOON)
        assert stores.imports.get(stores.account, job.import_id).state is RUNNING
        stores.imports.finish(stores.account, job.import_id, read, NOON)
        assert stores.imports.get(stores.account, job.import_id).state is DONE

    def test_a_failed_job_says_why_and_what_is_over_stays(self, stores: Stores) -> None:
        failed, done = import_job("c1"), import_job("c1")
        for job in (failed, done):
            stores.imports.add(stores.account, job)
            stores.imports.begin(stores.account, job.import_id, NOON)
        stores.imports.finish(stores.account, done.import_id, ImportProgress(), NOON)
        for job in (failed, done):
            stores.imports.fail(stores.account, job.import_id, WHY, NOON)
        found = stores.imports.get(stores.account, failed.import_id)
        assert (found.state, found.reason, found.finished_at) == (FAILED, WHY, NOON)
        assert stores.imports.get(stores.account, done.import_id).state is DONE
        stores.imports.finish(stores.account, failed.import_id, ImportProgress(), NOON)
        assert stores.imports.get(stores.account, failed.import_id).state is FAILED

    def test_a_purge_removes_one_campaigns_jobs_and_no_late_write_brings_them_back(
        self, stores: Stores
    ) -> None:
        gone, stays = import_job("c1"), import_job("c2")
        for job in (gone, stays):
            stores.imports.add(stores.account, job)
        stores.imports.purge(stores.account, "c1")
        stores.imports.fail(stores.account, gone.import_id, WHY, NOON)
        stores.imports.finish(stores.account, gone.import_id, ImportProgress(), NOON)
        assert stores.imports.begin(stores.account, gone.import_id, NOON) is None
        with pytest.raises(NotFound):
            stores.imports.get(stores.account, gone.import_id)
        assert stores.imports.get(stores.account, stays.import_id) == stays


def export_job(store: ExportStore, account: str, campaign_id: str = "c1") -> ExportJob:
    job = ExportJob(new_id(), campaign_id, JobState.QUEUED, NOON)
    store.add(account, job)
    return job


class TestExportStore:
    def test_a_job_runs_counts_and_is_done(self, stores: Stores) -> None:
        job = export_job(stores.exports, stores.account)
        assert stores.exports.get(stores.account, job.export_id) == job
        assert stores.exports.progress(stores.account, job.export_id, 7)
        running = stores.exports.get(stores.account, job.export_id)
        assert (running.state, running.rows) == (RUNNING, 7)
        counted = {ContactStatus.SENT: 7, ContactStatus.ERROR: 2}
        stores.exports.finish(stores.account, job.export_id, counted, NOON)
        done = stores.exports.get(stores.account, job.export_id)
        assert (done.state, done.rows, done.counted, done.finished_at) == (
            DONE,
            9,
            {"sent": 7, "error": 2},
            NOON,
        )

    def test_what_is_over_stays(self, stores: Stores) -> None:
        done, failed = (export_job(stores.exports, stores.account) for _ in range(2))
        stores.exports.progress(stores.account, done.export_id, 0)
        stores.exports.finish(stores.account, done.export_id, {}, NOON)
        stores.exports.fail(stores.account, failed.export_id, WHY, NOON)
        for job in (done, failed):
            before = stores.exports.get(stores.account, job.export_id)
            assert not stores.exports.progress(stores.account, job.export_id, 3)
            stores.exports.finish(stores.account, job.export_id, {"sent": 3}, NOON)
            stores.exports.fail(stores.account, job.export_id, replace(WHY, text="other"), NOON)
            assert stores.exports.get(stores.account, job.export_id) == before
        assert stores.exports.get(stores.account, failed.export_id).reason == WHY

    def test_another_accounts_job_is_not_there(self, stores: Stores) -> None:
        job = export_job(stores.exports, stores.account)
        with pytest.raises(NotFound):
            stores.exports.get(stores.stranger, job.export_id)
        assert not stores.exports.progress(stores.stranger, job.export_id, 1)
        stores.exports.finish(stores.stranger, job.export_id, {}, NOON)
        stores.exports.fail(stores.stranger, job.export_id, WHY, NOON)
        stores.exports.purge(stores.stranger, "c1")
        with pytest.raises(NotFound):
            stores.exports.get(stores.stranger, job.export_id)
        assert stores.exports.get(stores.account, job.export_id) == job

    def test_a_purge_removes_one_campaigns_jobs_and_no_late_write_brings_them_back(
        self, stores: Stores
    ) -> None:
        gone, stays = (export_job(stores.exports, stores.account, one) for one in ("c1", "c2"))
        stores.exports.purge(stores.account, "c1")
        assert not stores.exports.progress(stores.account, gone.export_id, 1)
        stores.exports.finish(stores.account, gone.export_id, {}, NOON)
        stores.exports.fail(stores.account, gone.export_id, WHY, NOON)
        with pytest.raises(NotFound):
            stores.exports.get(stores.account, gone.export_id)
        assert stores.exports.get(stores.account, stays.export_id) == stays
