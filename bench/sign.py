"""CPU time of signing one message of about 10 KB by DKIM: ours, dkimpy's, and the RSA operation alone.

Ours canonicalizes the bytes that were composed and leaves the RSA to the cryptography library; dkimpy does
all of it in Python. Both are checked with dkimpy's verifier first. Process time; the rounds take turns.
"""

import argparse
import gc
import json
import statistics
import time
from base64 import b64decode
from collections.abc import Callable

import dkim
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from bench.compose import HTML, SENDER, START, SUBJECT, TEXT, jobs
from chalicelib.adapters.rsa import load_key, make_key
from chalicelib.domain.content import Content
from chalicelib.domain.dkim import DkimKey, body_hash, signed
from chalicelib.domain.dkim_record import record_value
from chalicelib.domain.email import compile_message

DOMAIN, SELECTOR = "shop.example", "pl1"


def microseconds(work: Callable[[], object], times: int) -> float:
    """CPU time of one call."""
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times * 1e6


def check(message: bytes, public: str) -> None:
    """Raises ValueError unless dkimpy accepts the signature: what is measured must be right."""
    record = record_value(public).encode()
    if not dkim.verify(message, dnsfunc=lambda *_, **__: record):
        raise ValueError("the signature doesn't verify")


def main() -> None:
    """Measure and print; the last line is JSON of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="at least 7")
    rounds = max(7, parser.parse_args().rounds)
    private, public = make_key()
    key = DkimKey(DOMAIN, SELECTOR, load_key(private))
    pem = load_der_private_key(b64decode(private), None).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    compiled = compile_message(Content(SUBJECT, HTML, TEXT), SENDER)
    job = jobs(1)[0]
    message = compiled.render(*job[:3])
    body = message.partition(b"\r\n\r\n")[2]

    def by_dkimpy() -> bytes:
        field = dkim.sign(
            message, SELECTOR.encode(), DOMAIN.encode(), pem, canonicalize=(b"relaxed", b"relaxed")
        )
        return bytes(field) + message

    check(bytes(signed(message, key, START)), public)
    check(by_dkimpy(), public)
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "compose": (lambda: compiled.render(*job[:3]), 1000),
        "compose and sign, ours": (lambda: signed(compiled.render(*job[:3]), key, START), 200),
        "sign, ours": (lambda: signed(message, key, START), 200),
        "of which the body's hash": (lambda: body_hash([body]), 1000),
        "of which RSA": (lambda: key.sign(message[:1000]), 200),
        "sign, dkimpy": (by_dkimpy, 10),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, (work, times) in ways.items():
            value = microseconds(work, times)
            taken[name] += [value] if number else []
    report(taken, len(message))


def report(taken: dict[str, list[float]], size: int) -> None:
    """A table for people and a line for programs."""
    print(f"One message: {size:,} bytes")
    print(f"{'µs of CPU':<28}{'min':>10}{'median':>10}")
    for name, values in taken.items():
        print(f"{name:<28}{min(values):>10.1f}{statistics.median(values):>10.1f}")
    medians = {name: statistics.median(values) for name, values in taken.items()}
    figures = {
        "us_sign": medians["sign, ours"],
        "us_sign_dkimpy": medians["sign, dkimpy"],
        "us_rsa": medians["of which RSA"],
        "ratio_to_dkimpy": medians["sign, dkimpy"] / medians["sign, ours"],
        "ratio_with_without": medians["compose and sign, ours"] / medians["compose"],
    }
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
