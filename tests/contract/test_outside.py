"""Contracts of ``FileStore``, ``SendQueue``, ``JobQueue`` and ``SecretBox``."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.adapters.aws import client
from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.kms import KmsAddressMarks, KmsMonthKeys, KmsSecretBox
from chalicelib.adapters.s3 import S3FileStore
from chalicelib.adapters.sqs import (
    SqsDispatchQueue,
    SqsJobQueue,
    SqsQueueGauge,
    SqsSendQueue,
    decode_order,
    decode_releases,
)
from chalicelib.errors import NotFound, SecretUnreadable
from chalicelib.ports import Depth, FileStore, JobQueue, Release, SecretBox, SendOrder, SendQueue
from local.emulator import Emulator
from tests.contract.store_builders import NOON, new_id
from tests.fakes.clock import HandClock
from tests.fakes.files import FakeFileStore
from tests.fakes.queues import FakeJobQueue, FakeSendQueue
from tests.fakes.secret_box import FakeSecretBox


@pytest.fixture
def bucket(cloud: Emulator) -> str:
    name = f"files-{new_id()}"
    client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def queue(cloud: Emulator) -> str:
    return str(client("sqs").create_queue(QueueName=new_id())["QueueUrl"])


@pytest.fixture(params=["memory", "s3"])
def files(request: pytest.FixtureRequest) -> FileStore:
    if request.param == "memory":
        return FakeFileStore(HandClock())
    return S3FileStore(request.getfixturevalue("bucket"), SystemClock())


@pytest.fixture(params=["memory", "kms"])
def box(request: pytest.FixtureRequest) -> SecretBox:
    if request.param == "memory":
        return FakeSecretBox()
    request.getfixturevalue("cloud")
    return KmsSecretBox(client("kms").create_key()["KeyMetadata"]["KeyId"])


@pytest.fixture(params=["memory", "sqs"])
def send_queue(request: pytest.FixtureRequest) -> SendQueue:
    return FakeSendQueue() if request.param == "memory" else SqsSendQueue(request.getfixturevalue("queue"))


@pytest.fixture(params=["memory", "sqs"])
def job_queue(request: pytest.FixtureRequest) -> JobQueue:
    return FakeJobQueue() if request.param == "memory" else SqsJobQueue(request.getfixturevalue("queue"))


def received(url: str, expected: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < expected:
        answer = client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2, AttributeNames=["All"]
        )
        assert answer.get("Messages")
        found += answer["Messages"]
    return found


def fetched(files: FileStore, key: str, folder: Path) -> bytes:
    files.fetch(key, folder / "copy")
    return (folder / "copy").read_bytes()


class TestFileStore:
    def test_a_file_comes_back_as_it_was(self, files: FileStore, tmp_path: Path) -> None:
        (tmp_path / "original").write_bytes(b"\x00rows")
        files.put("results/a/b", tmp_path / "original", "text/csv")
        assert fetched(files, "results/a/b", tmp_path) == b"\x00rows"

    def test_what_is_not_there_is_not_found(self, files: FileStore, tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            files.fetch("results/nothing", tmp_path / "copy")

    def test_the_beginning_of_a_file_is_enough(self, files: FileStore, tmp_path: Path) -> None:
        for key, content in (("inbound/1", b"Subject: x"), ("inbound/0", b"")):
            (tmp_path / "file").write_bytes(content)
            files.put(key, tmp_path / "file", "message/rfc822")
            assert files.beginning(key, 8) == content[:8]
            assert files.beginning(key, 100) == content
        with pytest.raises(NotFound):
            files.beginning("inbound/nothing", 8)

    def test_a_purge_removes_what_begins_so_and_nothing_else(self, files: FileStore, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"x")
        for key in ("results/a/1/x", "results/a/1/y", "results/a/2/x", "results/b/1/x"):
            files.put(key, tmp_path / "f", "text/csv")
        files.purge("results/a/1/")
        files.purge("results/a/1/")
        for gone in ("results/a/1/x", "results/a/1/y"):
            with pytest.raises(NotFound):
                files.fetch(gone, tmp_path / "copy")
        for stays in ("results/a/2/x", "results/b/1/x"):
            assert fetched(files, stays, tmp_path) == b"x"


class TestS3:
    """What only a real bucket can show: who holds a form or a link, and nobody else, reaches the file."""

    def test_a_form_uploads_its_own_file_only(self, bucket: str, tmp_path: Path) -> None:
        files = S3FileStore(bucket, SystemClock())
        form = files.presign_upload("uploads/a/1", "text/csv", 10)
        left = form.expires_at - SystemClock().now()
        assert timedelta(minutes=14) < left <= timedelta(minutes=15)
        assert post(form.url, form.fields, b"a;b") < 300
        assert fetched(files, "uploads/a/1", tmp_path) == b"a;b"
        assert post(form.url, form.fields, b"far too long for it") == 400
        assert post(form.url, form.fields, b"") == 400
        assert post(form.url, {**form.fields, "key": "uploads/b/1"}, b"a") == 403
        assert post(form.url, {**form.fields, "Content-Type": "text/html"}, b"a") == 403

    def test_a_link_downloads_the_file_under_its_name(self, bucket: str, tmp_path: Path) -> None:
        files = S3FileStore(bucket, SystemClock())
        (tmp_path / "f").write_bytes(b"report")
        files.put("results/a/r.xlsx", tmp_path / "f", "text/csv")
        with urllib.request.urlopen(files.presign_download("results/a/r.xlsx", "report.xlsx")) as answer:
            assert answer.read() == b"report"
            assert answer.headers["Content-Disposition"] == 'attachment; filename="report.xlsx"'

    def test_a_name_of_any_letters_is_told_to_the_browser(self, bucket: str, tmp_path: Path) -> None:
        files = S3FileStore(bucket, SystemClock())
        (tmp_path / "f").write_bytes(b"x")
        files.put("results/a/r", tmp_path / "f", "text/csv")
        link = files.presign_download("results/a/r", 'Договор "5".pdf', timedelta(minutes=5))
        with urllib.request.urlopen(link) as answer:
            told = answer.headers["Content-Disposition"]
        name = "%D0%94%D0%BE%D0%B3%D0%BE%D0%B2%D0%BE%D1%80%20%225%22.pdf"
        assert told == f"attachment; filename=\"_______ _5_.pdf\"; filename*=UTF-8''{name}"
        assert "X-Amz-Expires=300" in link

    def test_a_bucket_that_refuses_is_not_an_absent_file(self, cloud: Emulator, tmp_path: Path) -> None:
        with pytest.raises((ClientError, NotFound)):
            S3FileStore("no-such-bucket-at-all", SystemClock()).fetch("key", tmp_path / "copy")


def post(url: str, fields: Mapping[str, str], content: bytes) -> int:
    """The status of a multipart upload."""
    parts = [
        f'--mark\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
    ]
    head = "".join(parts) + '--mark\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = head.encode() + content + b"\r\n--mark--\r\n"
    request = urllib.request.Request(url, body, {"Content-Type": "multipart/form-data; boundary=mark"})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


class TestSecretBox:
    def test_a_secret_comes_back(self, box: SecretBox) -> None:
        sealed = box.seal("acc", "line", "pässword")
        assert b"ssword" not in sealed
        assert box.open("acc", "line", sealed) == "pässword"

    @pytest.mark.parametrize(("account", "line"), [("other", "line"), ("acc", "other")])
    def test_it_opens_for_its_own_account_and_line_only(
        self, box: SecretBox, account: str, line: str
    ) -> None:
        sealed = box.seal("acc", "line", "password")
        with pytest.raises(SecretUnreadable):
            box.open(account, line, sealed)

    def test_what_was_sealed_for_one_use_does_not_open_for_another(self, cloud: Emulator) -> None:
        key_id = client("kms").create_key()["KeyMetadata"]["KeyId"]
        kinds = ("line", "domain", "bounce_mailbox")
        sealed = {kind: KmsSecretBox(key_id, kind).seal("acc", "x", "password") for kind in kinds}
        for kind in kinds:
            assert KmsSecretBox(key_id, kind).open("acc", "x", sealed[kind]) == "password"
            for other in kinds:
                if other != kind:
                    with pytest.raises(SecretUnreadable):
                        KmsSecretBox(key_id, other).open("acc", "x", sealed[kind])


@pytest.fixture
def hmac_key(cloud: Emulator) -> str:
    made = client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return str(made["KeyMetadata"]["KeyId"])


class TestAddressMarks:
    def test_every_process_makes_the_same_mark_for_one_account(self, hmac_key: str) -> None:
        mark = KmsAddressMarks(hmac_key).mark("acc", "ann@mail.example")
        assert KmsAddressMarks(hmac_key).mark("acc", "ann@mail.example") == mark
        assert KmsAddressMarks(hmac_key).mark("other", "ann@mail.example") != mark
        assert KmsAddressMarks(hmac_key).mark("acc", "bob@mail.example") != mark

    def test_another_key_makes_another_mark(self, hmac_key: str) -> None:
        made = client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        other = KmsAddressMarks(made["KeyMetadata"]["KeyId"])
        assert other.mark("acc", "a@mail.example") != KmsAddressMarks(hmac_key).mark("acc", "a@mail.example")

    def test_the_key_is_asked_for_once(self, hmac_key: str) -> None:
        marks, calls = KmsAddressMarks(hmac_key), []
        events = client("kms").meta.events
        events.register("before-call.kms.GenerateMac", lambda **_: calls.append(1), unique_id="count")
        try:
            for name in ("ann", "bob", "cleo"):
                marks.mark("acc", f"{name}@mail.example")
        finally:
            events.unregister("before-call.kms.GenerateMac", unique_id="count")
        assert calls == [1]


def orders(count: int, seconds: float = -5) -> list[SendOrder]:
    slot = NOON + timedelta(seconds=seconds)
    return [SendOrder("acc", "camp", f"c{n}", "line", 2, 3, slot) for n in range(count)]


class TestSendQueue:
    def test_everything_is_taken(self, send_queue: SendQueue) -> None:
        assert send_queue.put(orders(23), NOON) == []
        assert send_queue.put([], NOON) == []

    def test_an_order_arrives_as_it_was_put(self, queue: str) -> None:
        SqsSendQueue(queue).put(orders(12), NOON)
        found = received(queue, 12)
        by_contact = sorted(
            (decode_order(m["Body"]) for m in found), key=lambda order: int(order.contact_id[1:])
        )
        assert by_contact == orders(12)
        assert {m["Attributes"]["MessageGroupId"] for m in found} == {"acc"}
        assert "@" not in found[0]["Body"]

    def test_an_order_is_kept_back_until_its_slot_and_never_longer_than_sqs_can(self, queue: str) -> None:
        delays: list[int] = []

        def note(params: Mapping[str, Any], **_: Any) -> None:
            delays.extend(entry["DelaySeconds"] for entry in json.loads(params["body"])["Entries"])

        events = client("sqs").meta.events
        events.register("before-call.sqs.SendMessageBatch", note)
        try:
            for seconds in (-30, 0, 0.2, 119.5, 10_000):
                assert SqsSendQueue(queue).put(orders(1, seconds), NOON) == []
        finally:
            events.unregister("before-call.sqs.SendMessageBatch", note)
        assert delays == [0, 0, 1, 120, 900]

    def test_what_the_queue_does_not_take_comes_back(self, queue: str) -> None:
        assert SqsSendQueue(f"{queue}-gone").put(orders(12), NOON) == orders(12)

    def test_the_entries_that_failed_come_back(self, queue: str) -> None:
        def fail_the_second(parsed: dict[str, Any], **_: Any) -> None:
            parsed["Failed"] = [parsed["Successful"].pop(1)]

        events = client("sqs").meta.events
        events.register("after-call.sqs.SendMessageBatch", fail_the_second)
        try:
            assert SqsSendQueue(queue).put(orders(3), NOON) == orders(3)[1:2]
        finally:
            events.unregister("after-call.sqs.SendMessageBatch", fail_the_second)

    @pytest.mark.parametrize("body", ["", "{}", "[]", '{"account_id": "a"}'])
    def test_what_is_no_order_is_an_error(self, body: str) -> None:
        with pytest.raises((ValueError, KeyError, TypeError)):
            decode_order(body)


class TestJobQueue:
    def test_a_job_is_taken(self, job_queue: JobQueue) -> None:
        job_queue.put({"account_id": "acc", "campaign_id": "camp"})

    def test_a_job_arrives_as_it_was_put(self, queue: str) -> None:
        SqsJobQueue(queue).put({"account_id": "acc", "campaign_id": "camp"})
        (message,) = received(queue, 1)
        assert json.loads(message["Body"]) == {"account_id": "acc", "campaign_id": "camp"}
        assert message["Attributes"]["MessageGroupId"] == "acc"

    def test_a_delayed_job_is_out_of_sight(self, queue: str) -> None:
        SqsJobQueue(queue).put({"account_id": "acc", "line_id": "later"}, timedelta(minutes=10))
        SqsJobQueue(queue).put({"account_id": "acc", "line_id": "now"})
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        seen = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        assert [seen[name] for name in names] == ["1", "1"]


class TestQueueGauge:
    def test_it_tells_how_full_each_queue_is_and_takes_nothing_out(self, queue: str, cloud: Emulator) -> None:
        dead = str(client("sqs").create_queue(QueueName=new_id())["QueueUrl"])
        for url, after in ((queue, 0), (queue, 0), (queue, 600), (dead, 0), (dead, 0)):
            SqsJobQueue(url).put({"account_id": "acc"}, timedelta(seconds=after))
        for url in (queue, dead):
            client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=600)
        gauge = SqsQueueGauge({"send": queue}, {"dead_send": dead})
        for _ in range(2):
            assert gauge.depths() == {"send": Depth(waiting=1, in_flight=1, delayed=1)}
            assert gauge.dead_letters() == {"dead_send": 2}


class TestDispatchQueue:
    def test_a_piece_of_a_release_arrives_as_it_was_put(self, queue: str) -> None:
        releases = [Release(f"c{n}", 2, 3, "line", NOON, NOON + timedelta(minutes=35)) for n in range(900)]
        SqsDispatchQueue(queue).put_releases("acc", "camp", releases)
        (message,) = received(queue, 1)
        assert len(message["Body"]) < 256 * 1024
        body = json.loads(message["Body"])
        assert (body["account_id"], body["campaign_id"]) == ("acc", "camp")
        assert decode_releases(body["releases"]) == releases


def test_the_keys_of_months_are_the_same_in_every_process_and_differ_by_number_and_purpose(
    cloud: Emulator,
) -> None:
    made = client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    key_id = made["KeyMetadata"]["KeyId"]
    keys, others = KmsMonthKeys(key_id, "cursors"), KmsMonthKeys(key_id, "cursors")
    assert keys.get(1) == keys.get(1) == others.get(1)
    assert len(keys.get(1)) == 32
    assert keys.get(1) != keys.get(2)
    assert keys.get(1) != KmsMonthKeys(key_id, "repeats").get(1)
