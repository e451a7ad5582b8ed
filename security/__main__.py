"""`make security`: all of it on one deployment. The last line on stdout is JSON, all else goes to stderr.

It exits with 0 only if nothing bad was let through, nothing good was refused, and nothing was our fault.
"""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from local.demo_display import say
from local.stack import Stack, start
from security import contract, corpus, isolation, policies, scans, workload
from security.verdict import Family, show, verdict
from tests.name_server import NameServer, run_name_server
from tests.stack.customer import Customer

_AT_ONCE = 3  # scenarios: they mostly wait


def main() -> int:
    """Try everything; returns the exit status."""
    families: list[Family] = []
    with ThreadPoolExecutor(1) as beside:
        say("Scanning the code, its history and its requirements, and deploying the embedded stack …")
        scanned = beside.submit(_scan)
        with run_name_server() as names, start(parameters={"DnsServer": names.address}) as stack:
            families += _on(stack, names)
        families += scanned.result()
    show(families)
    last_line, status = verdict(families)
    print(last_line, flush=True)
    return status


def _scan() -> list[Family]:
    families = []
    for name, scan in (
        ("unsafe code", scans.unsafe_code),
        ("secrets", scans.secrets),
        ("known faults", scans.known_faults),
    ):
        with _part(name) as family:
            scan(family)
        families.append(family)
    return families


def _on(stack: Stack, names: NameServer) -> Iterator[Family]:
    """The parts that need the deployed package. The walk counts calls of AWS, so it goes alone."""
    with _part("isolation") as family:
        isolation.walk(stack, family)
    yield family
    with ThreadPoolExecutor(1) as beside:
        worked: Future[Family] = beside.submit(_work, stack, names)
        tenant = isolation.settle_in(Customer.new(stack))
        for family in corpus.try_all(tenant):
            _tell(family)
            yield family
        with _part("contract") as family:
            contract.try_contract(isolation.settle_in(Customer.new(stack)), family)
        yield family
        yield worked.result()
    with _part("idle permissions") as family:
        policies.try_all(stack, family)
    yield family


def _work(stack: Stack, names: NameServer) -> Family:
    """Let the product do all that it is for, which is what its functions have their policies for."""
    with _part("product at work") as family:
        with ThreadPoolExecutor(_AT_ONCE) as at_once:
            for name, fault in at_once.map(_lived, workload.at_any_time(stack, names)):
                family.control(name, fault)
        for name, fault in map(_lived, workload.alone(stack)):
            family.control(name, fault)
    return family


def _lived(scenario: tuple[str, Callable[[], None]]) -> tuple[str, str | None]:
    name, run = scenario
    try:
        run()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
        return name, f"{type(error).__name__}: {error}"[:600]
    return name, None


@contextmanager
def _part(name: str) -> Iterator[Family]:
    family, started = Family(name), time.monotonic()
    try:
        yield family
    except Exception as error:  # noqa: BLE001  (the other parts go on, and this one is wrong)
        family.refusal("it comes to its end", f"{type(error).__name__}: {error}"[:600])
    _tell(family, time.monotonic() - started)


def _tell(family: Family, seconds: float | None = None) -> None:
    took = f", {seconds:.0f} s" if seconds is not None else ""
    say(f"  {family.name}: {family.tried} tried, {len(family.wrong)} wrong{took}")
    for text in family.wrong:
        say(f"    {text[:300]}")


if __name__ == "__main__":
    sys.exit(main())
