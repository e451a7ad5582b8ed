"""Run a command that can't outlive whoever asked for it.

The starter holds the write end of a pipe, the guard waits at its other end. The pipe closes when the starter
closes it or is gone, by `kill -9` too. Then the command is asked to end (SIGTERM), and when it has, or
has not within the grace period, everything left in its process group is killed.
"""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_SET_CHILD_SUBREAPER = 36  # of linux/prctl.h


@contextmanager
def guarded(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    removes: Path | None = None,
    grace: float = 15.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` under a guard while the block lasts; its output is appended to `log`.

    Yields the guard's process, which ends when the command does, with its exit status. `removes` is a folder
    the guard deletes when everything has ended, `grace` the seconds from SIGTERM to SIGKILL.
    """
    options = [f"--grace={grace}", *([f"--removes={removes}"] if removes else [])]
    with log.open("ab") as output:
        guard = subprocess.Popen(
            [sys.executable, __file__, *options, "--", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            start_new_session=True,  # Ctrl-C on the terminal reaches the starter only
        )
    try:
        yield guard
    finally:
        _release(guard)


def _release(guard: subprocess.Popen[bytes]) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    guard.wait()


def main() -> int:
    """The guard: `guard.py --grace=SECONDS [--removes=FOLDER] -- COMMAND ...`, with the pipe as stdin."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--grace", type=float, required=True)
    arguments.add_argument("--removes", type=Path)
    arguments.add_argument("command", nargs="+")
    options = arguments.parse_args()
    _adopt_orphans()
    command = subprocess.Popen(options.command, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: command.terminate())
    threading.Thread(target=_end_with_the_pipe, args=(command, options.grace), daemon=True).start()
    status = command.wait()
    _end_group(command.pid)
    if options.removes:
        shutil.rmtree(options.removes, ignore_errors=True)
    return status


def _end_with_the_pipe(command: subprocess.Popen[bytes], grace: float) -> None:
    os.read(sys.stdin.fileno(), 1)
    command.terminate()
    with suppress(subprocess.TimeoutExpired):
        command.wait(grace)
        return
    _kill_group(command.pid)


def _adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ended, where the system can do that (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_group(leader: int) -> None:
    """Kill what is left of the group, and wait until it is gone: dying takes a killed process a moment."""
    _kill_group(leader)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-leader, 0)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
