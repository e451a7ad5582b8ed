"""`make demo-ses` as a person runs it: with everything that can happen to mail, and all agrees."""

import json
import subprocess
import sys

import pytest

from local.emulator import ROOT


@pytest.mark.timeout(600)  # it waits for events, as long as they come
def test_every_contact_ends_where_its_events_put_it() -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "local.demo_ses"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr
    numbers = json.loads(demo.stdout.splitlines()[-1])
    parts = ("sent", "delivered", "opened", "errors", "suppressed")
    assert numbers["contacts"] == 238 == sum(numbers[part] for part in parts)
    assert (numbers["suppressed"], numbers["errors"], numbers["duplicates"], numbers["drift"]) == (
        4,
        12,
        0,
        0,
    )
    assert numbers["opened"] > numbers["delivered"] / 4
