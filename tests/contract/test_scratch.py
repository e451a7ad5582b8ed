"""Scratch folders go with their process, and what a killed one left behind makes room."""

import os
import subprocess
import sys
from pathlib import Path

from chalicelib.adapters.scratch import scratch_folder

SCRATCH = "from chalicelib.adapters.scratch import scratch_folder; from pathlib import Path; import os, sys"
LEAVE = f"{SCRATCH}; (scratch_folder('files', Path(sys.argv[1])) / 'big').touch()"


def left_by(place: Path, end: str) -> None:
    subprocess.run([sys.executable, "-c", f"{LEAVE}; {end}", str(place)], check=False, timeout=60)


def test_a_process_that_ends_takes_its_folder_along(tmp_path: Path) -> None:
    left_by(tmp_path, "pass")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left_by(tmp_path, "os.kill(os.getpid(), 9)")
    assert len(list(tmp_path.iterdir())) == 1
    mine = scratch_folder("files", tmp_path)
    assert list(tmp_path.iterdir()) == [mine]


def test_folders_of_living_processes_and_of_other_names_stay(tmp_path: Path) -> None:
    stays = [
        tmp_path / f"files-{os.getppid()}-abc",
        tmp_path / "other-999999999-abc",
        tmp_path / "files-mine",
    ]
    for folder in stays:
        folder.mkdir()
    mine = scratch_folder("files", tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([*stays, mine])
