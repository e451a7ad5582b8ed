"""Which tests stay together, and in which order they are begun, when several processes share them.

A file's tests stay in one process, and so do those of files that share a deployed stack. What mostly waits,
or takes longest, is begun first, so that the short ones fill what is left.
"""

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

STACK, BENCH = "stack", "bench"
FIRST = (
    STACK,
    BENCH,
    "tests/stack/test_restart.py",
    "tests/stack/test_demo_ses.py",
    "tests/unit/flow/test_life_of_a_campaign.py",
    "tests/unit/domain/test_schedule.py",
    "tests/package/test_imports.py",
    "tests/package/test_template.py",
)
NEEDS_THE_BENCH = ("test_doubles.py", "test_faults.py", "test_dialogs.py")
STARTS_ITS_OWN = (
    "test_restart.py",
    "test_demo_ses.py",
    "test_emulator.py",
    "test_deploy.py",
    "test_processes.py",
)


def group_of(nodeid: str) -> str:
    """The stack that a test's file needs, or else the file. A wrong one costs time and nothing else."""
    file = Path(nodeid.partition("::")[0])
    if file.parent != Path("tests/stack") or file.name in STARTS_ITS_OWN:
        return str(file)
    return BENCH if file.name in NEEDS_THE_BENCH else STACK


class Groups(LoadScopeScheduling):
    """Hands out a group's tests to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(group_of(item.nodeid), len(FIRST)))
