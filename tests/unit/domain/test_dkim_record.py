"""The record of a key: what a verifier would make of it."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.dkim_record import (
    Published,
    compare,
    is_testing,
    key_bits,
    record_name,
    record_value,
)
from chalicelib.domain.dns_answers import UNANSWERED, Answer, AnswerStatus, found
from chalicelib.domain.tag_list import read_tags

OURS = "QUJD"


def test_the_record_is_that_of_rfc_6376() -> None:
    assert record_name("pl1", "shop.example") == "pl1._domainkey.shop.example"
    assert record_value(OURS) == "v=DKIM1; k=rsa; p=QUJD"
    assert compare(found(record_value(OURS)), OURS) is Published.YES


@pytest.mark.parametrize(
    "text",
    [
        "p=QUJD",
        "v=DKIM1;p=QUJD;",
        "v=DKIM1; p=QU JD ",
        "v=DKIM1; h=sha1:sha256; s=email; t=s; n=a note; p=QUJD; ",
        "v=DKIM1; s=*; x=new; p=QUJD",
        "k=rsa; p=QUJD",
    ],
)
def test_these_serve_as_well(text: str) -> None:
    assert compare(found(text), OURS) is Published.YES


@pytest.mark.parametrize(
    "text",
    [
        "v=DKIM1; p=",
        "v=DKIM1; p=QUJE",
        "v=DKIM1",
        "v=DKIM2; p=QUJD",
        "p=QUJD; v=DKIM1",
        "v=DKIM1; k=ed25519; p=QUJD",
        "v=DKIM1; h=sha1; p=QUJD",
        "v=DKIM1; s=other; p=QUJD",
        "v=DKIM1; p=QUJD; p=QUJD",
        "something else",
        "",
    ],
)
def test_these_do_not(text: str) -> None:
    assert compare(found(text), OURS) is Published.DIFFERENT


def test_two_records_are_none_and_no_answer_is_no_no() -> None:
    ours = record_value(OURS)
    assert compare(found(ours, ours), OURS) is Published.DIFFERENT
    assert compare(Answer(AnswerStatus.NO_NAME), OURS) is Published.NO
    assert compare(Answer(AnswerStatus.NO_DATA), OURS) is Published.NO
    assert compare(UNANSWERED, OURS) is Published.UNCHECKED


def test_testing_is_told_by_a_flag() -> None:
    assert is_testing(found("v=DKIM1; t=y:s; p=QUJD"))
    assert not is_testing(found("v=DKIM1; t=s; p=QUJD"))


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
@pytest.mark.parametrize(
    ("encoding", "form"),
    [(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.PKCS1)],
)
def test_the_length_of_a_key_is_read(bits: int, encoding: Encoding, form: PublicFormat) -> None:
    public = rsa.generate_private_key(65537, bits).public_key().public_bytes(encoding, form)
    assert key_bits(found(f"v=DKIM1; p={b64encode(public).decode()}")) == bits


@given(st.binary(max_size=80))
def test_no_key_makes_reading_fail(content: bytes) -> None:
    bits = key_bits(found(f"p={b64encode(content).decode()}"))
    assert bits is None or bits >= 0


@given(st.text(max_size=80))
def test_no_record_makes_reading_fail(text: str) -> None:
    assert compare(found(text), OURS) in {Published.YES, Published.DIFFERENT}
    assert read_tags(text) is None or "=" in text
    assert key_bits(found(text)) is None or "p" in text
