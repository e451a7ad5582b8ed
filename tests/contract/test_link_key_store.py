"""Contract of ``LinkKeyStore``, and what KMS does with its secrets."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import boto3
import pytest

from chalicelib.adapters.dynamodb.link_keys import DynamoLinkKeyStore
from chalicelib.adapters.dynamodb.tables import LinkKeyRow
from chalicelib.adapters.kms import KmsLinkKeyBox
from chalicelib.errors import SecretUnreadable
from chalicelib.ports import LinkKeyBox, LinkKeyStore, SealedKey
from local.emulator import Emulator
from tests.contract.store_builders import NOON
from tests.fakes.link_keys import FakeLinkKeyBox, FakeLinkKeyStore

FIRST, SECOND = SealedKey(1, b"\x00sealed\xff", NOON), SealedKey(2, b"other", NOON + timedelta(days=1))


@pytest.fixture(params=["memory", "dynamodb"])
def keys(request: pytest.FixtureRequest) -> Iterator[LinkKeyStore]:
    if request.param == "memory":
        yield FakeLinkKeyStore()
        return
    request.getfixturevalue("cloud")
    yield DynamoLinkKeyStore()
    for row in LinkKeyRow.scan():
        row.delete()


@pytest.fixture(params=["memory", "kms"])
def box(request: pytest.FixtureRequest) -> LinkKeyBox:
    if request.param == "memory":
        return FakeLinkKeyBox()
    emulator: Emulator = request.getfixturevalue("cloud")
    kms = boto3.client("kms", endpoint_url=emulator.endpoint)
    return KmsLinkKeyBox(kms.create_key()["KeyMetadata"]["KeyId"])


class TestLinkKeyStore:
    def test_in_the_beginning_there_is_none(self, keys: LinkKeyStore) -> None:
        assert keys.list() == []

    def test_keys_are_listed_newest_first_as_they_were_stored(self, keys: LinkKeyStore) -> None:
        assert keys.add(FIRST)
        assert keys.add(SECOND)
        assert keys.list() == [SECOND, FIRST]

    def test_more_than_nine_keys_are_in_the_order_of_their_numbers(self, keys: LinkKeyStore) -> None:
        for number in range(1, 12):
            keys.add(SealedKey(number, b"k", NOON))
        assert [key.number for key in keys.list()] == list(range(11, 0, -1))

    def test_a_number_is_given_once(self, keys: LinkKeyStore) -> None:
        assert keys.add(FIRST)
        assert not keys.add(SealedKey(1, b"another", NOON))
        assert keys.list() == [FIRST]

    def test_of_many_at_once_one_is_stored(self, keys: LinkKeyStore) -> None:
        rivals = [SealedKey(1, bytes([number]), NOON) for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(keys.add, rivals))
        assert won.count(True) == 1
        assert keys.list() == [rivals[won.index(True)]]


class TestLinkKeyBox:
    def test_a_secret_comes_back_under_its_number_only(self, box: LinkKeyBox) -> None:
        sealed = box.seal(1, b"\x00secret\xff")
        assert box.open(1, sealed) == b"\x00secret\xff"
        with pytest.raises(SecretUnreadable):
            box.open(2, sealed)
