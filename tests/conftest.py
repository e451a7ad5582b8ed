"""Which tests stay together, and in which order they are begun, when several processes share them.

A file's tests stay in one process, and so do all that share a deployed stack. The groups that mostly wait, or
take longest, are begun first, so that the short ones fill what is left.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
STACKS = ("bench", "stack")
FIRST = (
    "stack",
    "bench",
    "stack/test_restart.py",
    "stack/test_demo_ses.py",
    "unit/flow/test_life_of_a_campaign.py",
    "unit/domain/test_schedule.py",
    "package/test_imports.py",
    "package/test_template.py",
)


def group_of(item: pytest.Item) -> str:
    """The stack that a test needs, or else its file."""
    fixtures = getattr(item, "fixturenames", ())
    needed = next((name for name in STACKS if name in fixtures), None)
    return needed or str(item.path.relative_to(ROOT))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(group_of(item), len(FIRST)))
