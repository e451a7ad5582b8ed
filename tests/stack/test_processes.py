"""Nothing outlives whoever started the embedded stack."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.guard import guarded

ROOT = Path(__file__).resolve().parents[2]

FAMILY = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_DFL if sys.argv[2] == "obedient" else signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", sys.argv[3]])
open(sys.argv[1] + ".part", "w").write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
"""
"""A process with a child that would both stay for ten minutes; notes both pids in its first argument."""

CHILD = "import time; time.sleep(600)"
LARGE = """
import time
memory = bytearray(400_000_000)
open({}, "w").close()
time.sleep(600)
"""
"""A child that takes a moment to die, for it has much to give back; tells when it has that."""

STARTER = """
import signal, sys, time
from pathlib import Path
from local.guard import guarded
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
with guarded(sys.argv[2:], log=Path(sys.argv[1]), grace=0.5):
    time.sleep(600)
"""

EMULATOR_STARTER = """
import sys, time
from pathlib import Path
from local.emulator import run_emulator
folder = Path(sys.argv[1])
with run_emulator(folder, keep=False) as emulator:
    (folder / "pid").write_text(str(emulator.pid))
    time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = [pid]
    for parent in found:
        found.extend(child for child, of in parents if of == parent)
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def family(notes: Path, manner: str, child: str = CHILD) -> list[str]:
    return [sys.executable, "-c", FAMILY, str(notes), manner, child]


@pytest.mark.parametrize("manner", ["obedient", "stubborn"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_whole_family_ends_with_its_starter(tmp_path: Path, end: signal.Signals, manner: str) -> None:
    notes = tmp_path / "pids"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "log"), *family(notes, manner)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    wait_for(notes.exists)
    pids = [int(pid) for pid in notes.read_text().split()]
    starter.send_signal(end)
    starter.wait()
    wait_for(lambda: not any(map(is_running, pids)))


def test_the_family_ends_with_the_block(tmp_path: Path) -> None:
    notes, scratch = tmp_path / "pids", tmp_path / "scratch"
    scratch.mkdir()
    with guarded(family(notes, "obedient"), log=tmp_path / "log", removes=scratch):
        wait_for(notes.exists)
        pids = [int(pid) for pid in notes.read_text().split()]
        assert all(map(is_running, pids))
    assert not any(map(is_running, pids))
    assert not scratch.exists()


def test_a_child_that_is_slow_to_die_has_ended_with_the_block_too(tmp_path: Path) -> None:
    notes, is_large = tmp_path / "pids", tmp_path / "large"
    child = LARGE.format(repr(str(is_large)))
    with guarded(family(notes, "obedient", child), log=tmp_path / "log"):
        wait_for(lambda: notes.exists() and is_large.exists())
        pids = [int(pid) for pid in notes.read_text().split()]
    assert not any(map(is_running, pids))


def test_the_guard_ends_with_its_command_and_its_status(tmp_path: Path) -> None:
    with guarded([sys.executable, "-c", "raise SystemExit(7)"], log=tmp_path / "log") as process:
        assert process.wait(timeout=60) == 7


def test_a_killed_starter_leaves_no_emulator(tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", EMULATOR_STARTER, str(tmp_path)], cwd=ROOT)
    wait_for((tmp_path / "pid").exists)
    pids = descendants(starter.pid)[1:]
    assert len(pids) == 2, "the guard and the emulator"
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    wait_for(lambda: not any(map(is_running, pids)))
