"""One deployed stack for all tests that need one; each test is a customer of its own."""

from collections.abc import Iterator

import pytest

from local.stack import Stack, start
from tests.name_server import NameServer, run_name_server
from tests.stack.customer import Customer

CONSOLE = "https://console.example"
"""The one origin whose pages may use the API."""


@pytest.fixture(scope="session")
def name_server() -> Iterator[NameServer]:
    """The DNS that the stack asks."""
    with run_name_server() as running:
        yield running


@pytest.fixture(scope="session")
def stack(name_server: NameServer) -> Iterator[Stack]:
    """The package as it is, deployed, with every function held to its own policy."""
    parameters = {"DnsServer": name_server.address, "CorsOrigins": CONSOLE}
    with start(parameters=parameters) as running:
        yield running


@pytest.fixture
def customer(stack: Stack) -> Customer:
    """A customer nobody knew before."""
    return Customer.new(stack)


@pytest.fixture(scope="session")
def bench() -> Iterator[Stack]:
    """A second stack, for tests that change the deployment itself; each puts back what it changes."""
    with start() as running:
        yield running
